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
    """Return what moved, of the rows that both results have; the peers' own rows are no matter.

    A mean is compared only where it is over the same clips.
    """
    found: list[Change] = []
    found += _moved(_clip_rows(before), _clip_rows(now), FIGURES)
    found += _moved(_tracking_rows(before), _tracking_rows(now), TRACKING)
    if _episodes(before) == _episodes(now):
        found += _moved(_composed_rows(before), _composed_rows(now), COMPOSED)
    return [*found, *_limits_crossed(before, now)]


def not_compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return sentences on rows of the last result that this one lacks, and other material."""
    sentences = [
        f"{name}: other than in the last result"
        for name in ("clips_sha256", "truth_sha256", "setups", "scorer_sha256")
        if _common(before.get(name), now.get(name)) is False
    ]
    readers: tuple[Callable[[Mapping[str, Any]], dict[str, Row]], ...] = (
        _clip_rows, _tracking_rows, _composed_rows,
    )  # fmt: skip
    gone = [place for rows in readers for place in rows(before) if place not in rows(now)]
    return sentences + ([f"not measured this time: {'; '.join(gone)}"] if gone else [])


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
    """Yield limits that held and do not hold any more, or the other way round."""
    earlier = {verdict["what"]: verdict for verdict in before.get("limits", ())}
    for verdict in now.get("limits", ()):
        was = earlier.get(verdict["what"])
        if was is None or was["value"] is None or not _same_material(verdict["what"], before, now):
            continue
        if was["holds"] != verdict["holds"]:
            yield Change("limit", verdict["what"], was["value"], verdict["value"], verdict["holds"])


def _same_material(limit: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether a limit was judged on the same clips or episodes both times."""
    if limit.startswith("tracking"):
        return True
    if limit.startswith("composed"):
        return bool(_episodes(before) == _episodes(now))
    setup = limit.split(":")[0]
    earlier, later = (
        {row["clip"] for row in _clip_rows(result).values() if row["setup"] == setup}
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
    rows = (result.get("composed") or {}).get("rows", ())
    return {f"composed {row['setup']} {row['who']}": row for row in rows}


def _episodes(result: Mapping[str, Any]) -> Any:
    composed = result.get("composed") or {}
    return composed.get("seed"), composed.get("episodes")
