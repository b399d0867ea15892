"""Who is on screen when: a lane of inline SVG per person, over the shots and a clock.

Places are percentages, so that a lane is as wide as its page or as zoomed as the script
makes it, and nothing is drawn anew. What a stretch is stands in its `<title>`: a name, then
lines that begin with what they say (`frames 12 to 40`); the script makes its card of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from screenalytics_core.report import text
from screenalytics_core.report.flowables import ticks
from screenalytics_core.report.html_faces import faces_of
from screenalytics_core.report.html_markup import escaped, tag
from screenalytics_core.report.html_names import TO, Moments, between, named, spoken
from screenalytics_core.report.html_pictures import Pictures
from screenalytics_core.report.model import Appearance, PersonRow, ReportModel
from screenalytics_core.vision.intervals import Interval

_UNKNOWN: Final = "unidentified faces"
# (class, top, height): what a stretch rests on shows in its shape, not in its colour alone.
_SHAPES: Final = {"face": ("f", 3, 20), "body": ("b", 11, 12)}
# Level k of the clock has about 4 * 2**k marks; the style shows the one that fits the width.
_LEVELS: Final = 8
_EDGE: Final = 2.5
_MOST_IDS: Final = 8
_FEWEST_MARKS: Final = 4
# Lines of cuts closer than this would only grey the lanes; they appear when zoomed in.
_MIN_CUT_PX: Final = 6
_NARROWEST_PX: Final = 480


class TimelineDrawing:
    """Draws the timeline of one report."""

    def __init__(self, model: ReportModel, pictures: Pictures) -> None:
        self._model = model
        self._pictures = pictures
        self._moments = Moments(model)
        self._shot_starts = [start_s for start_s, _ in model.shots_s]

    def section(self) -> str:
        """Return the timeline; empty when there is nothing to draw."""
        model = self._model
        if not model.people and not model.unknown_segments_s:
            return ""
        lanes = [self._lane(number, person) for number, person in enumerate(model.people)]
        lists = [tag("ul", "\n".join(lanes), class_="lanes")] if lanes else []
        if model.unknown_segments_s:
            lists.append(tag("ul", self._unknown_lane(), class_="lanes"))
        inner = tag("div", self._backdrop(), self._clock(), self._shots(), *lists, class_="inner")
        scroll = tag(
            "div",
            inner,
            class_="scroll",
            role="region",
            tabindex=0,
            aria_label="Timeline, scrolls sideways when zoomed",
            data_seconds=f"{model.duration_s:.3f}",
        )
        return tag(
            "section",
            tag("h2", "When they are on screen"),
            self._legend(),
            _ZOOM,
            scroll,
            id="timeline",
        )

    def _percent(self, at_s: float) -> float:
        length_s = self._model.duration_s
        place = (at_s - self._model.start_s) / length_s if length_s > 0 else 0.0
        return 100 * min(max(place, 0.0), 1.0)

    def _box(self, start_s: float, end_s: float) -> dict[str, str]:
        left, right = self._percent(start_s), self._percent(end_s)
        return {"x": f"{left:.6g}%", "width": f"{right - left:.6g}%"}

    def _lane(self, number: int, person: PersonRow) -> str:
        name = spoken(person.name)
        bars = []
        for segment, face in zip(person.segments, faces_of(person, self._pictures), strict=True):
            when = segment.start_s, segment.end_s
            lines = [
                name,
                f"{segment.source} {between(*when)}",
                f"timecode {self._moments.timecodes(*when)}",
                f"frames {self._moments.frames(segment)}",
                self._shots_of(when),
                *_tracks(segment),
                f"confidence {segment.confidence:.2f}",
            ]
            if face.at_s is not None:
                lines.append(f"picture from {text.clock(face.at_s)}")
            bars.append(self._bar(segment.source, when, lines, self._pictures.id_of(face.crop)))
        seconds = text.seconds(person.total_s)
        said = f"{name}: {text.plural(len(bars), 'stretch', 'stretches')}, {seconds}"
        label = _label(named(person.name), name, seconds)
        return tag("li", label, _svg(bars, said), class_="row", data_who=number)

    def _unknown_lane(self) -> str:
        bars = [
            self._bar(
                "face",
                when,
                (
                    _UNKNOWN,
                    f"face {between(*when)}",
                    f"timecode {self._moments.timecodes(*when)}",
                    self._shots_of(when),
                ),
                None,
                is_unknown=True,
            )
            for when in self._model.unknown_segments_s
        ]
        label = _label(escaped(_UNKNOWN), _UNKNOWN, text.seconds(self._model.unknown_s))
        return tag("li", label, _svg(bars, _UNKNOWN), class_="row unknown")

    def _bar(
        self,
        source: str,
        when: Interval,
        lines: Iterable[str],
        picture: str | None,
        *,
        is_unknown: bool = False,
    ) -> str:
        kind, top, height = _SHAPES.get(source, _SHAPES["face"])
        return tag(
            "rect",
            tag("title", escaped("\n".join(lines))),
            class_=f"seg {'u' if is_unknown else kind}",
            **self._box(*when),
            y=top,
            height=height,
            data_p=picture,
        )

    def _shots_of(self, when: Interval) -> str:
        first = max(0, bisect_right(self._shot_starts, when[0] + 5e-4) - 1)
        last = max(first, bisect_right(self._shot_starts, when[1] - 5e-4) - 1)
        return f"shot {first}" if first == last else f"shots {first}{TO}{last}"

    def _clock(self) -> str:
        start_s = self._model.start_s
        end_s = start_s + self._model.duration_s
        levels: dict[tuple[float, ...], list[str]] = {}
        for level in range(_LEVELS):
            marks = tuple(ticks(start_s, end_s, _FEWEST_MARKS * 2**level))
            levels.setdefault(marks, []).append(f"t{level}")
        groups = [
            tag("g", *(self._tick(at_s) for at_s in marks), class_=" ".join(("t", *classes)))
            for marks, classes in levels.items()
        ]
        svg = tag("svg", *groups, class_="clock", aria_hidden="true")
        return tag("div", tag("span", class_="label"), svg, class_="row top")

    def _tick(self, at_s: float) -> str:
        place = self._percent(at_s)
        x = f"{place:.6g}%"
        # What stands at an edge would be cut in half.
        edge = "first" if place < _EDGE else "last" if place > 100 - _EDGE else None
        mark = tag("line", x1=x, x2=x, y1=17, y2=22)
        return mark + tag("text", escaped(text.tick(at_s)), x=x, y=13, class_=edge)

    def _shots(self) -> str:
        shots = self._model.shots_s
        bands = "".join(
            f"M{self._place(start_s)} 0H{self._place(end_s)}V10H{self._place(start_s)}Z"
            for start_s, end_s in shots[1::2]
        )
        trims = [
            tag("rect", tag("title", escaped(_trim_words(t.name, t.start_s, t.end_s))),
                class_="trim", **self._box(t.start_s, t.end_s), height=10)
            for t in self._model.trims
        ]  # fmt: skip
        stretched = tag("svg", tag("path", d=bands), viewBox="0 0 100000 10", height=10,
                        width="100%", preserveAspectRatio="none")  # fmt: skip
        said = text.plural(len(shots), "shot")
        svg = tag("svg", tag("title", escaped(said)), stretched, *trims, class_="shots", role="img")
        return tag("div", _label(escaped(said), None, ""), svg, class_="row thin")

    def _backdrop(self) -> str:
        """Draw cuts and trims behind all lanes at once."""
        cuts = [start_s for start_s, _ in self._model.shots_s[1:]]
        level = 0
        while _NARROWEST_PX * 2**level < _MIN_CUT_PX * len(cuts) and level < _LEVELS:
            level += 1
        path = "".join(f"M{self._place(at_s)} 0V1" for at_s in cuts)
        drawn = tag("svg", tag("path", d=path), viewBox="0 0 100000 1", width="100%",
                    height="100%", preserveAspectRatio="none", class_=f"cuts c{level}")  # fmt: skip
        trims = [
            tag("rect", class_="trim", **self._box(t.start_s, t.end_s), height="100%")
            for t in self._model.trims
        ]
        return tag("svg", *trims, drawn, class_="backdrop", aria_hidden="true")

    def _place(self, at_s: float) -> int:
        return round(1000 * self._percent(at_s))

    def _legend(self) -> str:
        has_bodies = any(s.source == "body" for p in self._model.people for s in p.segments)
        parts = [_swatch("f", 0, 12, "face seen")] if self._model.people else []
        if has_bodies:
            parts.append(_swatch("b", 4, 8, "body seen, no face"))
        if self._model.unknown_segments_s:
            parts.append(_swatch("u", 0, 12, "face without an identity"))
        parts += [
            _swatch("trim", 0, 12, _trim_words(t.name, t.start_s, t.end_s))
            for t in self._model.trims
        ]
        return tag("p", *parts, class_="legend")


def _tracks(segment: Appearance) -> Iterable[str]:
    for what, ids in (("track", segment.track_ids), ("body-track", segment.body_track_ids)):
        if ids:
            more = ", ..." if len(ids) > _MOST_IDS else ""
            yield f"{what} {', '.join(map(str, ids[:_MOST_IDS]))}{more}"


def _swatch(kind: str, top: int, height: int, said: str) -> str:
    box = tag("rect", class_=kind, y=top, height=height, width=24)
    return tag("span", tag("svg", box, class_="swatch", aria_hidden="true"), escaped(said))


def _trim_words(name: str, start_s: float, end_s: float) -> str:
    return f"not counted: {spoken(name)}, {text.clock(start_s)}{TO}{text.clock(end_s)}"


def _label(name: str, title: str | None, note: str) -> str:
    small = tag("small", escaped(note)) if note else ""
    return tag("span", tag("span", name, title=title), small, class_="label")


def _svg(bars: Sequence[str], said: str) -> str:
    return tag("svg", "\n".join(bars), class_="lane", role="group", aria_label=said)


_ZOOM: Final = tag(
    "p",
    tag("button", "\N{MINUS SIGN}", type="button", id="zoom-out", aria_label="zoom out"),
    tag("button", "+", type="button", id="zoom-in", aria_label="zoom in"),
    tag("button", "whole episode", type="button", id="zoom-whole"),
    tag("span", "\N{MULTIPLICATION SIGN}1", id="zoomed", role="status", class_="soft"),
    tag(
        "span",
        "Point at a stretch, touch it, or move with the arrow keys; Enter keeps its card.",
        class_="soft",
    ),
    class_="only-js tools",
)
