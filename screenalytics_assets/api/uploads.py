"""An episode's video: sent to the service, or registered from a folder that it may read."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from screenalytics_assets.api.ids import EpisodeInPath
from screenalytics_assets.api.problems import BodyError, BodyFault, problem_responses
from screenalytics_assets.api.service import Service, ServiceDep
from screenalytics_assets.api.video_paths import allowed_video
from screenalytics_assets.assets.video import announce_video
from screenalytics_assets.instance import home_errors
from screenalytics_assets.settings import Settings
from screenalytics_core import layout
from screenalytics_core.episode_registry import EpisodeVideo, recorded_video, register_video
from screenalytics_core.episode_state import note_same
from screenalytics_core.episode_survey import Seen
from screenalytics_core.errors import VideoError
from screenalytics_core.storage.base import StagedFile, Storage
from screenalytics_core.storage.local import LocalStorage
from screenalytics_core.vision.decode import probe_video

router = APIRouter(prefix="/episodes/{ep_id}", tags=["episodes"])

_PIECE_BYTES: Final = 1 << 20
# Who sends nothing for so long has gone; slow lines send something.
_STALL_S: Final = 60.0
# Each holds a thread until its end; those that wait are not read meanwhile.
_AT_ONCE: Final = 8
_LONGEST_SIZE: Final = 19
_SHA256_DIGEST: Final = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/]{43}=):\s*")
_INCOMING: Final = "incoming"
_BODY: Final = {"schema": {"type": "string", "format": "binary"}}


class VideoFacts(BaseModel):
    """What is registered as an episode's video.

    Attributes:
        source: Name of the file it came from.
        fps: Average rate as a fraction.
        trims: Stretches that are not counted, each [start_s, end_s) or null.
    """

    model_config = ConfigDict(extra="ignore")

    ep_id: str
    source: str
    sha256: str
    size_bytes: int
    duration_s: float
    fps: str
    width_px: int
    height_px: int
    codec: str
    pixel_format: str
    container: str
    has_audio: bool
    rotation_deg: int
    trims: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)] | None]


class RegisterRequest(BaseModel):
    """A file of the server's machine.

    Attributes:
        path: Absolute; in the data root or in an allowed folder.
        replace: It may take the place of another video.
    """

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=4096)
    replace: bool = False


_CREATED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"description": "It is the episode's video now.", "model": VideoFacts}
}
_SAME: Final = "It was the episode's video before."


@router.put(
    "/video",
    response_model=VideoFacts,
    response_description=_SAME,
    responses={**_CREATED, **problem_responses(400, 408, 409, 413, 422, 503, 507)},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": _BODY, "video/*": _BODY},
        }
    },
)
async def upload_video(
    request: Request,
    response: Response,
    service: ServiceDep,
    ep_id: EpisodeInPath,
    filename: Annotated[
        str | None, Query(min_length=1, max_length=255, description="What the file is called.")
    ] = None,
    replace: Annotated[bool, Query(description="It may take the place of another video.")] = False,
    content_digest: Annotated[
        str | None, Header(description="RFC 9530; of `sha-256` the content is checked.")
    ] = None,
) -> VideoFacts:
    """Send an episode's video; the same content again changes nothing."""
    limit = service.settings.api.upload_limit_bytes
    expected = _sha256_of(content_digest)
    declared = _declared_size(request, limit)
    pieces = _pieces(request, limit)

    def take_in() -> tuple[EpisodeVideo, bool]:
        # The body is read by the event loop; here, in a thread, each piece of it is waited for.
        body = _from_loop(pieces)
        return _taken_in(service, ep_id, body, declared, expected, filename, replace=replace)

    try:
        video, is_new = await to_thread.run_sync(take_in, limiter=_limiter(request))
    except ClientDisconnect:
        raise BodyError(BodyFault.INCOMPLETE, "The body did not come to its end.") from None
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return _shown(video)


@router.post(
    "/video",
    response_model=VideoFacts,
    response_description=_SAME,
    responses={**_CREATED, **problem_responses(400, 409, 422, 503, 507)},
)
def register(
    service: ServiceDep, response: Response, ep_id: EpisodeInPath, body: RegisterRequest
) -> VideoFacts:
    """Register a file of the data root, or of an allowed folder, as an episode's video."""
    path = allowed_video(service.settings, body.path)
    video, is_new = _registered(service, ep_id, path, path.name, replace=body.replace)
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return _shown(video)


def upload_folder(settings: Settings) -> Path:
    """Return where a video lies until all of it is there: on the disk that it shall lie on."""
    root = settings.data_root
    if isinstance(root, Path):
        return root / layout.VIDEOS / "_uploads"
    return root.cache.path.with_name("uploads") / root.name


