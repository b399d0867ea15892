"""How it was measured: quality, bodies, counts, video, models, settings, files."""

from __future__ import annotations

from typing import Any

from screenalytics_core.report import text, wording
from screenalytics_core.report.html_markup import escaped, public, table, tag
from screenalytics_core.report.model import ReportModel
from screenalytics_core.vision.quality_counters import QualityCounter


def quality_section(model: ReportModel) -> str:
    """Return the counters against their limits, each crossed one with advice."""
    title = tag("h2", "Quality")
    if not model.counters:
        return tag("section", title, tag("p", "Nothing was measured.", class_="empty"))
    crossed = sum(c.is_warning for c in model.counters)
    verb = "is" if crossed == 1 else "are"
    said = f"{crossed} of {len(model.counters)} limits {verb} crossed." if crossed else (
        "Every figure lies within its limits."
    )  # fmt: skip
    rows = "\n".join(_counter(c) for c in model.counters)
    heads = [
        tag("th", h.lstrip(">"), scope="col", class_="num" if h.startswith(">") else None)
        for h in ("figure", ">value", ">expected", "verdict")
    ]
    counters = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", rows), class_="counters")
    return tag(
        "section",
        title,
        tag("p", escaped(said)),
        tag("div", counters, class_="wide"),
        _counts(model),
        id="quality",
    )


def _counter(counter: QualityCounter) -> str:
    verdict = "within its limits"
    if counter.value is None:
        verdict = "nothing to measure"
    elif counter.is_warning:
        verdict = tag("b", "⚠ outside its limits") + (
            tag("small", escaped(counter.advice)) if counter.advice else ""
        )
    return tag(
        "tr",
        tag("th", escaped(counter.title), scope="row"),
        tag("td", escaped(text.number(counter.value)), class_="num"),
        tag("td", escaped(wording.expected(counter)), class_="num"),
        tag("td", verdict),
        class_="warn" if counter.is_warning else None,
    )


def _counts(model: ReportModel) -> str:
    rows = [(escaped(what), text.count(n)) for what, n in model.counts]
    listed = table(("counted", ">number"), rows, class_="pairs")
    return tag("details", tag("summary", "Everything that was counted"), listed)


def bodies_section(model: ReportModel) -> str:
    """Return what ties bodies to people; empty where none were looked for."""
    bodies = model.bodies
    if not bodies.has_bodies:
        return ""
    said = (
        f"{bodies.detector or 'A person detector'} looked for bodies and found "
        f"{text.plural(bodies.track_count, 'body track')}."
    )
    if bodies.appearance is not None:
        by = wording.appearance(bodies.appearance)
        said += f" A body alike by {by} stands for a hidden face for up to {bodies.bridge_s:g} s."
    rows = [
        (
            escaped(wording.evidence(e.evidence)),
            text.count(e.associations),
            escaped(text.seconds(e.total_s)),
            text.number(e.mean_confidence),
        )
        for e in bodies.evidence
    ]
    heads = ("tied to a person by", ">body tracks", ">length", ">mean confidence")
    listed = table(heads, rows, class_="pairs") if rows else ""
    return tag("section", tag("h2", "Bodies"), tag("p", public(said)), listed, id="bodies")


def lineage_section(model: ReportModel) -> str:
    """Return video, models and settings."""
    lineage = model.lineage
    facts = [("episode", model.ep_id), ("run", model.run_id)]
    facts += [(f"video {name}", value) for name, value in lineage.video]
    facts += [("code", lineage.code_ref)] if lineage.code_ref else []
    inputs = [(escaped(k), _value(k, v)) for k, v in facts]
    if lineage.settings_hash:
        inputs.append(("settings hash", _hash(lineage.settings_hash)))
    return tag(
        "section",
        tag("h2", "Where the numbers come from"),
        table(("input", ""), inputs, class_="pairs"),
        _models(model),
        _settings(model),
        id="lineage",
    )


def _value(name: str, value: str) -> str:
    return _hash(value) if name.endswith("sha256") else public(value)


def _models(model: ReportModel) -> str:
    title = tag("h3", "Models")
    if not model.lineage.models:
        return title + tag("p", wording.NO_MODELS, class_="empty")
    rows = [
        (
            escaped(m.role),
            public(m.name) + (tag("small", public(m.source)) if m.source else ""),
            public(m.licence),
            _hash(m.sha256),
        )
        for m in model.lineage.models
    ]
    pack = tag("p", "The pack that ran is ", tag("b", public(model.lineage.pack)), ".")
    return title + pack + table(("does what", "file", "licence", "sha256"), rows, class_="models")


def _settings(model: ReportModel) -> str:
    rows = model.lineage.settings_changed_first
    changed = [r for r in rows if r.is_changed]
    profile = model.lineage.profile
    heads = ("setting", "value", f"profile {profile}")

    def cells(row: Any) -> tuple[str, str, str]:
        value = public(row.value)
        shown = tag("b", value) if row.is_changed else value
        return escaped(row.name), shown, public(row.baseline)

    many = text.plural(len(changed), "setting differs", "settings differ")
    some = f"{many} from the profile {profile}."
    none = f"Every setting is that of the profile {profile}."
    parts = [tag("h3", "Settings"), tag("p", escaped(some if changed else none))]
    if changed:
        parts.append(table(heads, map(cells, changed), class_="settings"))
    if rows:
        whole = table(heads, map(cells, rows), class_="settings")
        parts.append(tag("details", tag("summary", f"All {len(rows)} settings"), whole))
    return "".join(parts)


def files_section(model: ReportModel) -> str:
    """Return the files that the report rests on, with their hashes."""
    if not model.lineage.files:
        return ""
    rows = [
        (
            escaped(f.kind),
            public(f.path),
            text.count(f.rows),
            text.size(f.size_bytes),
            _hash(f.sha256),
        )
        for f in model.lineage.files
    ]
    heads = ("artifact", "file", ">rows", ">size", "sha256")
    listed = table(heads, rows, class_="files")
    return tag("section", tag("h2", "Files that this page rests on"), listed, id="files")


def _hash(sha256: str) -> str:
    return tag("code", escaped(sha256), class_="hash")
