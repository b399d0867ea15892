"""Checks of seconds per person, and of the report about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import fsum
from typing import Any, Final

from screenalytics_assets.checks.base import TOLERANCE_S, Check, Findings, Outcome, Values
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.vision.intervals import Interval, intersection

Row = Mapping[str, Any]
Rule = Callable[[Row], bool]
_SHARE_TOLERANCE: Final = 1e-9
_FACTS: Final = ("counted_s", "covered_s", "overlap_s", "unknown_s")
_LARGEST_PDF_BYTES: Final = 5_000_000


def _name(person: Row) -> str:
    return str(person["cast_id"] or person["identity_id"])


def _are_same(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE_S


def _at_most(less: float, more: float) -> bool:
    return less <= more + TOLERANCE_S


def _seconds_add_up(values: Values) -> Outcome:
    found = Findings()
    document = values.read(ArtifactKind.SCREEN_TIME)
    people = document["people"]
    for sentence, is_right in _rules_of_seconds(document).items():
        found.none_of([_name(p) for p in people if not is_right(p)], f"people whose {sentence}")
    _sums_fit(document, found)
    found.show(**{name: round(document[name], 3) for name in _FACTS}, people=len(people))
    return found.outcome(f"The seconds of {len(people)} people fit together and the episode.")


def _rules_of_seconds(document: Row) -> dict[str, Rule]:
    """Return what holds for every person, under what is said of those for whom it does not."""
    counted_s, has_bodies = document["counted_s"], document["has_bodies"]
    return {
        "seconds do not ascend from face to total to counted": lambda p: (
            p["face_s"] >= 0
            and _at_most(p["face_s"], p["total_s"])
            and _at_most(p["total_s"], counted_s)
        ),
        "bounds do not hold total_s between them, or leave the episode": lambda p: (
            p["low_s"] >= 0
            and _at_most(p["low_s"], p["total_s"])
            and _at_most(p["total_s"], p["high_s"])
            and _at_most(p["high_s"], counted_s)
        ),
        "body_only_s and face_s do not add up to total_s": lambda p: _are_same(
            p["face_s"] + (p["body_only_s"] or 0), p["total_s"]
        ),
        "body_only_s is given without bodies, or missing with them": lambda p: (
            (p["body_only_s"] is not None) == has_bodies
        ),
        "share is not total_s / counted_s": lambda p: (
            counted_s <= 0 or abs(p["share"] - p["total_s"] / counted_s) <= _SHARE_TOLERANCE
        ),
    }


def _sums_fit(document: Row, found: Findings) -> None:
    found.must(
        _at_most(document["counted_s"], document["duration_s"])
        and _at_most(document["covered_s"], document["counted_s"])
        and _at_most(document["overlap_s"], document["covered_s"])
        and _at_most(document["unknown_s"], document["counted_s"]),
        "overlap, covered, unknown, counted and duration do not fit into each other",
    )
    total_s = {_name(p): p["total_s"] for p in document["people"]}
    pairs = [
        f"{c['person_id']} and {c['other_id']}"
        for c in document["co_appearances"]
        if not {c["person_id"], c["other_id"]} <= set(total_s)
        or c["together_s"] <= 0
        or not _at_most(c["together_s"], min(total_s[c["person_id"]], total_s[c["other_id"]]))
    ]
    found.none_of(pairs, "pairs are together longer than one of them is there")


def _segments_fit(values: Values) -> Outcome:
    found = Findings()
    found.rows_of(values, ArtifactKind.SCREEN_TIME)
    document = values.read(ArtifactKind.SCREEN_TIME)
    people = document["people"]
    rules = _rules_of_segments(document, values.read(ArtifactKind.SHOTS)["start_s"])
    for sentence, is_right in rules.items():
        found.none_of([_name(p) for p in people if not is_right(p)], f"people whose {sentence}")
    _tables_agree(values, people, found)
    return found.outcome(f"The segments of {len(people)} people lie inside the episode.")


def _rules_of_segments(document: Row, start_s: float) -> dict[str, Rule]:
    """Return what holds for every person's segments; see `_rules_of_seconds`."""
    episode = (start_s, start_s + document["duration_s"])
    trims = [(t["start_s"], t["end_s"]) for t in document["trims"]]
    return {
        "segments overlap, or do not ascend": lambda p: all(
            _at_most(a["end_s"], b["start_s"]) for a, b in pairwise(p["segments"])
        ),
        "segments have no length": lambda p: all(start < end for start, end in _spans(p)),
        "segments leave the episode": lambda p: all(
            _at_most(episode[0], start) and _at_most(end, episode[1]) for start, end in _spans(p)
        ),
        "segments do not add up to total_s": lambda p: _are_same(
            fsum(end - start for start, end in _spans(p)), p["total_s"]
        ),
        "first and last appearance are not those of the segments": lambda p: (
            not p["segments"]
            or (
                _are_same(p["first_s"], p["segments"][0]["start_s"])
                and _are_same(p["last_s"], p["segments"][-1]["end_s"])
            )
        ),
        "segments are counted inside a trim": lambda p: all(
            end - start <= TOLERANCE_S for start, end in intersection(_spans(p), trims)
        ),
    }


