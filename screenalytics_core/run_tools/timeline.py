"""The stage timeline of a run as inline SVG: attempts are lanes, stages their rows.

Every lane starts at its own attempt's start and all share one scale, so that a retry hours
later is drawn as large as the attempt before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from screenalytics_core.report.html_markup import escaped, public, tag
from screenalytics_core.run_tools.wording import moment, took, when

_WIDTH: Final = 1080
_LEFT: Final = 128
_RIGHT: Final = 900
_ROW: Final = 24
_HEAD: Final = 34
_GAP: Final = 14
_AXIS: Final = 26
_BAR: Final = 14
_STEPS_S: Final = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
    3600, 7200, 14400, 28800, 43200, 86400,
)  # fmt: skip
_PATTERNS: Final = (
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="3" height="6" class="veil"/></pattern>'
    '<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<circle cx="3" cy="3" r="1.7" class="veil"/></pattern>'
)
_VEILS: Final = {"checkpoint": "url(#hatch)", "inherited": "url(#dots)"}


def draw_timeline(attempts: Sequence[Mapping[str, Any]], now: str) -> str:
    """Return the SVG of the attempts that counted; empty when none of them started a stage.

    Args:
        attempts: As in `show.run_overview`.
        now: End of what is still running.
    """
    lanes = [a for a in attempts if not a["is_refused"] and _start_of(a) is not None]
    if not lanes:
        return ""
    longest_s = max(_length_s(lane, now) for lane in lanes)
    scale = (_RIGHT - _LEFT) / max(longest_s, 0.001)
    first = _start_of(lanes[0])
    parts, y = [], 4.0
    for lane in lanes:
        drawn, height = _lane(lane, now, scale, y, first)
        parts.append(drawn)
        y += height + _GAP
    top, bottom = 4 + _HEAD, y - _GAP
    grid = _grid(longest_s, scale, top, bottom)
    return tag(
        "svg",
        tag("title", "Stage timeline"),
        tag("defs", _PATTERNS),
        grid,
        *parts,
        viewBox=f"0 0 {_WIDTH} {bottom + _AXIS:.0f}",
        class_="timeline",
        role="img",
        aria_label="Stage timeline",
    )


def _start_of(attempt: Mapping[str, Any]) -> datetime | None:
    times = [attempt["started_at"], *(s["started_at"] for s in attempt["stages"])]
    return min((moment(t) for t in times if t), default=None)


def _length_s(attempt: Mapping[str, Any], now: str) -> float:
    start = _start_of(attempt)
    if start is None:
        return 0.0
    ends = [attempt["ended_at"], *(s["ended_at"] for s in attempt["stages"])]
    if attempt["status"] == "running":
        ends.append(now)
    return max(((moment(t) - start).total_seconds() for t in ends if t), default=0.0)


def _lane(
    attempt: Mapping[str, Any], now: str, scale: float, y: float, first: datetime | None
) -> tuple[str, float]:
    """Return a lane drawn at `y`, and its height."""
    start = _start_of(attempt)
    if start is None or first is None:
        return "", 0.0
    height = _HEAD + _ROW * len(attempt["stages"])
    name = "Unclaimed launch" if attempt["attempt"] is None else f"Attempt {attempt['attempt']}"
    later_s = (start - first).total_seconds()
    about = [when(start.isoformat())]
    if attempt["duration_s"] is not None:
        about.append(f"took {took(attempt['duration_s'])}")
    if later_s > 0:
        about.append(f"{took(later_s)} after the first")
    parts = [
        tag("text", escaped(name), x=0, y=y + 20, class_="lane"),
        tag(
            "text",
            tag("tspan", escaped(_word(attempt)), class_=f"word {_class(attempt)}"),
            escaped("  ·  " + "  ·  ".join(about)),
            x=_LEFT,
            y=y + 20,
            class_="about",
        ),
    ]
    parts += [
        _row(stage, start, now, scale, y + _HEAD + _ROW * i)
        for i, stage in enumerate(attempt["stages"])
    ]
    return tag("g", *parts), height


def _row(stage: Mapping[str, Any], start: datetime, now: str, scale: float, y: float) -> str:
    name = tag("text", escaped(stage["stage"]), x=0, y=y + 16, class_="stage")
    if not stage["started_at"]:
        word = tag("text", escaped(_word(stage)), x=_LEFT + 4, y=y + 16, class_="note")
        return tag("g", _tip(stage), name, word)
    begin_s = (moment(stage["started_at"]) - start).total_seconds()
    end_s = (moment(stage["ended_at"] or now) - start).total_seconds()
    x = _LEFT + max(0.0, begin_s) * scale
    width = max(2.0, (end_s - begin_s) * scale)
    box = {"x": f"{x:.1f}", "y": y + 5, "width": f"{width:.1f}", "height": _BAR, "rx": 3}
    bars = [tag("rect", class_=f"bar {_class(stage)}", **box)]
    if stage["source"] in _VEILS:
        bars.append(tag("rect", fill=_VEILS[stage["source"]], **box))
    said = took(end_s - begin_s) + ("" if stage["status"] == "success" else f" · {_word(stage)}")
    if stage["source"] in _VEILS:
        said += f" · {stage['source']}"
    label = tag("text", escaped(said), x=f"{x + width + 6:.1f}", y=y + 16, class_="note")
    return tag("g", _tip(stage), name, *bars, label)


def _tip(stage: Mapping[str, Any]) -> str:
    """Return what is shown while the pointer rests on a stage."""
    lines = [f"{stage['stage']}: {_word(stage)}"]
    if stage["source"]:
        lines.append(f"source: {stage['source']}")
    if stage["started_at"]:
        lines.append(f"from {when(stage['started_at'])} to {when(stage['ended_at'])}")
        lines.append(f"took {took(stage['duration_s'])}")
    counted = [("rows in", "rows_in"), ("rows out", "rows_out"), ("frames", "frames")]
    lines += [f"{what}: {stage[key]:,}" for what, key in counted if stage[key] is not None]
    if stage["error"]:
        lines.append(f"{stage['error']['code']}: {stage['error']['message']}")
    if stage["blocked_reason"]:
        lines.append(stage["blocked_reason"])
    return tag("title", public("\n".join(lines)))


def _word(thing: Mapping[str, Any]) -> str:
    if thing.get("is_process_gone"):
        return "running · process gone"
    return str(thing["status"]).replace("_", " ")


def _class(thing: Mapping[str, Any]) -> str:
    return "failed" if thing.get("is_process_gone") else str(thing["status"])


def _grid(longest_s: float, scale: float, top: float, bottom: float) -> str:
    step_s = next((s for s in _STEPS_S if longest_s / s <= 8), longest_s / 8)
    marks = []
    for i in range(int(longest_s / step_s + 1e-9) + 1):
        x = f"{_LEFT + i * step_s * scale:.1f}"
        marks.append(tag("line", x1=x, x2=x, y1=top, y2=bottom + 4, class_="grid"))
        label = escaped(f"+{_tick(i * step_s)}")
        marks.append(tag("text", label, x=x, y=bottom + 20, class_="tick"))
    return tag("g", *marks)


def _tick(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" + (f" {minutes} min" if minutes else "")
