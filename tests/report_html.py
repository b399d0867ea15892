"""Models and pages of the HTML report, for its tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from screenalytics_core.artifacts import ArtifactKind as Kind
from screenalytics_core.report.html import render_html
from screenalytics_core.report.model import Appearance, ReportModel
from screenalytics_core.steps.report import build
from tests.pages import Page
from tests.report_samples import sample_run

FRAMES = np.arange(75872) * 1001 / 30000


def model_of(people: int, **sample: Any) -> ReportModel:
    """A report of `people` people at 29.97 frames/s; see `sample_run`."""
    run = sample_run(people, **sample)
    run.values[Kind.SHOTS]["frame_times"] = FRAMES
    return build(run.step_input())


def jpeg(shade: int) -> bytes:
    """A face's picture; another one for every shade."""
    _, encoded = cv2.imencode(".jpg", np.full((112, 112, 3), shade % 256, np.uint8))
    return encoded.tobytes()


def pictures_of(model: ReportModel) -> dict[str, bytes]:
    return {name: jpeg(place) for place, name in enumerate(model.crops)}


def source_of(model: ReportModel, pictures: Mapping[str, bytes] | None = None) -> str:
    return render_html(model, pictures_of(model) if pictures is None else pictures).decode()


def page_of(model: ReportModel, pictures: Mapping[str, bytes] | None = None) -> Page:
    return Page(source_of(model, pictures))


def seen(start_s: float, end_s: float, crop: str | None = None, **more: Any) -> Appearance:
    """A stretch of a person, with the face `crop`."""
    values: dict[str, Any] = {
        "first_frame_idx": 0, "last_frame_idx": 1, "source": "face", "track_ids": (1,),
        "body_track_ids": (), "confidence": 0.9, **more,
    }  # fmt: skip
    return Appearance(start_s, end_s, crop=crop, **values)
