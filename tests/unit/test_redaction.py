"""What is left of tracks whose person was taken out."""

from __future__ import annotations

from screenalytics_core.artifacts import EMBEDDING_DIM, TRACK_REPS
from screenalytics_core.redaction import without_representatives


def test_no_vector_of_a_track_that_was_taken_out_is_left() -> None:
    direction = [1.0] + [0.0] * (EMBEDDING_DIM - 1)
    reps = TRACK_REPS.from_rows(
        [
            {"track_id": n, "representative_face_id": n, "face_ids": [n], "embedding": direction,
             "spread": 0.1, "clarity": 0.9, "left_out_embedding": direction}
            for n in (1, 2)
        ]
    )  # fmt: skip

    gone, kept = without_representatives(reps, {1}).to_pylist()

    assert kept == {**reps.to_pylist()[1], "left_out_embedding": None}, "it may show the other"
    assert not any(gone["embedding"])
    assert (gone["left_out_embedding"], gone["clarity"]) == (None, 0.0)
    TRACK_REPS.conform(without_representatives(reps, {1}))