def _spans(person: Row) -> list[Interval]:
    return [(s["start_s"], s["end_s"]) for s in person["segments"]]


def _tables_agree(values: Values, people: list[Any], found: Findings) -> None:
    """Compare the files for spreadsheets and queries with the document."""
    found.must(
        values.read(ArtifactKind.SCREEN_TIME, "csv").num_rows == len(people),
        "screen_time.csv has not one row per person",
    )
    table = values.read(ArtifactKind.SCREEN_TIME, "segments")
    seconds: dict[str, list[float]] = defaultdict(list)
    for row in table.to_pylist():
        seconds[_name(row)].append(row["end_s"] - row["start_s"])
    differing = [
        _name(p) for p in people if abs(fsum(seconds[_name(p)]) - p["total_s"]) > TOLERANCE_S
    ]
    found.none_of(differing, "people have other seconds in segments.parquet")
    wrong = [c for c in table.column("confidence").to_pylist() if not 0 <= c <= 1]
    found.none_of(wrong, "confidences of segments leave 0 to 1")


def _files_are_whole(values: Values) -> Outcome:
    found = Findings()
    pdf: bytes = values.read(ArtifactKind.REPORT, "pdf")
    html: bytes = values.read(ArtifactKind.REPORT, "html")
    found.must(
        pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF"), "report.pdf is no whole PDF"
    )
    found.must(len(pdf) < _LARGEST_PDF_BYTES, f"report.pdf takes {len(pdf):,} bytes to send")
    found.must(
        html.lstrip()[:9].lower() == b"<!doctype" and html.rstrip().endswith(b"</html>"),
        "report.html is no whole page",
    )
    loaded = [
        tag for tag in (b'src="http', b'<link rel="stylesheet"', b"<script src") if tag in html
    ]
    found.none_of([tag.decode() for tag in loaded], "parts of report.html lie somewhere else")
    found.show(pdf_bytes=len(pdf), html_bytes=len(html))
    return found.outcome("The PDF and the page are whole, and hold all that they show.")


SCREEN_TIME: Final = (
    Check(
        "seconds_add_up",
        "face <= total <= counted, low <= total <= high, shares and sums fit.",
        _seconds_add_up,
    ),
    Check(
        "segments_inside_the_episode",
        "Segments do not overlap, lie in the episode outside its trims, and add up to total_s.",
        _segments_fit,
    ),
)
REPORT: Final = (
    Check(
        "files_are_whole",
        "Both files are complete; the page needs nothing from elsewhere, the PDF can be sent.",
        _files_are_whole,
    ),
)
