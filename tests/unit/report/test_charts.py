"""Pictures for the Dagster UI: right size, same bytes, and bars where people are."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.report import style
from screenalytics_core.report.charts import contact_sheet_jpeg, timeline_png
from tests.report_samples import sample_run

INK = np.array([int(style.ACCENT_HEX[i : i + 2], 16) for i in (5, 3, 1)])


def pixels(png: bytes) -> Any:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def person(start_s: float, end_s: float, source: str = "face") -> dict[str, Any]:
    return {
        "identity_id": "id_0001", "label": None, "total_s": end_s - start_s, "first_s": start_s,
        "segments": [{"start_s": start_s, "end_s": end_s, "source": source}],
    }  # fmt: skip


def test_a_bar_stands_where_the_person_is() -> None:
    image = pixels(timeline_png({"duration_s": 100.0, "people": [person(50.0, 75.0)]}))

    columns = np.flatnonzero((np.abs(image.astype(int) - INK).sum(2) < 8).any(0))
    left, right = 0.21 * image.shape[1], 0.91 * image.shape[1]
    assert columns.min() == pytest.approx(left + 0.50 * (right - left), abs=2)
    assert columns.max() == pytest.approx(left + 0.75 * (right - left), abs=2)


def test_a_hebrew_name_begins_at_the_right() -> None:
    def names(label: str) -> Any:
        row = {**person(50.0, 75.0), "label": label}
        image = pixels(timeline_png({"duration_s": 100.0, "people": [row]}))
        return image[:45, : round(0.21 * image.shape[1]) - 12]

    first, both = names("א"), names("אב")

    assert (first[:, -8:] < 128).any()
    assert (first[:, -8:] == both[:, -8:]).all()
    assert (both[:, -17:-10] < 128).sum() > (first[:, -17:-10] < 128).sum()


def test_time_without_a_face_is_lighter() -> None:
    image = pixels(timeline_png({"duration_s": 100.0, "people": [person(50.0, 75.0, "body")]}))

    assert not (np.abs(image.astype(int) - INK).sum(2) < 8).any()


def test_cuts_are_drawn_unless_there_are_too_many() -> None:
    document = {"duration_s": 100.0, "people": [person(0.0, 1.0)]}

    def with_shots(n: int) -> bytes:
        shots = [{"start_s": 100.0 * i / n} for i in range(n)]
        return timeline_png(document, {"start_s": 0.0, "shots": shots})

    assert with_shots(5) != timeline_png(document)
    assert with_shots(500) == timeline_png(document)


@pytest.mark.parametrize("people", [0, 1, 6, 40])
def test_pictures_of_any_number_of_people_are_the_same_twice(people: int) -> None:
    def draw() -> tuple[bytes, bytes]:
        values = sample_run(people).values
        faces = values[ArtifactKind.FACES]
        return (
            timeline_png(
                values[ArtifactKind.SCREEN_TIME]["screen_time"],
                values[ArtifactKind.SHOTS]["shots"],
            ),
            contact_sheet_jpeg(
                values[ArtifactKind.IDENTITIES]["identities"], faces["faces"], faces["crops"]
            ),
        )

    timeline, sheet = draw()

    assert draw() == (timeline, sheet)
    assert pixels(timeline).shape[1] == 990
    assert pixels(sheet).shape[1] <= 990


def test_an_identity_without_a_picture_gets_an_empty_frame() -> None:
    faces = sample_run(1).values[ArtifactKind.FACES]
    identities = {
        "identities": [
            {"identity_id": i, "label": None, "track_ids": [1], "representative_face_id": face}
            for i, face in (("id_0001", 0), ("id_0002", 99))
        ]
    }

    sheet = pixels(contact_sheet_jpeg(identities, faces["faces"], faces["crops"]))

    left, right = sheet[:100, :110], sheet[:100, 130:220]
    assert left.std() > 3 * right.std()


def test_bodies_and_trims_are_explained_below_the_axis() -> None:
    document = {"duration_s": 100.0, "people": [person(50.0, 75.0)]}
    plain = pixels(timeline_png(document))
    trim = {"name": "recap", "start_s": 0.0, "end_s": 30.0}

    explained = pixels(timeline_png({**document, "has_bodies": True, "trims": [trim]}))

    assert explained.shape[0] > plain.shape[0]
    column = round((0.21 + 0.15 * 0.70) * plain.shape[1])
    assert (plain[15, column] == 255).all()
    assert not (explained[15, column] == 255).all()


@pytest.mark.parametrize("people", [40, 300])
def test_pictures_stay_small_enough_to_be_kept_in_an_event(people: int) -> None:
    values = sample_run(people).values
    faces = values[ArtifactKind.FACES]
    timeline = timeline_png(
        values[ArtifactKind.SCREEN_TIME]["screen_time"], values[ArtifactKind.SHOTS]["shots"]
    )
    sheet = contact_sheet_jpeg(
        values[ArtifactKind.IDENTITIES]["identities"], faces["faces"], faces["crops"]
    )

    # As base64 they take a third more, and should stay below 300 KB.
    assert len(timeline) < 220_000
    assert len(sheet) < 220_000
