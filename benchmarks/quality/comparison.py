"""This result beside the last committed one: what became better, what became worse."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.quality.figures import FIGURES, Figure, Row

# One box of one frame moves MOTA and IDF1 by 0.003.
TRACKING: Final = tuple(Figure(name, name, tolerance=0.005) for name in ("mota", "idf1", "hota"))
# An episode more or less, of twenty, moves a mean by a few hundredths.
COMPOSED: Final = (
    Figure("bcubed_f1", "B3 F1", tolerance=0.01),
    Figure("recall", "recall", tolerance=0.01),
    Figure("precision", "prec.", tolerance=0.01),
    Figure("tolerant_error_percent", "error %", tolerance=0.3, more_is_better=False),
    Figure("cut_f1", "cuts 1", tolerance=0.01),
    Figure("interval_score_s", "interval", tolerance=0.1, more_is_better=False),
)
# Enough of a hash to tell two apart.
_NAMED: Final = 12
Rows = Callable[[Mapping[str, Any]], dict[str, Row]]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that moved by more than its tolerance, or that is gone (`now` is None)."""

    place: str
    figure: str
    before: float
    now: float | None
    is_better: bool

    def describe(self) -> str:
        """Return it for people."""
        word = "better" if self.is_better else "WORSE"
        now = "none" if self.now is None else f"{self.now:.4g}"
        return f"{word:<7}{self.place}: {self.figure} {self.before:.4g} -> {now}"


def last_committed(repository: Path, file: str) -> dict[str, Any] | None:
    """Return the result in the last commit; None if there is none.

    Args:
        file: Path inside the repository.
    """
    shown = subprocess.run(
        ["git", "show", f"HEAD:{file}"], cwd=repository, capture_output=True, text=True, check=False
    )
    if shown.returncode != 0:
        return None
    document: dict[str, Any] = json.loads(shown.stdout)
    return document


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return what moved, of the rows that can be compared; the peers' own rows are no matter."""
    found: list[Change] = []
    for rows, figures in _parts(before, now):
        found += _moved(rows(before), rows(now), figures)
    return [*found, *_limits_crossed(before, now)]


def is_any_compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether the results have rows in common that can be compared."""
    return any(rows(before).keys() & rows(now).keys() for rows, _ in _parts(before, now))


def not_compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return sentences on what cannot be compared, on rows that lack, and on what else differs."""
    sentences = [f"not compared, because {reason}" for reason in _reasons(before, now)]
    sentences += [
        f"{name}: other than in the last result"
        for name in ("clips_sha256", "truth_sha256", "setups", "scorer_sha256")
        if _common(before.get(name), now.get(name)) is False
    ]
    sentences += _other_libraries(before, now)
    gone = not_measured(before, now)
    return sentences + ([f"not measured this time: {'; '.join(gone)}"] if gone else [])


