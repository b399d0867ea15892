"""The report of 12 people and 2,000 tracks: seconds, and bytes of both files.

The fixed reference, measured in turns with it, is bare reportlab that only puts the PDF's
pictures on pages; the ratio says what laying out costs, whatever the machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.crops import read_jpegs
from screenalytics_core.steps.report import STEP, build
from tests.report_samples import sample_run

PEOPLE: Final = 12
SHOTS: Final = 1000
FACES_PER_TRACK: Final = 6
ROUNDS: Final = 5
LIMIT_S: Final = 3.0
LIMIT_PDF_BYTES: Final = 5_000_000
_PER_PAGE: Final = 150


def measure(people: int = PEOPLE, shots: int = SHOTS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Make the report `rounds` times; `cpu_s` and `wall_s` are medians.

    The values are in memory, as the step gets them from a shell that has read them.
    """
    step = sample_run(people, unknown=True, shots=shots, faces_per_track=FACES_PER_TRACK)
    given = step.step_input()
    model = build(given)
    shown = sorted({f.crop for p in model.people for f in p.sheet})
    with given.read(ArtifactKind.FACES, "crops") as archive:
        jpegs = list(read_jpegs(archive, shown))
    made: dict[str, bytes] = {}
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(_seconds(lambda: made.update(STEP.run(given)[ArtifactKind.REPORT])))
        bare.append(_seconds(lambda: _bare_pages(jpegs)))
    cpu_s, wall_s = (statistics.median(s) for s in zip(*ours, strict=True))
    bare_s = statistics.median(cpu for cpu, _ in bare)
    return {
        "people": people,
        "tracks": given.read(ArtifactKind.TRACKS).num_rows,
        "cpu_s": round(cpu_s, 3),
        "wall_s": round(wall_s, 3),
        "bare_cpu_s": round(bare_s, 4),
        "ratio": round(cpu_s / bare_s, 1),
        "pdf_bytes": len(made["pdf"]),
        "html_bytes": len(made["html"]),
        "limit_s": LIMIT_S,
        "limit_pdf_bytes": LIMIT_PDF_BYTES,
    }


def report(results: dict[str, Any]) -> list[str]:
    """Return the results as lines for people."""
    holds = (
        results["cpu_s"] <= results["limit_s"] and results["pdf_bytes"] < results["limit_pdf_bytes"]
    )
    return [
        f"report: {results['people']} people, {results['tracks']:,} tracks: "
        f"{results['cpu_s']:.2f} s CPU, {results['wall_s']:.2f} s wall, "
        f"{results['ratio']:.1f} times bare pages with the same faces; "
        f"PDF {results['pdf_bytes'] / 1e6:.2f} MB, HTML {results['html_bytes'] / 1e6:.2f} MB   "
        f"{'holds' if holds else 'MISSED'} "
        f"(at most {results['limit_s']:g} s, PDF under {results['limit_pdf_bytes'] / 1e6:g} MB)"
    ]


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds of `work`."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def _bare_pages(jpegs: list[bytes]) -> bytes:
    out = BytesIO()
    canvas = Canvas(out, invariant=1)
    for place, jpeg in enumerate(jpegs):
        if place and place % _PER_PAGE == 0:
            canvas.showPage()
        row, column = divmod(place % _PER_PAGE, 10)
        canvas.drawImage(ImageReader(BytesIO(jpeg)), 50 + 50 * column, 50 + 50 * row, 45, 45)
    canvas.save()
    return out.getvalue()


if __name__ == "__main__":
    print("\n".join(report(measure())))
