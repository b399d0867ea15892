"""The people of a run: who is who, which tracks show them, and what was decided."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from screenalytics_assets.api.cast import Suggestion
from screenalytics_assets.api.contents import Contents, ContentsDep
from screenalytics_assets.api.faces import FacePictures, face_path, face_pictures
from screenalytics_assets.api.ids import EpisodeInPath, RunDep, check_known
from screenalytics_assets.api.problems import problem_responses
from screenalytics_assets.api.service import ServiceDep
from screenalytics_assets.deciding import LookedAt
from screenalytics_assets.identity_rows import decision_dict, person_dict, track_dicts
from screenalytics_assets.stores import Stores
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.decisions.roster import Somebody
from screenalytics_core.errors import ArtifactNotFoundError
from screenalytics_core.run_record import RunKey

router = APIRouter(tags=["identities"])


class Person(BaseModel):
    """One person of a run.

    Attributes:
        person_id: identity_id, or that of a part; the cast_id of who has neither.
        identity_ids: That identity, and those that are merged into it.
        source: Who says what they are called: machine, gallery or decision.
        decision: Sequence of the decision that does.
        face_s: How long they show a face.
        picture: Path of a face to show; null where none is left.
    """

    person_id: str
    identity_ids: list[str]
    cast_id: str | None
    label: str | None
    source: str
    decision: int | None
    tracks: list[int]
    face_s: float
    suggestions: list[Suggestion]
    picture: str | None


class People(BaseModel):
    """Everybody of a run."""

    ep_id: str
    run_id: str
    people: list[Person]
    tracks_of_nobody: list[int]


class Track(BaseModel):
    """A track of a person; `picture` is the path of its best face."""

    track_id: int
    start_s: float
    end_s: float
    person_id: str
    picture: str | None


class Tracks(BaseModel):
    """Tracks in the order of time."""

    ep_id: str
    run_id: str
    tracks: list[Track]


class DecisionRow(BaseModel):
    """What somebody decided.

    Attributes:
        tracks: What it is about, as numbered in the run that was looked at.
        holds: Whether it was not undone.
    """

    sequence: int
    at: str
    by: str
    run_id: str
    verb: Verb
    identity_ids: list[str]
    cast_id: str | None
    label: str | None
    tracks: list[int]
    others: list[int]
    undoes: int | None
    via: str
    holds: bool


class Decisions(BaseModel):
    """What was decided about an episode, oldest first."""

    ep_id: str
    decisions: list[DecisionRow] = Field(description="Oldest first.")


@router.get("/runs/{ep_id}/{run_id}/identities", responses=problem_responses(404, 422))
def list_people(service: ServiceDep, contents: ContentsDep, run: RunDep) -> People:
    """Say who is who in a run."""
    looked_at = LookedAt(service.stores, *run)
    pictures = _pictures(service.stores, contents, run)
    shown = {
        i["identity_id"]: i["representative_face_id"] for i in looked_at.identities["identities"]
    }
    return People(
        ep_id=run.ep_id,
        run_id=run.run_id,
        people=[
            Person(
                **person_dict(person, looked_at.cast["suggestions"]),
                picture=face_path(run, _face_of(person, shown, pictures)),
            )
            for person in looked_at.roster.people
        ],
        tracks_of_nobody=list(looked_at.roster.unassigned),
    )


@router.get("/runs/{ep_id}/{run_id}/tracks", responses=problem_responses(404, 422))
def list_tracks(
    service: ServiceDep,
    contents: ContentsDep,
    run: RunDep,
    person: Annotated[
        str | None,
        Query(max_length=200, description="Only of them: identity_id, cast_id or name."),
    ] = None,
) -> Tracks:
    """List the tracks of a run's people, in the order of time."""
    roster = LookedAt(service.stores, *run).roster
    best = _pictures(service.stores, contents, run).best
    people = roster.people if person is None else roster.find(person)
    rows = track_dicts(roster, people)
    return Tracks(
        ep_id=run.ep_id,
        run_id=run.run_id,
        tracks=[Track(**row, picture=face_path(run, best.get(row["track_id"]))) for row in rows],
    )


@router.get("/episodes/{ep_id}/decisions", responses=problem_responses(404, 422))
def list_decisions(service: ServiceDep, ep_id: EpisodeInPath) -> Decisions:
    """List what was decided about an episode, and what was undone."""
    known = service.stores.decisions.read(ep_id)
    if not known:
        check_known(service.stores, ep_id)
    return Decisions(ep_id=ep_id, decisions=decision_rows(known))


def decision_rows(known: tuple[Decision, ...]) -> list[DecisionRow]:
    """Return decisions as they are shown."""
    return [DecisionRow(**decision_dict(one, known)) for one in known]


def _pictures(stores: Stores, contents: Contents, run: RunKey) -> FacePictures:
    try:
        return face_pictures(stores, contents, run)
    except ArtifactNotFoundError:
        return FacePictures({}, {})


def _face_of(person: Somebody, shown: dict[str, int], pictures: FacePictures) -> int | None:
    """Return a face of a person that has a picture: of the identity, else of its first tracks."""
    of_identities = (shown.get(identity_id) for identity_id in person.identity_ids)
    of_tracks = (pictures.best.get(track_id) for track_id in person.tracks)
    candidates = (face for some in (of_identities, of_tracks) for face in some)
    return next((face for face in candidates if face in pictures.crops), None)
