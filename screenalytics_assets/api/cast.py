"""Who is who in a run, as it was worked out, and whom a show's gallery knows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from screenalytics_assets.api.ids import RunDep
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.service import ServiceDep
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.gallery.names import show_of

router = APIRouter(tags=["identities"])
ShowInPath = Annotated[
    str, Path(description="Show.", examples=["rhobh"]), AfterValidator(lambda text: show_of(text))
]


class CastRow(BaseModel):
    """What one identity, or a single track, is called and who says so.

    Attributes:
        source: machine, gallery or decision.
        decision: Sequence of the decision that says so.
    """

    model_config = ConfigDict(extra="allow")

    identity_id: str | None = None
    track_id: int | None = None
    merged_into: str | None = None
    cast_id: str | None = None
    label: str | None = None
    source: str
    decision: int | None = None
    confidence: float


class Suggestion(BaseModel):
    """Whom an identity resembles, and why that is only a suggestion."""

    model_config = ConfigDict(extra="allow")

    identity_id: str
    cast_id: str
    label: str
    similarity: float
    margin: float
    reason: str


class Cast(BaseModel):
    """cast.json of a run."""

    model_config = ConfigDict(extra="allow")

    show: str | None = Field(None, description="Gallery that was used; null without one.")
    people: list[CastRow]
    suggestions: list[Suggestion]


class Member(BaseModel):
    """Somebody of a show's gallery; `faces`: how many the gallery has of them."""

    cast_id: str
    label: str
    faces: int


class Gallery(BaseModel):
    """Whom a show's gallery knows, by cast_id."""

    show: str
    members: list[Member]


@router.get("/runs/{ep_id}/{run_id}/cast", responses=problem_responses(404, 422))
def show_cast(service: ServiceDep, run: RunDep) -> Cast:
    """Return who is who in a run: identities, decisions and gallery together."""
    document = service.stores.require(run.ep_id, run.run_id, ArtifactKind.CAST).read()
    return Cast.model_validate(document)


@router.get("/shows/{show}/cast", responses=problem_responses(422))
def show_gallery(service: ServiceDep, show: ShowInPath) -> Gallery:
    """Return whom a show's gallery knows; empty where it knows nobody."""
    members = service.stores.gallery.members(show)
    return Gallery(
        show=show,
        members=[
            Member(cast_id=m.cast_id, label=m.label, faces=len(m.prototypes)) for m in members
        ],
    )
