"""Pictures of faces: one crop out of a run's archive, and which face shows a track best."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from screenalytics_assets.api.contents import Contents, ContentsDep
from screenalytics_assets.api.downloads import Content, answer, file_responses
from screenalytics_assets.api.ids import RunDep
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.service import ServiceDep
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ArtifactCorruptError, ArtifactNotFoundError
from screenalytics_core.run_record import RunKey

router = APIRouter(tags=["identities"])

_JPEG: Final = "image/jpeg"
# What JSON readers hold exactly.
_MOST: Final = 2**53 - 1
# Of an entry in the archive: its fixed part, and where in it two lengths stand (ZIP, 4.3.7).
_HEADER_BYTES: Final = 30
_LENGTHS: Final = (26, 28)


@dataclass(frozen=True, slots=True)
class FacePictures:
    """Which picture shows which face.

    Attributes:
        crops: face_id -> name in crops.zip, of those that have one.
        best: track_id -> its face of highest quality that has a picture.
    """

    crops: Mapping[int, str]
    best: Mapping[int, int]


@router.head(
    "/runs/{ep_id}/{run_id}/faces/{face_id}.jpg", response_class=Response, include_in_schema=False
)
@router.get(
    "/runs/{ep_id}/{run_id}/faces/{face_id}.jpg",
    response_class=Response,
    responses={**file_responses(_JPEG), **problem_responses(404, 416, 422)},
)
def show_face(
    request: Request,
    service: ServiceDep,
    contents: ContentsDep,
    run: RunDep,
    face_id: Annotated[int, Path(ge=0, le=_MOST, description="Face; see artifact `faces`.")],
) -> Response:
    """Show a face: its aligned crop, 112 x 112."""
    jpeg = _crop(service.stores, contents, run, face_id)
    content = Content(
        file=BytesIO(jpeg),
        sha256=hashlib.sha256(jpeg).hexdigest(),
        size_bytes=len(jpeg),
        media_type=_JPEG,
        filename=f"{run.ep_id}_{run.run_id}_face_{face_id}.jpg",
        disposition="inline",
    )
    return answer(request, content)


def face_path(run: RunKey, face_id: int | None) -> str | None:
    """Return where a face's picture is, below the service's address."""
    return None if face_id is None else f"/runs/{run.ep_id}/{run.run_id}/faces/{face_id}.jpg"


def face_pictures(stores: Stores, contents: Contents, run: RunKey) -> FacePictures:
    """Return which picture shows which face of a run; ArtifactNotFoundError without faces."""
    ref = stores.require(run.ep_id, run.run_id, ArtifactKind.FACES)
    found: FacePictures = contents.derived(
        "face pictures", ref.content_sha256, lambda: _pictures(ref.read())
    )
    return found


def _pictures(faces: Any) -> FacePictures:
    names = ("face_id", "track_id", "quality", "crop")
    columns = [faces.column(name).to_pylist() for name in names]
    rows = [row for row in zip(*columns, strict=True) if row[3] is not None]
    best: dict[int, tuple[float, int]] = {}
    for face_id, track_id, quality, _ in rows:
        # Of equally good ones the first.
        if track_id not in best or quality > best[track_id][0]:
            best[track_id] = (quality, face_id)
    return FacePictures(
        {face_id: crop for face_id, _, _, crop in rows},
        {track_id: face_id for track_id, (_, face_id) in best.items()},
    )


def _crop(stores: Stores, contents: Contents, run: RunKey, face_id: int) -> bytes:
    name = face_pictures(stores, contents, run).crops.get(face_id)
    opened = contents.open(stores, run, ArtifactKind.FACES, "crops")
    with opened.file as archive:
        entries: Mapping[str, zipfile.ZipInfo] = contents.derived(
            "crops", opened.facts.sha256, lambda: _entries(archive)
        )
        # It may also have gone out of the archive since its name was read.
        entry = None if name is None else entries.get(name)
        if entry is None:
            raise ArtifactNotFoundError(
                thing=f"picture of face {face_id} of run {run.ep_id}/{run.run_id}",
                reason="does not exist",
                way_out="Only accepted faces have one, and none of who was taken out of the run.",
            )
        return _stored(archive, entry)


def _entries(archive: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(archive) as opened:
        return {info.filename: info for info in opened.infolist()}


def _stored(archive: BinaryIO, entry: zipfile.ZipInfo) -> bytes:
    """Read one entry, which is stored as it is; the table of contents is not read again."""
    archive.seek(entry.header_offset)
    header = archive.read(_HEADER_BYTES)
    lengths = (int.from_bytes(header[at : at + 2], "little") for at in _LENGTHS)
    archive.seek(entry.header_offset + _HEADER_BYTES + sum(lengths))
    content = archive.read(entry.file_size)
    if zlib.crc32(content) != entry.CRC:
        raise ArtifactCorruptError(
            thing=f"crop {entry.filename!r} of crops.zip",
            reason="is damaged",
            way_out="Run the faces stage again in a new run.",
        )
    return content
