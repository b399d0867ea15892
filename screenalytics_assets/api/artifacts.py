"""A run's artifacts: the list, each file, and the report under its own name."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from screenalytics_assets.api.contents import Contents, ContentsDep, OpenFile
from screenalytics_assets.api.downloads import Content, Disposition, answer, file_responses
from screenalytics_assets.api.ids import RunDep
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.service import Service, ServiceDep
from screenalytics_core.artifacts import ARTIFACTS, ArtifactKind, Codec
from screenalytics_core.manifest import ManifestEntry
from screenalytics_core.run_record import RunKey
from screenalytics_core.stages import PipelineStage, stage_of

router = APIRouter(tags=["runs"])

MEDIA_TYPES: Final = {
    Codec.JSONL: "application/jsonl",
    Codec.JSON: "application/json",
    Codec.NPY: "application/octet-stream",
    Codec.ZIP: "application/zip",
    Codec.CSV: "text/csv; charset=utf-8",
    Codec.PARQUET: "application/vnd.apache.parquet",
    Codec.PDF: "application/pdf",
    Codec.HTML: "text/html; charset=utf-8",
}
_SHOWN: Final = frozenset({Codec.PDF, Codec.HTML})
# The page brings its policy in its head, by hashes that only its maker knows: a policy of ours
# would forbid what it needs. Only who may frame it cannot be said there.
_PAGE_HEADERS: Final = {"content-security-policy": "frame-ancestors 'self'"}
_PARTS: Final = tuple(file.part for spec in ARTIFACTS.values() for file in spec.files)
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    **file_responses(*MEDIA_TYPES.values()),
    **problem_responses(404, 416, 422),
}

Kind = Annotated[ArtifactKind, Path(description="Kind of artifact.", examples=["screen_time"])]
Part = Annotated[str, Path(description=f"One of its files: {', '.join(_PARTS)}.", max_length=64)]


class ArtifactFile(BaseModel):
    """One file of an artifact.

    Attributes:
        rows: Of a table; null for what has none.
        path: Where it is downloaded, below the service's address.
    """

    part: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    rows: int | None
    description: str
    path: str


class Artifact(BaseModel):
    """An artifact that a run holds.

    Attributes:
        source: `computed` in this run, `checkpoint` taken as equal from another, or `inherited`
            as an input.
        redacted: Somebody was taken out of it on purpose.
    """

    kind: ArtifactKind
    description: str
    stage: PipelineStage
    source: Literal["computed", "checkpoint", "inherited"]
    from_run_id: str | None
    content_sha256: str
    redacted: bool
    note: str | None
    files: list[ArtifactFile]


class Artifacts(BaseModel):
    """What a run holds, in the order of the stages."""

    model_config = ConfigDict(json_schema_extra={"description": "What a run holds."})

    ep_id: str
    run_id: str
    artifacts: list[Artifact] = Field(description="In the order of the stages.")


@router.get("/runs/{ep_id}/{run_id}/artifacts", responses=problem_responses(404, 422))
def list_artifacts(service: ServiceDep, run: RunDep) -> Artifacts:
    """List what a run holds."""
    entries = service.stores.artifacts.manifest(*run).entries.values()
    return Artifacts(
        ep_id=run.ep_id, run_id=run.run_id, artifacts=[_listed(run, entry) for entry in entries]
    )


@router.head(
    "/runs/{ep_id}/{run_id}/artifacts/{kind}", response_class=Response, include_in_schema=False
)
@router.get("/runs/{ep_id}/{run_id}/artifacts/{kind}", response_class=Response, responses=_FILES)
def download_artifact(
    request: Request, service: ServiceDep, contents: ContentsDep, run: RunDep, kind: Kind
) -> Response:
    """Download the first file of an artifact, or a range of it."""
    return _sent(request, service, contents, run, kind, None)


@router.head(
    "/runs/{ep_id}/{run_id}/artifacts/{kind}/{part}",
    response_class=Response,
    include_in_schema=False,
)
@router.get(
    "/runs/{ep_id}/{run_id}/artifacts/{kind}/{part}", response_class=Response, responses=_FILES
)
def download_part(
    request: Request,
    service: ServiceDep,
    contents: ContentsDep,
    run: RunDep,
    kind: Kind,
    part: Part,
) -> Response:
    """Download a file of an artifact, or a range of it."""
    return _sent(request, service, contents, run, kind, part)


@router.head(
    "/runs/{ep_id}/{run_id}/report.{form}", response_class=Response, include_in_schema=False
)
@router.get(
    "/runs/{ep_id}/{run_id}/report.{form}",
    response_class=Response,
    responses={
        **file_responses(MEDIA_TYPES[Codec.PDF], MEDIA_TYPES[Codec.HTML]),
        **problem_responses(404, 416, 422),
    },
)
def download_report(
    request: Request,
    service: ServiceDep,
    contents: ContentsDep,
    run: RunDep,
    form: Annotated[Literal["pdf", "html"], Path(description="Of which kind the file is.")],
) -> Response:
    """Show the report, or a range of it."""
    return _sent(request, service, contents, run, ArtifactKind.REPORT, form)


def artifact_path(run: RunKey, kind: ArtifactKind, part: str) -> str:
    """Return where a file of an artifact is downloaded, below the service's address."""
    return f"/runs/{run.ep_id}/{run.run_id}/artifacts/{kind}/{part}"


def _listed(run: RunKey, entry: ManifestEntry) -> Artifact:
    spec = ARTIFACTS[entry.kind]
    files = {facts.path: facts for facts in entry.files}
    return Artifact(
        kind=entry.kind,
        description=spec.description,
        stage=stage_of(entry.kind),
        source=entry.source,
        from_run_id=entry.from_run_id,
        content_sha256=entry.content_sha256,
        redacted=entry.redacted,
        note=entry.note,
        files=[
            ArtifactFile(
                part=file.part,
                filename=file.filename,
                media_type=MEDIA_TYPES[file.codec],
                size_bytes=files[file.filename].size_bytes,
                sha256=files[file.filename].sha256,
                rows=files[file.filename].rows,
                description=file.description,
                path=artifact_path(run, entry.kind, file.part),
            )
            for file in spec.files
            if file.filename in files
        ],
    )


def _sent(
    request: Request,
    service: Service,
    contents: Contents,
    run: RunKey,
    kind: ArtifactKind,
    part: str | None,
) -> Response:
    opened = contents.open(service.stores, run, kind, part)
    return answer(request, _content(run, opened))


def _content(run: RunKey, opened: OpenFile) -> Content:
    codec, name = opened.spec.codec, opened.spec.filename.rpartition("/")[2]
    shown: Disposition = "inline" if codec in _SHOWN else "attachment"
    return Content(
        file=opened.file,
        sha256=opened.facts.sha256,
        size_bytes=opened.facts.size_bytes,
        media_type=MEDIA_TYPES[codec],
        filename=f"{run.ep_id}_{run.run_id}_{name}",
        disposition=shown,
        headers=_PAGE_HEADERS if codec is Codec.HTML else None,
    )