def _taken_in(
    service: Service,
    ep_id: str,
    body: Iterator[bytes],
    declared_bytes: int | None,
    expected_sha256: str | None,
    filename: str | None,
    *,
    replace: bool,
) -> tuple[EpisodeVideo, bool]:
    """Write a body to disk and register it; the file goes again whatever happens."""
    scratch = LocalStorage(upload_folder(service.settings))
    scratch.sweep_abandoned(_INCOMING)
    scratch.check_free_space(declared_bytes or 0)
    staged = scratch.stage(f"{_INCOMING}/{ep_id}", body)
    try:
        if expected_sha256 is not None and staged.sha256 != expected_sha256:
            raise VideoError(
                thing=f"upload of {ep_id}",
                reason=f"has the sha256 {staged.sha256}, its digest says {expected_sha256}",
                way_out="Send it again.",
            )
        source = filename or f"{ep_id}.mp4"
        taken = _registered(service, ep_id, staged.temp_path, source, replace=replace)
        _discard_linked(service.stores.storage, ep_id, scratch, staged)
        return taken
    finally:
        scratch.discard(staged)


def _discard_linked(
    storage: Storage, ep_id: str, scratch: LocalStorage, staged: StagedFile
) -> None:
    """Drop what the video was linked from, and note that it is the same video still.

    Losing a link touches the file, and what was touched is read again by the next look.
    """
    key = layout.video_key(ep_id)
    before = storage.stamp(key)
    is_linked = storage.is_same_file(key, staged.temp_path)
    scratch.discard(staged)
    after, facts = storage.stamp(key), storage.stamp(layout.video_facts_key(ep_id))
    if is_linked and before is not None and after is not None and before[:2] == after[:2]:
        note_same(storage, ep_id, Seen(after, facts))


def _registered(
    service: Service, ep_id: str, path: Path, source: str, *, replace: bool
) -> tuple[EpisodeVideo, bool]:
    """Register a file and tell Dagster; return the video, and whether it is another than before."""
    storage = service.stores.storage
    before = recorded_video(storage, ep_id)
    try:
        video = register_video(
            storage, ep_id, path, probe=probe_video, replace=replace, source=source
        )
    except VideoError as error:
        # Where it lies on the server's disk is nobody's business.
        raise type(error)(**{**error.fields, "thing": f"video {source!r}"}) from error
    with home_errors(service.settings.dagster_home):
        announce_video(service.instance, video.ep_id, video.sha256)
    return video, before is None or before.sha256 != video.sha256


async def _pieces(request: Request, limit_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body in pieces of about a megabyte.

    Raises:
        BodyError: It is too large, or nothing comes any more.
        ClientDisconnect: It ends before its end.
    """
    stream, held, size = request.stream(), bytearray(), 0
    while True:
        try:
            with anyio.fail_after(_STALL_S):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise BodyError(BodyFault.STALLED, "The body stopped coming.") from None
        size += len(chunk or b"")
        if size > limit_bytes:
            raise _too_large(limit_bytes)
        held += chunk or b""
        if held and (chunk is None or len(held) >= _PIECE_BYTES):
            yield bytes(held)
            held.clear()
        if chunk is None:
            return


def _from_loop(pieces: AsyncIterator[bytes]) -> Iterator[bytes]:
    async def next_piece() -> bytes | None:
        return await anext(pieces, None)

    while (piece := from_thread.run(next_piece)) is not None:
        yield piece


def _limiter(request: Request) -> CapacityLimiter:
    """Return what lets some uploads through at once, in threads that no other route needs."""
    state = request.app.state
    if not hasattr(state, "uploads"):
        state.uploads = CapacityLimiter(_AT_ONCE)
    limiter: CapacityLimiter = state.uploads
    return limiter


def _declared_size(request: Request, limit_bytes: int) -> int | None:
    text = request.headers.get("content-length")
    if text is None or not text.isdecimal():
        return None
    if len(text) > _LONGEST_SIZE or int(text) > limit_bytes:
        raise _too_large(limit_bytes)
    return int(text)


def _too_large(limit_bytes: int) -> BodyError:
    return BodyError(
        BodyFault.TOO_LARGE,
        f"A video may have {limit_bytes:,} bytes here; SCREENALYTICS_API_UPLOAD_LIMIT_GB says so.",
    )


def _sha256_of(digest: str | None) -> str | None:
    """Return the sha256 that a Content-Digest names; None if it names none."""
    found = next(filter(None, map(_SHA256_DIGEST.fullmatch, (digest or "").split(","))), None)
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True).hex()
    except binascii.Error:
        return None


def _shown(video: EpisodeVideo) -> VideoFacts:
    return VideoFacts.model_validate(video.to_dict())
