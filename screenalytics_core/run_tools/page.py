"""One run as a page: a single HTML file that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from screenalytics_core.report import text
from screenalytics_core.report.html_markup import escaped, public, table, tag
from screenalytics_core.run_tools.page_invoice import invoice_section
from screenalytics_core.run_tools.page_style import style_sheet
from screenalytics_core.run_tools.show import changed_settings, short
from screenalytics_core.run_tools.timeline import draw_timeline
from screenalytics_core.run_tools.wording import took, when

_LEGEND: Final = (
    ("success", "computed"),
    ("checkpoint", "reused (checkpoint)"),
    ("inherited", "inherited"),
    ("running", "running"),
    ("failed", "failed"),
    ("canceled", "canceled"),
)
# Nothing may be loaded and nothing may run, whatever a label says.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def render_page(overview: Mapping[str, Any]) -> str:
    """Return the page of a run.

    Args:
        overview: What `show.run_overview` gives.
    """
    run = overview["run"]
    title = f"{run['ep_id']} / {run['run_id']}"
    sections = (
        _head(run, overview["attempts"]),
        _timeline(overview),
        _stages(overview["stages"]),
        _earlier_errors(overview),
        _people(overview["people"]),
        _lineage(overview),
        _artifacts(overview["artifacts"]),
        invoice_section(overview["invoice"]),
        tag("footer", f"Rendered {escaped(when(overview['generated_at']))} from the run's folder."),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title>\n<style>\n{style_sheet()}\n</style></head>\n"
        f"<body><main>\n{chr(10).join(s for s in sections if s)}\n</main></body></html>\n"
    )


def _head(run: Mapping[str, Any], attempts: Sequence[Mapping[str, Any]]) -> str:
    counted = sum(not a["is_refused"] for a in attempts)
    facts = [
        ("created", when(run["created_at"])),
        ("started", when(run["started_at"])),
        ("ended", when(run["ended_at"])),
        ("took" if counted < 2 else "last attempt took", took(run["duration_s"])),
        ("attempts", str(counted)),
        ("code", run["code_ref"]),
        ("settings", short(run["settings_hash"])),
        ("video file", run["source"]),
        ("parent run", run["parent_run_id"]),
        ("Dagster run", run["dagster_run_id"]),
        ("trace", run["trace_id"]),
        ("tags", ", ".join(run["tags"])),
    ]
    listed = [tag("div", tag("dt", k), tag("dd", public(v))) for k, v in facts if v]
    return "\n".join(
        (
            tag("div", escaped(run["ep_id"]), class_="over"),
            tag("div", tag("h1", escaped(run["run_id"])), _pill(run), class_="head"),
            _error(run["error"]),
            tag("dl", *listed, class_="facts"),
        )
    )


def _pill(thing: Mapping[str, Any]) -> str:
    if thing.get("is_process_gone"):
        return tag("span", "running, but its process is gone", class_="pill failed")
    word = str(thing["status"]).replace("_", " ")
    pill = tag("span", escaped(word), class_=f"pill {thing['status']}")
    return pill + (' <span class="soft">from files</span>' if thing.get("is_derived") else "")


def _error(error: Mapping[str, str] | None, title: str = "") -> str:
    if error is None:
        return ""
    head = tag("b", escaped(f"{title}{error['code']}"))
    return tag("div", head, tag("p", public(error["message"])), class_="error", role="alert")


def _timeline(overview: Mapping[str, Any]) -> str:
    drawn = draw_timeline(overview["attempts"], overview["generated_at"])
    if not drawn:
        return ""
    seen = {s["status"] for a in overview["attempts"] for s in a["stages"]}
    seen |= {s["source"] for a in overview["attempts"] for s in a["stages"]}
    legend = [tag("span", tag("i", class_=c), name) for c, name in _LEGEND if c in seen]
    return "\n".join((tag("h2", "Timeline"), drawn, tag("div", *legend, class_="legend")))


def _stages(stages: Sequence[Mapping[str, Any]]) -> str:
    heads = ("stage", "status", "source", ">attempt", ">took", ">rows in", ">rows out",
             ">frames", ">inferences", ">CPU", ">peak memory", "input")  # fmt: skip
    rows = [
        (
            escaped(s["stage"]),
            _pill(s),
            escaped(s["source"] or text.DASH),
            text.count(s["attempt"]),
            escaped(took(s["duration_s"])),
            *(text.count(s[k]) for k in ("rows_in", "rows_out", "frames", "inferences")),
            escaped(took(s["cpu_s"])),
            _size(s["peak_rss_bytes"]),
            _hash(s["input_fingerprint"]),
        )
        for s in stages
    ]
    notes = [(s["stage"], note) for s in stages for note in s["notes"]]
    notes += [(s["stage"], s["blocked_reason"]) for s in stages if s["blocked_reason"]]
    said = [
        tag("p", tag("b", escaped(stage)), " ", public(note), class_="soft")
        for stage, note in notes
    ]
    return "\n".join((tag("h2", "Stages"), table(heads, rows), *said))


def _earlier_errors(overview: Mapping[str, Any]) -> str:
    """Return what went wrong in attempts and stages, unless it already stands at the top."""
    shown = {_told(overview["run"]["error"])}
    boxes = []
    for attempt in overview["attempts"]:
        name = f"attempt {attempt['attempt']}" if attempt["attempt"] else "unclaimed launch"
        for where, thing in [(name, attempt), *((name, s) for s in attempt["stages"])]:
            error = thing["error"]
            if error is not None and _told(error) not in shown:
                shown.add(_told(error))
                stage = f", {thing['stage']}" if "stage" in thing else ""
                boxes.append(_error(error, f"{where}{stage} · "))
    return "\n".join((tag("h2", "Earlier errors"), *boxes)) if boxes else ""


def _told(error: Mapping[str, str] | None) -> tuple[str, str] | None:
    return (error["code"], error["message"]) if error else None


def _people(people: Sequence[Mapping[str, Any]]) -> str:
    if not people:
        return ""
    most_s = max(p["total_s"] for p in people) or 1.0
    heads = (
        "person",
        "",
        ">on screen",
        ">sure to possible",
        ">share",
        ">first",
        ">last",
        ">segments",
    )
    rows = [
        (
            escaped(p["name"]),
            tag("span", class_="share", style=f"width:{100 * p['total_s'] / most_s:.1f}%"),
            text.seconds(p["total_s"]),
            f"{text.bare_seconds(p['low_s'])} to {text.seconds(p['high_s'])}",
            text.percent(p["share"]),
            text.clock(p["first_s"]),
            text.clock(p["last_s"]),
            text.count(p["segments"]),
        )
        for p in people
    ]
    return "\n".join((tag("h2", "People"), table(heads, rows, class_="people")))


def _lineage(overview: Mapping[str, Any]) -> str:
    if overview["models"] is None or overview["settings"] is None:
        return ""
    video = [(escaped(f["name"]), tag("code", public(f["value"]))) for f in overview["video"]]
    models = [
        (
            escaped(m["role"]),
            public(m["name"]),
            public(m["licence"]),
            _hash(m["sha256"]),
        )
        for m in overview["models"]["files"]
    ]
    return "\n".join(
        (
            tag("h2", "Lineage"),
            table(("video", ""), video, class_="pairs"),
            tag("p", "Models: pack ", tag("b", public(overview["models"]["pack"]))),
            table(("does what", "file", "licence", "sha256"), models),
            _settings(overview),
        )
    )


def _settings(overview: Mapping[str, Any]) -> str:
    settings = overview["settings"]
    changed = changed_settings(overview)
    heads = ("setting", "value", f"profile {settings['profile']}")
    many = text.plural(len(changed), "setting differs", "settings differ")
    some = f"{many} from the profile {settings['profile']}."
    none = f"Every setting is that of the profile {settings['profile']}."
    return "\n".join(
        (
            tag("p", escaped(some if changed else none)),
            table(heads, map(_setting, changed)) if changed else "",
            tag(
                "details",
                tag("summary", f"All {len(settings['rows'])} settings"),
                table(heads, map(_setting, settings["rows"])),
            ),
        )
    )


def _setting(row: Mapping[str, Any]) -> tuple[str, str, str]:
    value = public(row["value"])
    shown = tag("b", value) if row["is_changed"] else value
    return escaped(row["name"]), shown, public(row["baseline"])


def _artifacts(artifacts: Sequence[Mapping[str, Any]]) -> str:
    if not artifacts:
        return ""
    heads = ("artifact", "file", ">rows", ">size", "sha256", "source")
    rows = [
        (
            escaped(a["kind"]),
            escaped(a["path"]) + (" (somebody was taken out)" if a["redacted"] else ""),
            text.count(a["rows"]),
            text.size(a["size_bytes"]),
            _hash(a["sha256"]),
            escaped(a["source"] + (f" from {a['from_run_id']}" if a["from_run_id"] else "")),
        )
        for a in artifacts
    ]
    return "\n".join((tag("h2", "Artifacts"), table(heads, rows)))


def _hash(sha256: str | None) -> str:
    return tag("code", escaped(short(sha256)), title=sha256) if sha256 else text.DASH


def _size(size_bytes: int | None) -> str:
    return text.DASH if size_bytes is None else text.size(size_bytes)
