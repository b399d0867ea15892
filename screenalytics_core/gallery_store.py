"""`facebank/{show}/{cast_id}/`: the cast of a show, kept as crops and vectors of their faces.

`member.json` is written last and removed first: a folder without one is nobody's, whatever
else lies in it. Crops are the record; vectors are made from them for each embedder that asks,
and made again when they are damaged. Who writes holds the show's lock.

Every command that opens the stores imports this: what compares faces is imported where needed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from screenalytics_core.errors import GalleryError, ModelError
from screenalytics_core.gallery.names import cast_id_of, folded
from screenalytics_core.gallery.records import Member
from screenalytics_core.gallery_files import GalleryFiles
from screenalytics_core.storage.base import Storage

if TYPE_CHECKING:
    from screenalytics_core.gallery.enrolment import EmbedCrop, Enrolment
    from screenalytics_core.gallery.model import Gallery
    from screenalytics_core.gallery.prototypes import Offer, PrototypeDraft
    from screenalytics_core.gallery.vectors import CropVectors
    from screenalytics_core.vision.models.protocols import FaceEmbedder, Image, ModelPack


class GalleryStore:
    """The galleries of a data root.

    Every method raises ArtifactCorruptError when a file that it needs is damaged: a member who
    is left out would be taken for somebody else. `forget_member` needs none.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def load(self, show: str, pack: ModelPack) -> Gallery | None:
        """Return a show's gallery for the pack's embedder; None if the show has none.

        Vectors that are missing are made from the crops, and kept.

        Raises:
            ModelError: Vectors are missing and the embedder cannot make them.
        """
        from screenalytics_core.gallery.model import Gallery, GalleryMember
        from screenalytics_core.gallery.vectors import CropVectors, seen_together

        members = self.members(show)
        if not members:
            return None
        files = GalleryFiles(self._storage, show)
        sha256, embed = _embedder_sha256(pack), _embed_with(pack)
        parts = [_vectors(files, member, embed, sha256) for member in members]
        embeddings, clarities = seen_together(CropVectors.joined(parts))
        ends = accumulate(len(part.names) for part in parts)
        return Gallery(
            files.show,
            sha256,
            tuple(
                GalleryMember(
                    member.cast_id,
                    member.label,
                    part.names,
                    embeddings[end - len(part.names) : end],
                    clarities[end - len(part.names) : end],
                )
                for member, part, end in zip(members, parts, ends, strict=True)
            ),
        )

    def has_folder(self, show: str, cast_id: str) -> bool:
        """Tell whether there is a folder of that cast_id, damaged or not."""
        return cast_id in GalleryFiles(self._storage, show).cast_ids()

    def members(self, show: str) -> tuple[Member, ...]:
        """Return a show's members by cast_id, ascending."""
        files = GalleryFiles(self._storage, show)
        found = (files.read_member(cast_id) for cast_id in files.cast_ids())
        return tuple(member for member in found if member is not None)

    def find(self, show: str, text: str) -> Member | None:
        """Return the member that a cast_id or a display name means; None if there is none."""
        members = self.members(show)
        by_id = (m for m in members if m.cast_id == text)
        by_name = (m for m in members if folded(m.label) == folded(text))
        return next(by_id, None) or next(by_name, None)

    def add_member(self, show: str, cast_id: str, label: str, *, by: str, at: str) -> Member:
        """Return a member, who is made if there is none.

        Raises:
            GalleryError: Somebody of another display name has that cast_id.
            InvalidIdError: A name cannot be one.
        """
        cast_id_of(label)
        files = GalleryFiles(self._storage, show)
        with files.lock():
            known = files.read_member(cast_id)
            if known is None:
                made = Member(cast_id, label, at, by)
                files.write_member(made)
                return made
        if known.label != label:
            raise GalleryError(
                thing=f"cast member {files.show}/{cast_id}",
                reason=f"is {known.label!r}, not {label!r}",
                way_out=f"Write the name as it is, {known.label!r}, or choose another one.",
            )
        return known

    def enrol(
        self,
        show: str,
        cast_id: str,
        label: str,
        crops: Sequence[PrototypeDraft],
        pack: ModelPack,
        *,
        by: str,
        at: str,
    ) -> tuple[Offer, ...]:
        """Offer faces of a member, who is made if need be; return what became of each.

        Idempotent: what is there already is not added again. Of a member about thirty faces
        are kept, those that show most of its variety; see `enrolment.enrolled`. The faces of an
        identity are `enrolment.drafts_of`.

        Args:
            cast_id: See `names.cast_id_of`.
            crops: In the order in which the answers come.
            pack: Whose embedder compares the faces.
            by: Who says so, `user@host`.
            at: ISO 8601, UTC.

        Raises:
            GalleryError: Somebody of another display name has that cast_id.
            ModelError: The embedder cannot be used; no face is added.
        """
        from screenalytics_core.gallery.enrolment import enrolled

        files = GalleryFiles(self._storage, show)
        sha256, embed = _embedder_sha256(pack), _embed_with(pack)
        with files.lock():
            member = self.add_member(show, cast_id, label, by=by, at=at)
            before = _vectors(files, member, embed, sha256)
            result = enrolled(member, before, crops, embed, by=by, at=at)
            _keep(files, member, result, sha256)
        return result.offers

    def remove_prototype(self, show: str, cast_id: str, prototype_id: str) -> Member:
        """Take one face of a member out; return the member as it is then.

        Raises:
            GalleryError: There is no such member, or it has no such face.
        """
        files = GalleryFiles(self._storage, show)
        with files.lock():
            member = _need(files, cast_id)
            left = tuple(p for p in member.prototypes if p.prototype_id != prototype_id)
            if len(left) == len(member.prototypes):
                raise _unknown(files, f"{cast_id}/{prototype_id}")
            changed = member.with_prototypes(left)
            files.write_member(changed)
            files.sweep(changed)
        return changed

    def withdraw(
        self, show: str, cast_id: str, prototype_ids: Collection[str], *, keeps_empty: bool
    ) -> Member | None:
        """Take faces of a member out, as far as they are there; return who is left.

        Args:
            keeps_empty: Whether a member without any face stays; else the folder goes.
        """
        files = GalleryFiles(self._storage, show)
        with files.lock():
            member = files.read_member(cast_id)
            if member is None:
                return None
            left = [p for p in member.prototypes if p.prototype_id not in prototype_ids]
            if not left and not keeps_empty:
                files.remove(cast_id)
                return None
            changed = member.with_prototypes(tuple(left))
            files.write_member(changed)
            files.sweep(changed)
        return changed

    def forget_member(self, show: str, cast_id: str) -> int:
        """Remove a member's folder, damaged or not; return how many files it had.

        Raises:
            GalleryError: There is no such folder.
        """
        files = GalleryFiles(self._storage, show)
        with files.lock():
            count = files.remove(cast_id)
        if not count:
            raise _unknown(files, cast_id)
        return count


