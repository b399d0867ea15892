"""Style sheets and the script of pages, which ship as files beside this module."""

from __future__ import annotations

from importlib.resources import files


def resource(name: str) -> str:
    """Return the text of a file of this package, e.g. `html_base.css`."""
    return (files("screenalytics_core.report") / name).read_text("utf-8").strip()
