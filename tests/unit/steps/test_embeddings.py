"""The embeddings step: order, batches, lengths, and one vector per track."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from screenalytics_core.artifacts import TRACK_REPS, ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, ModelError
from screenalytics_core.steps.embeddings import STEP
from screenalytics_core.steps.faces import STEP as FACES_STEP
from screenalytics_core.vision.models.protocols import FloatArray, Image
from tests.face_fakes import (
    BLUE,
    GREEN,
    RED,
    ColourEmbedder,
    Face,
    FakePack,
    FakeVideo,
    detections_table,
    run_step,
    tracks_table,
)

LEFT, RIGHT = (40, 20, 100, 100), (200, 20, 260, 100)


def harvested(faces: Sequence[Face], members: Mapping[int, Sequence[int]]) -> Mapping[str, Any]:
    upstream = {
        ArtifactKind.DETECTIONS: {"detections": detections_table(faces)},
        ArtifactKind.TRACKS: {"tracks": tracks_table(faces, members)},
    }
    return run_step(FACES_STEP, upstream, video=FakeVideo(faces))[ArtifactKind.FACES]


def embed(
    made: Mapping[str, Any], embedder: Any = None, **settings: Any
) -> tuple[FloatArray, list[dict[str, Any]]]:
    pack = FakePack(embedder or ColourEmbedder())
    out = run_step(STEP, {ArtifactKind.FACES: made}, pack=pack, **settings)
    reps = out[ArtifactKind.TRACK_REPS]["track_reps"]
    assert TRACK_REPS.conform(reps).equals(reps)
    return out[ArtifactKind.FACES_EMBEDDINGS]["embeddings"], reps.to_pylist()


def two_people(count: int = 5) -> Mapping[str, Any]:
    faces = [f for i in range(0, 3 * count, 3) for f in (Face(i, LEFT), Face(i, RIGHT, GREEN))]
    return harvested(faces, {1: list(range(0, 2 * count, 2)), 2: list(range(1, 2 * count, 2))})


def test_row_n_is_the_face_with_embedding_row_n() -> None:
    made = two_people()

    vectors, _ = embed(made)

    assert vectors.shape == (10, 512)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    by_row = {r["embedding_row"]: r["track_id"] for r in made["faces"].to_pylist()}
    reddest = vectors[:, 2] > vectors[:, 1]
    assert reddest.tolist() == [by_row[row] == 1 for row in range(10)]


def test_the_embedding_row_counts_not_the_place_in_the_table() -> None:
    made = two_people()
    straight, reps = embed(made)

    shuffled, other_reps = embed({**made, "faces": made["faces"][::-1]})

    assert shuffled.tobytes() == straight.tobytes()
    assert other_reps == reps


def test_faces_go_to_the_embedder_in_batches() -> None:
    embedder = ColourEmbedder()

    embed(two_people(), embedder, embed_batch=4)

    *batches, of_references = embedder.batches
    assert sorted(batches) == [2, 4, 4]
    assert of_references == 10


class SlowFirst(ColourEmbedder):
    """The first batch is done after the second."""

    def __init__(self) -> None:
        super().__init__()
        self._second_done = threading.Event()

    def embed(self, crops_bgr: Image) -> FloatArray:
        is_first = not self.batches
        result = super().embed(crops_bgr)
        if is_first:
            assert self._second_done.wait(timeout=10)
        self._second_done.set()
        return result


def test_the_order_does_not_depend_on_which_thread_is_first() -> None:
    made = two_people(10)
    serial, reps = embed(made, embed_batch=2, workers=1)

    parallel, other_reps = embed(made, SlowFirst(), embed_batch=2, workers=3)

    assert parallel.tobytes() == serial.tobytes()
    assert reps == other_reps


def test_a_track_is_represented_by_its_best_face_and_all_that_agree() -> None:
    faces = [Face(0, contrast=0.3), Face(3), Face(6, contrast=0.3), Face(9, colour=BLUE)]
    made = harvested(faces, {7: [0, 1, 2, 3]})

    _, reps = embed(made)

    assert len(reps) == 1
    assert reps[0]["track_id"] == 7
    assert reps[0]["face_ids"] == [0, 1, 2]
    assert reps[0]["representative_face_id"] == 1
    assert reps[0]["embedding"][2] > 0.99
    assert 0 <= reps[0]["spread"] < 0.01


def test_a_track_tells_whom_its_faces_show_that_are_left_out() -> None:
    other = [Face(frame, colour=BLUE) for frame in (9, 12)]
    same = harvested([Face(0), Face(3), Face(6), *other], {7: [0, 1, 2, 3, 4]})
    alone = harvested([Face(0), Face(3), Face(6), other[0]], {7: [0, 1, 2, 3]})

    vectors, [rep] = embed(same)

    assert rep["face_ids"] == [0, 1, 2]
    assert rep["left_out_embedding"] == pytest.approx(vectors[3].tolist(), abs=1e-6)
    assert embed(alone)[1][0]["left_out_embedding"] is None


class DimOnGreen(ColourEmbedder):
    """Short vectors for green faces: the model saw little of them."""

    def embed(self, crops_bgr: Image) -> FloatArray:
        vectors = super().embed(crops_bgr)
        vectors[vectors[:, 1] > vectors[:, 2]] *= 0.1
        return vectors


def test_a_longer_vector_counts_more() -> None:
    faces = [Face(0, colour=RED), Face(3, colour=GREEN)]
    made = harvested(faces, {1: [0, 1]})

    _, equal = embed(made)
    _, unequal = embed(made, DimOnGreen())

    green_to_red = [r[0]["embedding"][1] / r[0]["embedding"][2] for r in (equal, unequal)]
    assert green_to_red[1] == pytest.approx(0.1 * green_to_red[0], rel=0.2)


class Biased(ColourEmbedder):
    """Adds one vector to all: what is left where there is nothing to see."""

    def embed(self, crops_bgr: Image) -> FloatArray:
        vectors = super().embed(crops_bgr)
        vectors[:, 100] += 30
        return vectors


def test_what_the_embedder_says_of_any_face_is_taken_off() -> None:
    """Two people whose vectors have most in common, namely nothing of their own."""
    made = two_people()
    plain, plain_reps = embed(made)

    vectors, reps = embed(made, Biased())

    np.testing.assert_allclose(vectors, plain, atol=1e-3)
    assert abs(float(np.dot(reps[0]["embedding"], reps[1]["embedding"]))) < 0.1
    assert [r["clarity"] for r in reps] == pytest.approx([r["clarity"] for r in plain_reps])


class Noisy(ColourEmbedder):
    """Gives faces without detail vectors of length `noise` at random."""

    noise = 20.0

    def embed(self, crops_bgr: Image) -> FloatArray:
        vectors = super().embed(crops_bgr)
        blank = np.linalg.norm(vectors, axis=1) < 1
        vectors[blank] += (
            np.eye(512, dtype=np.float32)[100 : 100 + len(vectors)][blank] * self.noise
        )
        return vectors


def test_a_track_is_as_clear_as_its_vector_is_longer_than_those_of_unknowable_faces() -> None:
    made = two_people()

    _, sure = embed(made)
    _, doubtful = embed(made, Noisy())

    assert min(r["clarity"] for r in sure) > 0.99
    # 20 of 20 references each in a direction of its own; the mean is taken off as well.
    assert all(0.65 < r["clarity"] < 0.78 for r in doubtful)


def test_a_dark_face_is_seen_as_by_daylight() -> None:
    """The brightest here is the wall behind, with 60."""
    seen: list[Image] = []

    class Watching(ColourEmbedder):
        def embed(self, crops_bgr: Image) -> FloatArray:
            seen.append(crops_bgr)
            return super().embed(crops_bgr)

    embed(harvested([Face(0, colour=(40, 40, 40), contrast=0.5)], {1: [0]}), Watching())

    assert seen[0][0][40:80, 40:72].max() == pytest.approx(40 * 128 / 60, abs=6)


def test_tracks_without_an_accepted_face_have_no_representative() -> None:
    made = harvested([Face(0), Face(0, (200, 20, 210, 36))], {1: [0], 2: [1]})

    vectors, reps = embed(made)

    assert len(vectors) == 1
    assert [r["track_id"] for r in reps] == [1]


def test_an_episode_without_faces_needs_no_model() -> None:
    out = run_step(STEP, {ArtifactKind.FACES: harvested([], {})})

    assert out[ArtifactKind.FACES_EMBEDDINGS]["embeddings"].shape == (0, 512)
    assert out[ArtifactKind.TRACK_REPS]["track_reps"].num_rows == 0


@pytest.mark.parametrize("length", [0.0, np.nan], ids=["zero", "nan"])
def test_a_vector_without_direction_is_an_error_that_names_the_model(length: float) -> None:
    with pytest.raises(ModelError, match=r"colours\.onnx.* for face 0\..*embed_device=cpu"):
        embed(two_people(), ColourEmbedder(length))


def test_an_error_of_the_model_comes_through() -> None:
    class Broken:
        def embed(self, crops_bgr: Image) -> FloatArray:
            raise ModelError(thing="model", reason="failed", way_out="")

    with pytest.raises(ModelError, match="failed"):
        embed(two_people(20), Broken(), embed_batch=1)


def test_a_missing_crop_is_named() -> None:
    made = dict(two_people())
    made["crops"] = harvested([], {})["crops"]

    with pytest.raises(ArtifactCorruptError, match=r"t000001_f00000000\.jpg"):
        embed(made)


def test_progress_reaches_the_number_of_faces() -> None:
    told: list[tuple[int, int]] = []
    made = two_people()
    out = run_step(
        STEP, {ArtifactKind.FACES: made}, pack=FakePack(), embed_batch=4,
        progress=lambda done, total, _: told.append((done, total)),
    )  # fmt: skip

    assert len(out) == 2
    assert told == [(4, 10), (8, 10), (10, 10)]
