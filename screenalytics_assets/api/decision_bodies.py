"""What the verbs about who is who are told, and what they answer."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from screenalytics_assets.api.identities import DecisionRow

# What JSON readers hold exactly; no run has so many tracks.
_MOST: Final = 2**53 - 1
Name = Annotated[str, Field(min_length=1, max_length=200)]
TrackId = Annotated[int, Field(ge=0, le=_MOST)]


class VerbRequest(BaseModel):
    """What every verb is told.

    Attributes:
        run_id: The run that was looked at; null means the active one.
        apply: Queue a job that carries it out; else the next run of the episode does.
    """

    model_config = ConfigDict(extra="forbid")

    run_id: str | None = Field(None, max_length=200)
    apply: bool = True


class LabelRequest(VerbRequest):
    """Who somebody is: by name, or nobody that has one.

    Attributes:
        person: identity_id, cast_id or name.
        name: Cast member, by cast_id or name; a new name makes one.
        enrol: A new member's faces go into the show's gallery.
    """

    person: Name
    name: Name | None = None
    nobody: bool = False
    enrol: bool = True

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.name is None) is not self.nobody:
            raise ValueError("give a name, or nobody: true")
        return self


class MergeRequest(VerbRequest):
    """Two who are one person, who is called as `person`."""

    person: Name
    other: Name


class SplitRequest(VerbRequest):
    """Tracks of a person that show somebody else."""

    person: Name
    track_ids: list[TrackId] = Field(min_length=1, max_length=100_000)


class MoveTrackRequest(VerbRequest):
    """Whose a track is: somebody's, or nobody's."""

    track_id: TrackId
    to: Name | None = None
    nobody: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.to is None) is not self.nobody:
            raise ValueError("give to, or nobody: true")
        return self


class LockRequest(VerbRequest):
    """A person who is exactly the tracks that they have."""

    person: Name


class UndoRequest(VerbRequest):
    """The number of a decision that shall not hold.

    The last one is no default here: a request that is repeated would take back another.
    """

    sequence: int = Field(ge=1, le=_MOST)


class ApplyRequest(BaseModel):
    """The run that was looked at; null means the active one."""

    model_config = ConfigDict(extra="forbid")

    run_id: str | None = Field(None, max_length=200)


class Withdrawal(BaseModel):
    """Faces that went out of the gallery.

    Attributes:
        left: How many there are still; null = the member went, too.
    """

    cast_id: str
    label: str
    faces: int
    left: int | None


class DecidedJob(BaseModel):
    """The job that carries it out."""

    job_id: str
    run_id: str


class NotQueued(BaseModel):
    """Why it could not be carried out; it stands, and `apply` queues it later."""

    code: str
    detail: str


class Decided(BaseModel):
    """What was recorded, and what carries it out.

    Attributes:
        notes: What whoever decided should know.
        enrolled: How many faces the gallery took; null where it was not asked.
        job: Null where it was not asked for, or could not be queued.
        problem: Why it could not.
    """

    ep_id: str
    looked_at: str = Field(description="The run that was looked at.")
    decision: DecisionRow
    notes: list[str]
    enrolled: int | None
    withdrawn: list[Withdrawal]
    job: DecidedJob | None
    problem: NotQueued | None


class Applied(BaseModel):
    """The job that carries out what was recorded."""

    ep_id: str
    looked_at: str
    job: DecidedJob