def _vectors(files: GalleryFiles, member: Member, embed: EmbedCrop, sha256: str) -> CropVectors:
    """Return the vectors of a member's prototypes, in their order; missing ones are made."""
    from screenalytics_core.gallery.vectors import CropVectors

    names = [p.prototype_id for p in member.prototypes]
    known = files.read_vectors(member.cast_id, sha256)
    if set(names) <= set(known.names):
        return known.only(names)
    made = [
        embed(p.prototype_id, files.read_crop(member.cast_id, p))
        for p in member.prototypes
        if p.prototype_id not in known.names
    ]
    vectors = CropVectors.joined([known, *made]).only(names)
    with files.lock():
        # Whoever was changed or forgotten meanwhile must not come back.
        if files.read_member(member.cast_id) == member:
            files.write_vectors(member.cast_id, sha256, vectors)
    return vectors


def _keep(files: GalleryFiles, member: Member, result: Enrolment, sha256: str) -> None:
    if result.member == member:
        return
    for prototype_id, png in result.pngs.items():
        files.write_crop(member.cast_id, prototype_id, png)
    files.write_vectors(member.cast_id, sha256, result.vectors)
    files.write_member(result.member)
    files.sweep(result.member)


def _need(files: GalleryFiles, cast_id: str) -> Member:
    member = files.read_member(cast_id)
    if member is None:
        raise _unknown(files, cast_id)
    return member


def _unknown(files: GalleryFiles, name: str) -> GalleryError:
    return GalleryError(
        thing=f"{files.show}/{name}",
        reason="does not exist in the gallery",
        way_out=f"`screenalytics cast list {files.show} --json` names all.",
        over_http=f"GET /shows/{files.show}/cast names all.",
    )


def _embedder_sha256(pack: ModelPack) -> str:
    file = pack.info.file("face_embedder")
    if file is None:
        raise ModelError(
            thing=f"model pack {pack.info.name}",
            reason="has no face embedder",
            way_out="Use auto, or a pack with one.",
        )
    return file.sha256


def _embed_with(pack: ModelPack) -> EmbedCrop:
    """Return what embeds a crop under its name; the model is opened for the first one."""
    from screenalytics_core.gallery.vectors import embed_crop

    opened: list[FaceEmbedder] = []

    def embed(name: str, crop_bgr: Image) -> CropVectors:
        if not opened:
            opened.append(pack.face_embedder())
        return embed_crop(name, crop_bgr, opened[0], pack.info.name)

    return embed