def not_measured(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the rows of the last result that this one lacks; a mean is over certain clips."""
    readers: tuple[Rows, ...] = (_clip_rows, _tracking_rows, _composed_rows)
    return [place for rows in readers for place in rows(before) if place not in rows(now)]


def _parts(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[Rows, Sequence[Figure]]]:
    """Yield the parts whose figures can be compared, each with its figures."""
    # Of tracks alone, at settings of its own.
    yield _tracking_rows, TRACKING
    if not any(_other_runs(before, now)):
        yield _clip_rows, FIGURES
        if not any(_other_episodes(before, now)):
            yield _composed_rows, COMPOSED


def _reasons(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what makes figures of the product incomparable that both results have."""
    if before.get("composed") and now.get("composed"):
        return [*_other_runs(before, now), *_other_episodes(before, now)]
    return [*_other_runs(before, now)] if before.get("clips") and now.get("clips") else []


def _other_runs(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings that were chosen otherwise for all runs."""
    return _differing(before, now, ("profile", "given"))


def _other_episodes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield what makes other episodes of the composed ones; one seed draws other ones anew."""
    earlier, later = (result.get("composed") or {} for result in (before, now))
    yield from _differing(earlier, later, ("seed", "episodes", "material", "drawn_by"))
    for name in ("clips_sha256", "truth_sha256"):
        clips = before.get(name), now.get(name)
        # Clips that one of them has besides change the draw too.
        if earlier and later and None not in clips and clips[0] != clips[1]:
            yield f"{name} of the clips that are drawn from differs"


def _differing(
    before: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]
) -> Iterator[str]:
    for name in names:
        if before.get(name) != now.get(name):
            yield f"{name} was {_said(before, name)} and is {_said(now, name)}"


def _said(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "nothing"
    if name == "drawn_by" and value:
        return str(value)[:_NAMED]
    return "not told" if value is None else str(value)


def _other_libraries(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    earlier, later = (result.get("libraries") or {} for result in (before, now))
    for name in dict.fromkeys((*earlier, *later)):
        if earlier.get(name) != later.get(name):
            yield (
                f"library {name}: {earlier.get(name, 'none')} in the last result, "
                f"{later.get(name, 'none')} now"
            )


def _common(before: Any, now: Any) -> bool | None:
    """Return whether the parts that both have are equal; None if there are none."""
    if not (isinstance(before, Mapping) and isinstance(now, Mapping)):
        return None if before is None or now is None else before == now
    return all(before[key] == now[key] for key in before if key in now)


def _moved(
    before: Mapping[str, Row], now: Mapping[str, Row], figures: Sequence[Figure]
) -> Iterator[Change]:
    for place, row in before.items():
        if place in now:
            for figure in figures:
                yield from _change(place, figure, row.get(figure.name), now[place].get(figure.name))


def _change(place: str, figure: Figure, before: Any, now: Any) -> Iterator[Change]:
    # A ratio needs the peer, which may be left out.
    if figure.tolerance is None or before is None or (now is None and figure.name == "cpu_ratio"):
        return
    if now is None:
        yield Change(place, figure.name, before, None, is_better=False)
    # Rounded, so that a step of exactly the tolerance counts as within.
    elif round(abs(now - before) - figure.tolerance, 9) > 0:
        yield Change(place, figure.name, before, now, (now > before) == figure.more_is_better)


def _limits_crossed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """Yield limits that held and do not hold or are not judged any more, or the other way round."""
    later = {verdict["what"]: verdict for verdict in now.get("limits", ())}
    for was in before.get("limits", ()):
        what = was["what"]
        if was["value"] is None or not _same_material(what, before, now):
            continue
        verdict = later.get(what)
        if verdict is None:
            yield Change("limit", what, was["value"], None, is_better=False)
        elif was["holds"] != verdict["holds"]:
            yield Change("limit", what, was["value"], verdict["value"], verdict["holds"])


def _same_material(limit: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether what a limit is on was measured both times, on the same and alike."""
    if limit.startswith("tracking"):
        return bool(_tracking_rows(before) and _tracking_rows(now))
    if any(_other_runs(before, now)):
        return False
    name = limit.split(":")[0]
    if limit.startswith("composed"):
        place = name.replace(",", "")
        is_there = place in _composed_rows(before) and place in _composed_rows(now)
        return is_there and not any(_other_episodes(before, now))
    earlier, later = (
        {row["clip"] for row in _clip_rows(result).values() if row["setup"] == name}
        for result in (before, now)
    )
    return earlier == later


def _clip_rows(result: Mapping[str, Any]) -> dict[str, Row]:
    rows = [row for row in result.get("clips", ()) if row["who"] == "product"]
    clips = ",".join(sorted({row["clip"] for row in rows} - {"mean"}))
    return {
        f"{row['setup']} {row['clip']}" + (f" of {clips}" if row["clip"] == "mean" else ""): row
        for row in rows
    }


def _tracking_rows(result: Mapping[str, Any]) -> dict[str, Row]:
    return {
        f"tracking {row['who']} stride {row['stride']}": row
        for row in result.get("tracking", ())
        if row["who"].startswith("product")
    }


def _composed_rows(result: Mapping[str, Any]) -> dict[str, Row]:
    """Return the rows, each with what its stated bounds are worth."""
    rows = (result.get("composed") or {}).get("rows", ())
    return {
        f"composed {row['setup']} {row['who']}": {
            **row,
            "interval_score_s": (row.get("bounds") or {}).get("interval_score_s"),
        }
        for row in rows
    }
