"""What a gallery keeps, what it refuses, and that what is taken out is gone."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from screenalytics_core.errors import (
    ArtifactCorruptError,
    GalleryError,
    InvalidIdError,
    ModelError,
)
from screenalytics_core.gallery.prototypes import MAX_PROTOTYPES, Offer, Origin, PrototypeDraft
from screenalytics_core.gallery.vectors import CropVectors
from screenalytics_core.gallery_store import GalleryStore
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.vision.models.protocols import Calibration, FloatArray, Image, PackInfo
from tests.face_fakes import BLUE, GREEN, RED, FakePack
from tests.gallery_fakes import AT, BY, draft

PACK = FakePack()


class Randomly:
    """An embedder to which every crop is another direction, the same one each time."""

    def embed(self, crops_bgr: Image) -> FloatArray:
        vectors = [
            np.random.default_rng(int(c.astype(np.uint64).sum())).normal(size=512)
            for c in crops_bgr
        ]
        return np.array(vectors, np.float32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(root: Path) -> GalleryStore:
    return GalleryStore(LocalStorage(root))


def enrol(
    store: GalleryStore,
    cast_id: str,
    *drafts: PrototypeDraft,
    label: str | None = None,
    pack: FakePack = PACK,
) -> tuple[Offer, ...]:
    return store.enrol("rhobh", cast_id, label or cast_id.title(), drafts, pack, by=BY, at=AT)


def files(root: Path) -> list[str]:
    found = (p.relative_to(root / "facebank").as_posix() for p in root.rglob("*") if p.is_file())
    return sorted(name for name in found if "/." not in f"/{name}")


def content(root: Path) -> dict[str, bytes]:
    return {name: (root / "facebank" / name).read_bytes() for name in files(root)}


def test_a_show_without_a_gallery_has_none(store: GalleryStore) -> None:
    assert store.load("rhobh", PACK) is None
    assert store.members("rhobh") == ()
    assert store.find("rhobh", "anna") is None


def test_enrolled_faces_are_loaded_as_vectors_that_tell_people_apart(store: GalleryStore) -> None:
    enrol(store, "anna", draft(RED), draft(RED, 1))
    enrol(store, "ben", draft(GREEN))

    gallery = store.load("RHOBH", PACK)

    assert gallery is not None
    anna, ben = gallery.members
    assert (anna.cast_id, anna.label, anna.embeddings.shape) == ("anna", "Anna", (2, 512))
    assert np.linalg.norm(anna.embeddings, axis=1) == pytest.approx([1, 1])
    assert ((anna.clarities > 0) & (anna.clarities <= 1)).all()
    assert anna.embeddings[0] @ anna.embeddings[1] > 0.9 > anna.embeddings[0] @ ben.embeddings[0]


def test_each_offer_is_answered_in_its_order(store: GalleryStore) -> None:
    enrol(store, "anna", draft(RED))

    offers = enrol(store, "anna", draft(GREEN), draft(RED), draft(BLUE), draft(GREEN))

    assert [(o.is_new, o.reason) for o in offers] == [
        (True, None), (False, "is there already"), (True, None), (False, "is there already"),
    ]  # fmt: skip
    assert all(o.prototype_id for o in offers)


def test_enrolling_twice_changes_no_byte(store: GalleryStore, root: Path) -> None:
    drafts = [draft(RED, n, origin=Origin.EPISODE) for n in range(6)]
    enrol(store, "anna", *drafts)
    before = content(root)

    offers = enrol(store, "anna", *drafts)

    assert not any(o.is_new for o in offers)
    assert content(root) == before


def test_a_picture_is_known_again_though_it_was_cut_otherwise(store: GalleryStore) -> None:
    enrol(store, "anna", draft(RED, source_sha256="5" * 64))

    (offer,) = enrol(store, "anna", draft(RED, 3, source_sha256="5" * 64))

    assert offer.reason == "is there already"
    assert offer.prototype_id == store.members("rhobh")[0].prototypes[0].prototype_id


def test_an_episodes_face_that_shows_nothing_new_is_left_out(store: GalleryStore) -> None:
    enrol(store, "anna", draft(RED))

    offers = enrol(
        store, "anna",
        draft(RED, 1, origin=Origin.EPISODE), draft(GREEN, origin=Origin.EPISODE),
    )  # fmt: skip

    assert [o.reason for o in offers] == ["looks like one that is there", None]


def test_twelve_episodes_leave_thirty_faces_and_the_pictures_among_them(
    store: GalleryStore, root: Path
) -> None:
    pack = FakePack(Randomly())
    given = [draft(RED, 900 + n) for n in range(5)]
    enrol(store, "anna", *given, pack=pack)
    for episode in range(12):
        seeds = range(10 * episode, 10 * episode + 10)
        faces = [draft(GREEN, n, origin=Origin.EPISODE, quality=n / 200) for n in seeds]
        enrol(store, "anna", *faces, pack=pack)
    before = content(root)

    offers = enrol(store, "anna", *faces, pack=pack)

    (anna,) = store.members("rhobh")
    assert len(anna.prototypes) == MAX_PROTOTYPES
    assert sum(p.origin is Origin.IMAGE for p in anna.prototypes) == len(given)
    assert len([name for name in files(root) if name.endswith(".png")]) == MAX_PROTOTYPES
    assert content(root) == before
    assert {o.reason for o in offers} <= {"is there already", "30 others show more"}


def test_vectors_of_another_embedder_are_made_when_it_asks(store: GalleryStore, root: Path) -> None:
    enrol(store, "anna", draft(RED))
    file = PACK.info.files[0]
    other = FakePack(Randomly(), replace(PACK.info, files=(replace(file, sha256="1" * 64),)))

    first, again = store.load("rhobh", other), store.load("rhobh", other)

    assert first is not None
    assert again is not None
    assert first.embedder_sha256 == "1" * 64
    assert first.sha256 == again.sha256
    assert {f"rhobh/anna/vectors/{16 * d}.npz" for d in "01"} <= set(files(root))


def test_kept_vectors_need_no_model(store: GalleryStore) -> None:
    enrol(store, "anna", draft(RED))

    class Closed(FakePack):
        def face_embedder(self) -> None:
            raise AssertionError("the model was opened")

    assert store.load("rhobh", Closed()) is not None


def test_damaged_vectors_are_made_again(store: GalleryStore, root: Path) -> None:
    enrol(store, "anna", draft(RED))
    before = content(root)
    path = root / "facebank/rhobh/anna/vectors" / f"{'0' * 16}.npz"
    nowhere = CropVectors.from_npz(path.read_bytes())
    assert nowhere is not None
    nowhere.own[0, 0] = np.nan
    for damage in (b"", b"no zip", path.read_bytes()[:-200], bytes(300), nowhere.to_npz()):
        path.write_bytes(damage)

        assert store.load("rhobh", PACK) is not None
        assert content(root) == before


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="half"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"cast_id": "anna"}', id="fields missing"),
    ],
)
def test_a_damaged_member_is_one_error_that_names_the_file(
    store: GalleryStore, root: Path, damage: bytes
) -> None:
    enrol(store, "anna", draft(RED))
    enrol(store, "ben", draft(GREEN))
    path = root / "facebank/rhobh/anna/member.json"
    path.write_bytes(damage)

    for ask in (store.members, lambda show: store.load(show, PACK)):
        with pytest.raises(ArtifactCorruptError, match=r"anna/member\.json: is no cast member"):
            ask("rhobh")
    with pytest.raises(ArtifactCorruptError):
        enrol(store, "anna", draft(BLUE))

    assert path.read_bytes() == damage
    assert store.forget_member("rhobh", "anna") > 0
    assert [m.cast_id for m in store.members("rhobh")] == ["ben"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prototype_id", "../../x"), ("prototype_id", "p-1"), ("sha256", "x"),
        ("quality", float("nan")), ("origin", "dream"),
    ],
)  # fmt: skip
def test_a_prototype_that_is_none_is_damage(
    store: GalleryStore, root: Path, field: str, value: object
) -> None:
    enrol(store, "anna", draft(RED))
    path = root / "facebank/rhobh/anna/member.json"
    record = json.loads(path.read_text())
    record["prototypes"][0][field] = value
    path.write_text(json.dumps(record))

    with pytest.raises(ArtifactCorruptError):
        store.members("rhobh")


@pytest.mark.parametrize("damage", [None, b"", b"other bytes"])
def test_a_damaged_crop_is_named_when_it_is_needed(
    store: GalleryStore, root: Path, damage: bytes | None
) -> None:
    enrol(store, "anna", draft(RED))
    (crop,) = (root / "facebank/rhobh/anna/crops").glob("*.png")
    crop.unlink() if damage is None else crop.write_bytes(damage)
    for vectors in (root / "facebank/rhobh/anna/vectors").iterdir():
        vectors.unlink()

    with pytest.raises(ArtifactCorruptError, match=crop.name):
        store.load("rhobh", PACK)


def test_a_face_that_is_taken_out_leaves_neither_crop_nor_vector(
    store: GalleryStore, root: Path
) -> None:
    offers = enrol(store, "anna", draft(RED), draft(GREEN))
    gone = str(offers[0].prototype_id)

    left = store.remove_prototype("rhobh", "anna", gone)

    assert [p.prototype_id for p in left.prototypes] == [offers[1].prototype_id]
    assert not any(gone in name for name in files(root))
    assert gone not in (root / "facebank/rhobh/anna/member.json").read_text()
    (vectors,) = (root / "facebank/rhobh/anna/vectors").glob("*.npz")
    with np.load(vectors) as kept:
        assert kept["names"].tolist() == [offers[1].prototype_id]
        assert kept["own"].shape == kept["blank"].shape == (1, 512)
    gallery = store.load("rhobh", PACK)
    assert gallery is not None
    assert gallery.members[0].prototype_ids == (offers[1].prototype_id,)


def test_a_member_who_is_forgotten_leaves_no_file(store: GalleryStore, root: Path) -> None:
    enrol(store, "anna", draft(RED))
    enrol(store, "ben", draft(GREEN))

    assert store.forget_member("rhobh", "anna") == 3

    assert not any("anna" in name for name in files(root))
    assert [m.cast_id for m in store.members("rhobh")] == ["ben"]


def test_a_folder_that_cannot_be_a_member_keeps_nobody_from_being_read(
    store: GalleryStore, root: Path
) -> None:
    enrol(store, "anna", draft(RED))
    (root / "facebank" / "rhobh" / "New Folder").mkdir()

    assert [member.cast_id for member in store.members("rhobh")] == ["anna"]


def test_what_was_half_removed_or_half_added_is_nobody(store: GalleryStore, root: Path) -> None:
    enrol(store, "anna", draft(RED))
    (root / "facebank/rhobh/anna/member.json").unlink()

    assert store.members("rhobh") == ()
    assert store.load("rhobh", PACK) is None

    enrol(store, "anna", draft(GREEN))
    assert len([name for name in files(root) if name.endswith(".png")]) == 1


@pytest.mark.parametrize("ask", ["forget_member", "remove_prototype"])
def test_who_is_not_there_is_named(store: GalleryStore, ask: str) -> None:
    more: Sequence[str] = () if ask == "forget_member" else ("p-0",)

    with pytest.raises(GalleryError, match=r"rhobh/zoe\S*: does not exist"):
        getattr(store, ask)("rhobh", "zoe", *more)


def test_one_cast_id_is_not_two_people(store: GalleryStore) -> None:
    store.add_member("rhobh", "anna", "Anna", by=BY, at=AT)

    with pytest.raises(GalleryError, match="is 'Anna', not 'ANNA'"):
        enrol(store, "anna", draft(RED), label="ANNA")

    assert store.add_member("rhobh", "anna", "Anna", by="other", at="later").by == BY


@pytest.mark.parametrize("show", ["", "..", "a/b", "-x", "a b", "x" * 65, "a.b", "ä"])
def test_a_show_that_no_episode_can_have_is_refused(store: GalleryStore, show: str) -> None:
    for ask in (store.members, lambda s: store.load(s, PACK)):
        with pytest.raises(InvalidIdError):
            ask(show)


@pytest.mark.parametrize("cast_id", ["", "..", "a/b", ".x"])
def test_a_cast_id_that_is_no_folder_is_refused(
    store: GalleryStore, root: Path, cast_id: str
) -> None:
    with pytest.raises(InvalidIdError):
        enrol(store, cast_id, draft(RED), label="Anna")
    with pytest.raises(InvalidIdError):
        store.forget_member("rhobh", cast_id)
    assert files(root) == []


def test_an_embedder_without_a_direction_adds_nobody(store: GalleryStore, root: Path) -> None:
    class Silent:
        def embed(self, crops_bgr: Image) -> FloatArray:
            return np.zeros((len(crops_bgr), 512), np.float32)

    with pytest.raises(ModelError, match="vector of length 0"):
        enrol(store, "anna", draft(RED), pack=FakePack(Silent()))
    with pytest.raises(ModelError, match="has no face embedder"):
        enrol(store, "anna", draft(RED), pack=FakePack(info=PackInfo("bodies", (), Calibration(
            0.5, 0.5, 0.5))))  # fmt: skip

    assert not any(name.endswith(".png") for name in files(root))


def test_writers_at_the_same_time_lose_nothing(store: GalleryStore, root: Path) -> None:
    """Each has a store of its own, as other processes have."""
    pack = FakePack(Randomly())

    def add(n: int) -> None:
        own = GalleryStore(LocalStorage(root))
        enrol(own, "anna", draft(GREEN, n), draft(GREEN, n + 100), pack=pack)

    threads = [threading.Thread(target=add, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store.members("rhobh")[0].prototypes) == 12


def test_faces_are_withdrawn_and_who_has_none_left_goes_unless_kept(
    store: GalleryStore, root: Path
) -> None:
    given = [draft(colour, origin=Origin.EPISODE) for colour in (RED, GREEN)]
    ids = [str(offer.prototype_id) for offer in enrol(store, "anna", *given)]

    left = store.withdraw("rhobh", "anna", ids[:1], keeps_empty=False)
    assert left is not None
    assert [p.prototype_id for p in left.prototypes] == ids[1:]
    kept = store.withdraw("rhobh", "anna", ids, keeps_empty=True)
    assert kept is not None
    assert kept.prototypes == ()
    assert store.withdraw("rhobh", "anna", ids, keeps_empty=False) is None
    assert files(root) == []


@pytest.mark.parametrize("text", ["anna", "ZOE\u0308 ", "Zo\u00eb"])
def test_a_member_is_found_by_a_name_in_any_case_and_coding(store: GalleryStore, text: str) -> None:
    store.add_member("rhobh", "anna", "Zo\u00eb", by=BY, at=AT)

    member = store.find("rhobh", text)

    assert member is not None
    assert member.cast_id == "anna"
