"""How the gallery divides an identity in which several people are seen: tables over vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from screenalytics_core.gallery.model import Gallery
from screenalytics_core.gallery.parting import Limits, TrackLooks, parted
from screenalytics_core.vision.models.protocols import FloatArray
from tests.gallery_fakes import gallery, member, vector

A, A1, A2 = "id_0001", "id_0001.1", "id_0001.2"
ANNA, BEN = vector(1, 0, 0, 0), vector(0, 1, 0, 0)
CAST = gallery(member("anna", ANNA), member("ben", BEN))
LIMITS = Limits(match_thresh=0.5, match_margin=0.1, cluster_thresh=0.3)
SURE, SURE_BEN = vector(0.9), vector(0, 0.9)
# Of nobody in the cast, and not alike among themselves.
EXTRA, OTHER_EXTRA = vector(0.3, 0, 0.9), vector(0.3, 0, 0, 0.9)
# Not like her pictures, but like her sure track here.
NEW_LOOK = vector(0.4, 0, 0, 0, 0.3)


def divided(
    *tracks: FloatArray,
    cast: Gallery = CAST,
    clarities: Sequence[float] | None = None,
) -> dict[str, tuple[int, ...]]:
    """Divide one identity of these tracks, numbered from 1."""
    looks = TrackLooks(
        np.arange(1, len(tracks) + 1),
        np.array(tracks, np.float32).reshape(-1, 512),
        np.array(clarities or [1.0] * len(tracks), np.float32),
    )
    found = parted({A: looks.track_ids.tolist()}, looks, cast.members, LIMITS)
    return {name: own for name, own in found.items() if own or name != A}


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        pytest.param([SURE, SURE], {A: (1, 2)}, id="one member"),
        pytest.param([SURE, SURE_BEN, SURE], {A: (1, 3), A1: (2,)}, id="two members"),
        pytest.param(
            [SURE_BEN, SURE, SURE_BEN, vector(0.2, 0.45)],
            {A: (1, 3, 4), A1: (2,)},
            id="the rest goes where it is most alike",
        ),
        pytest.param(
            [SURE, SURE, SURE_BEN, vector(0.2, 0.45)],
            {A: (1, 2), A1: (3, 4)},
            id="the rest may leave with another member",
        ),
        pytest.param([SURE, EXTRA], {A: (1,), A1: (2,)}, id="an extra"),
        pytest.param(
            [SURE, EXTRA, OTHER_EXTRA, EXTRA], {A: (1,), A1: (2, 4), A2: (3,)}, id="two extras"
        ),
        pytest.param(
            [SURE, SURE_BEN, EXTRA], {A: (1,), A1: (2,), A2: (3,)}, id="a member, then an extra"
        ),
        pytest.param([ANNA, vector(0.48, 0, 0.877)], {A: (1, 2)}, id="just alike enough"),
        pytest.param(
            [ANNA, vector(0.47, 0, 0.883)], {A: (1,), A1: (2,)}, id="just not alike enough"
        ),
        pytest.param(
            [vector(0.6, 0, 0.8), vector(0.49, 0, -0.872)],
            {A: (1, 2)},
            id="like her pictures alone",
        ),
        pytest.param([vector(0.6, 0.55), EXTRA], {A: (1, 2)}, id="too thin a lead to be sure"),
        pytest.param([vector(0.9, 0, 0, 0, 0.4), NEW_LOOK], {A: (1, 2)}, id="like the sure track"),
        pytest.param([EXTRA, OTHER_EXTRA], {A: (1, 2)}, id="nobody is surely seen"),
        pytest.param([EXTRA], {A: (1,)}, id="a single track"),
        pytest.param([], {}, id="no track with a face"),
    ],
)
def test_an_identity_keeps_what_holds_to_its_sure_tracks(
    tracks: list[FloatArray], expected: dict[str, tuple[int, ...]]
) -> None:
    assert divided(*tracks) == expected


def test_two_who_look_alike_are_not_told_apart() -> None:
    """Each is sure by some view; were they divided, one person would become two."""
    twins = gallery(member("kim", vector(0.9, 0.3)), member("kyle", vector(0.9, -0.3)))

    assert divided(vector(0.8, 0.5), vector(0.8, -0.5), cast=twins) == {A: (1, 2)}


def test_a_blurred_track_may_be_anybodys_and_stays() -> None:
    assert divided(SURE, EXTRA, clarities=[1.0, 0.6]) == {A: (1, 2)}


def test_without_a_face_in_the_gallery_nothing_is_divided() -> None:
    assert divided(SURE, EXTRA, cast=gallery(member("anna"))) == {A: (1, 2)}


def test_every_track_is_still_somewhere_and_only_once() -> None:
    random = np.random.default_rng(0)
    tracks = [vector(*random.uniform(-0.5, 0.7, 4)) for _ in range(60)]

    found = divided(*tracks)

    assert sorted(t for own in found.values() for t in own) == list(range(1, 61))
    assert len(found) > 3
