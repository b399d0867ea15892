"""A show's cast, taken from pictures and held against runs: files and models, but no Dagster."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from screenalytics_assets.binding import Tell, models_home
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_assets.whoami import whoami
from screenalytics_core.artifacts import EMBEDDING_DIM, ArtifactKind
from screenalytics_core.attempts import utc_now
from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import GalleryError
from screenalytics_core.gallery.matching import Looks, Matches, apart_identities, match
from screenalytics_core.gallery.names import cast_id_of
from screenalytics_core.gallery.parting import Limits, TrackLooks, parted
from screenalytics_core.gallery.pictures import MAX_FILE_BYTES, SUFFIXES, draft_of, refused
from screenalytics_core.gallery.prototypes import Offer, PrototypeDraft
from screenalytics_core.ledger.events import iso
from screenalytics_core.vision.cannot_link import cannot_link_pairs
from screenalytics_core.vision.face_quality import Gates
from screenalytics_core.vision.models.onnx_session import resolve_device
from screenalytics_core.vision.models.packs import find_pack
from screenalytics_core.vision.models.protocols import FaceDetector, ModelPack
from screenalytics_core.vision.observed import fixed_vectors, observed_boxes


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the pictures of one cast member.

    Attributes:
        offers: One per picture, in their order.
        prototypes: How many faces the member has now.
    """

    show: str
    cast_id: str
    label: str
    offers: tuple[Offer, ...]
    prototypes: int

    @property
    def is_usable(self) -> bool:
        """Whether any of the pictures is in the gallery now."""
        return any(offer.prototype_id for offer in self.offers)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)


def open_pack(
    settings: Settings, models: str, tell: Tell, *, install_missing: bool = True
) -> ModelPack:
    """Find a pack as a run would; raises ModelError."""
    device = resolve_device("auto")
    home = models_home(settings)
    return find_pack(
        models,
        home,
        device=device,
        embed_device=device,
        install_missing=install_missing,
        progress=tell,
    )


def add_pictures(
    stores: Stores, pack: ModelPack, show: str, name: str, given: Sequence[str]
) -> Added:
    """Take pictures of a cast member into a show's gallery.

    Args:
        name: Display name, or the cast_id of somebody who is there already.
        given: Files, folders and patterns.

    Raises:
        GalleryError: The name's cast_id is somebody else's.
        ArtifactCorruptError: The gallery is damaged.
    """
    known = stores.gallery.find(show, name)
    cast_id, label = (known.cast_id, known.label) if known else (cast_id_of(name), name.strip())
    config = EpisodeRunConfig.from_mapping({}, DEFAULT_PROFILE)
    sure = pack.info.calibration.det_thresh
    detector = pack.face_detector(max_side_px=config.det_max_side_px, min_confidence=sure)
    gates = Gates(config.min_face_px, sure, config.min_sharpness, config.min_frontality)
    looked = [_look(path, detector, gates) for path in picture_paths(given)]
    drafts = [one for one in looked if isinstance(one, PrototypeDraft)]
    kept: tuple[Offer, ...] = ()
    if drafts:
        at = iso(utc_now())
        kept = stores.gallery.enrol(show, cast_id, label, drafts, pack, by=whoami(), at=at)
    answers = iter(kept)
    offers = tuple(one if isinstance(one, Offer) else next(answers) for one in looked)
    member = stores.gallery.find(show, cast_id)
    return Added(show, cast_id, label, offers, len(member.prototypes) if member else 0)


def picture_paths(given: Sequence[str]) -> list[Path]:
    """Return the files that are meant, each once: a folder's pictures, what a pattern finds."""
    found: dict[Path, None] = {}
    for text in given:
        path = Path(text).expanduser()
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            found |= dict.fromkeys(inside or [path])
        elif path.exists():
            found[path] = None
        else:
            # A pattern may be absolute, which Path.glob refuses.
            matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207
            found |= dict.fromkeys([Path(match) for match in matches] or [path])
    return list(found)


def _look(path: Path, detector: FaceDetector, gates: Gates) -> PrototypeDraft | Offer:
    """Return a picture's face, or why it has none to take."""
    try:
        return draft_of(_content(path), path.name, detector, gates)
    except GalleryError as error:
        reason = " ".join(part for part in (error.reason, error.way_out) if part)
        return Offer(str(path), None, False, reason)


def _content(path: Path) -> bytes:
    try:
        # A device or a pipe might never end.
        if not path.is_file():
            raise refused(path.name, "holds no picture" if path.is_dir() else "does not exist")
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise refused(path.name, f"cannot be read: {error.strerror}") from error


def match_run(
    settings: Settings, stores: Stores, ep_id: str, run_id: str, models: str | None, tell: Tell
) -> Matches:
    """Say what the show's gallery makes of a run's identities; nothing is changed.

    Args:
        models: The run's pack where it is not found by the run's own setting.

    Raises:
        GalleryError: The show has no gallery, or the pack has another embedder than the run.
        ArtifactNotFoundError: The run has no identities yet.
    """
    record = stores.runs.require(ep_id, run_id)
    pack = open_pack(settings, models or str(record.settings["models"]), tell)
    return match_with(stores, ep_id, run_id, pack)


def match_with(stores: Stores, ep_id: str, run_id: str, pack: ModelPack) -> Matches:
    """Do what `match_run` does, with a pack that is there."""
    show = EpisodeId.parse(ep_id).show
    record = stores.runs.require(ep_id, run_id)
    _check_embedder(pack, record.models, f"{ep_id}/{run_id}")
    gallery = None if show is None else stores.gallery.load(show, pack)
    if gallery is None:
        raise GalleryError(
            thing=f"gallery of {show or ep_id}",
            reason="does not exist",
            way_out="Make it: screenalytics cast add SHOW NAME IMAGES...",
        )
    calibration = pack.info.calibration
    thresh = record.settings.get("match_thresh")
    margin = record.settings.get("match_margin")
    match_thresh = calibration.match_thresh if thresh is None else thresh
    match_margin = calibration.match_margin if margin is None else margin
    document = stores.require(ep_id, run_id, ArtifactKind.IDENTITIES).read()
    divided = parted(
        {i["identity_id"]: i["track_ids"] for i in document["identities"]},
        TrackLooks.of(stores.require(ep_id, run_id, ArtifactKind.TRACK_REPS).read()),
        gallery.members,
        Limits(match_thresh, match_margin, document["cluster_thresh"]),
    )
    looks, apart = looks_of(stores, ep_id, run_id, divided)
    return match(
        looks, apart, gallery, match_thresh=match_thresh, match_margin=match_margin, fixed={}
    )


def identity_looks(
    stores: Stores, ep_id: str, run_id: str
) -> tuple[dict[str, Looks], frozenset[tuple[str, str]]]:
    """Return what a run's identities look like, and which of them were seen apart."""
    document = stores.require(ep_id, run_id, ArtifactKind.IDENTITIES).read()
    tracks_of = {i["identity_id"]: i["track_ids"] for i in document["identities"]}
    return looks_of(stores, ep_id, run_id, tracks_of)


def looks_of(
    stores: Stores, ep_id: str, run_id: str, tracks_of: Mapping[str, Sequence[int]]
) -> tuple[dict[str, Looks], frozenset[tuple[str, str]]]:
    """Return what people of a run look like, by id, and which of them were seen apart."""
    reps = stores.require(ep_id, run_id, ArtifactKind.TRACK_REPS).read()
    observed = observed_boxes(stores.require(ep_id, run_id, ArtifactKind.TRACKS).read())
    pairs = cannot_link_pairs(observed.track_ids, observed.frame_idxs, observed.bboxes_xyxy)
    owner_of = {t: name for name, own in tracks_of.items() for t in own}
    vectors = fixed_vectors(reps.column("embedding").combine_chunks(), EMBEDDING_DIM)
    clarities = reps.column("clarity").to_numpy()
    rows: dict[str, list[int]] = {name: [] for name in tracks_of}
    for row, track_id in enumerate(reps.column("track_id").to_pylist()):
        if track_id in owner_of:
            rows[owner_of[track_id]].append(row)
    looks = {name: Looks(vectors[own], clarities[own]) for name, own in rows.items()}
    return looks, apart_identities([(a, b) for a, b in pairs.tolist()], owner_of)


def cast_id_in(stores: Stores, show: str, text: str) -> str:
    """Return the cast_id that a cast_id or a display name means, of a show's gallery or gone.

    Raises:
        InvalidIdError: It can be neither.
        ArtifactCorruptError: It is no cast_id of the gallery, and a member's name is damaged.
    """
    slug = cast_id_of(text)
    if text == slug or stores.gallery.has_folder(show, text):
        return text
    known = stores.gallery.find(show, text)
    return known.cast_id if known else slug


def remove_member(
    stores: Stores, show: str, cast_id: str, prototype_id: str | None
) -> dict[str, Any]:
    """Take a member, or one face, out of a gallery; return what is left or went.

    Args:
        cast_id: Or display name, which needs every member's file to be whole.

    Raises:
        GalleryError: There is no such member or face.
    """
    cast_id = cast_id_in(stores, show, cast_id)
    if prototype_id is None:
        files = stores.gallery.forget_member(show, cast_id)
        return {"show": show, "cast_id": cast_id, "files": files}
    left = stores.gallery.remove_prototype(show, cast_id, prototype_id)
    return {"show": show, "cast_id": cast_id, "prototypes": len(left.prototypes)}


def _check_embedder(pack: ModelPack, models: dict[str, Any], run: str) -> None:
    file = pack.info.file("face_embedder")
    used = {f["sha256"] for f in models.get("files", ()) if f["role"] == "face_embedder"}
    if file is None or file.sha256 not in used:
        raise GalleryError(
            thing=f"run {run}",
            reason=f"was made with another face embedder than model pack {pack.info.name} has",
            way_out="Give the run's pack with --models.",
        )
