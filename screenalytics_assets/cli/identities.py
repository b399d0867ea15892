"""`screenalytics identities`: who is who in an episode, and deciding it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.applying import apply
from screenalytics_assets.cli.console import tell
from screenalytics_assets.cli.deciding import decide, decided_by, look, put, tell_at_once
from screenalytics_assets.cli.identity_tables import (
    decision_dict,
    person_dict,
    put_decisions,
    put_people,
    put_tracks,
    track_dicts,
)
from screenalytics_core.errors import DecisionError

if TYPE_CHECKING:
    from screenalytics_assets.deciding import LookedAt

app = typer.Typer(
    help="Say who is who. What is decided holds for every later run of the episode.",
    epilog='Example: screenalytics identities label rhobh-s05e14 id_0003 "Kyle Richards"',
    no_args_is_help=True,
)
app.command("apply")(apply)

Run = Annotated[str, typer.Argument(help="Episode, or EP/RUN: the run that was looked at.")]
Person = Annotated[str, typer.Argument(help="identity_id, cast_id or name.")]
By = Annotated[
    str | None, typer.Option("--by", help="Who decides; default user@host.", metavar="WHO")
]
NoRun = Annotated[
    bool, typer.Option("--no-run", help="Only record it; the next run carries it out.")
]


@app.command("list")
def list_(
    run: Run,
    person: Annotated[
        str | None, typer.Argument(help="Show this one's tracks: identity_id, cast_id or name.")
    ] = None,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="Show what was decided, and what was undone.")
    ] = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Show who is who, the tracks of one person, or what was decided.

    Example: screenalytics identities list rhobh-s05e14 id_0003
    """
    looked_at, _ = look(run, data_root)
    title = f"{looked_at.ep_id}  run {looked_at.run_id}"
    if decisions:
        known = looked_at.stores.decisions.read(looked_at.ep_id)
        put(as_json, [decision_dict(d, known) for d in known], lambda: put_decisions(known))
    elif person is not None:
        found = looked_at.roster.find(person)
        rows = track_dicts(looked_at.roster, found)
        put(as_json, rows, lambda: put_tracks(title, rows))
    else:
        people = looked_at.roster.people
        suggestions = looked_at.cast["suggestions"]
        rows = [person_dict(p, suggestions) for p in people]
        put(
            as_json,
            {
                "ep_id": looked_at.ep_id,
                "run_id": looked_at.run_id,
                "people": rows,
                "tracks_of_nobody": list(looked_at.roster.unassigned),
            },
            lambda: put_people(title, rows, looked_at.roster.unassigned),
        )


@app.command("label")
def label(
    run: Run,
    person: Person,
    name: Annotated[
        str | None, typer.Argument(help="Cast member, by cast_id or name; a new name makes one.")
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="It is nobody that has a name.")] = False,
    no_enrol: Annotated[
        bool, typer.Option("--no-enrol", help="Do not put a new member into the gallery.")
    ] = False,
    by: By = None,
    no_run: NoRun = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say who somebody is.

    A name that the show's gallery has no face of is put into it with the good faces of this
    person, so that later episodes know them.

    Example: screenalytics identities label rhobh-s05e14 id_0003 "Kyle Richards"
    """
    from screenalytics_core.decisions.records import Verb

    if (name is None) is not nobody:
        raise typer.BadParameter("give a NAME, or --nobody")
    looked_at, settings = look(run, data_root)
    found = looked_at.roster.find(person)
    tracks = looked_at.roster.tracks_of(person)
    member = None if name is None else looked_at.member(name)
    decision = looked_at.decision(
        Verb.LABEL,
        tracks,
        identity_ids=tuple(p.person_id for p in found),
        cast_id=member.cast_id if member else None,
        label=member.label if member else None,
        by=decided_by(by),
    )
    taken = None
    if member:
        others = looked_at.roster.called(member.cast_id) - tracks
        tell_at_once(looked_at.roster, person, tracks, member.label, others)
    if member and not member.has_faces and not no_enrol and looked_at.show is not None:
        taken = looked_at.enrol(member, tracks, decision.by, settings)
        tell(f"gallery of {looked_at.show}: {member.label} ({member.cast_id}), {taken} faces new")
    elif member and not no_enrol and looked_at.show is None:
        tell(f"{looked_at.ep_id} names no show, so no gallery takes {member.label}")
    decide(looked_at, settings, decision, no_run=no_run, as_json=as_json, enrolled=taken)


@app.command("merge")
def merge(
    run: Run,
    person: Person,
    other: Annotated[str, typer.Argument(help="Who is the same person: id or name.")],
    by: By = None,
    no_run: NoRun = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say that two are one person, who is called as the first one.

    Example: screenalytics identities merge rhobh-s05e14 id_0003 id_0017
    """
    from screenalytics_core.decisions.records import Verb

    looked_at, settings = look(run, data_root)
    roster = looked_at.roster
    tracks, others = roster.tracks_of(person), roster.tracks_of(other)
    if tracks & others:
        raise DecisionError(thing=f"{person} and {other}", reason="are one person already")
    found = (*roster.find(person), *roster.find(other))
    tell_at_once(roster, person, tracks, other, others)
    decision = looked_at.decision(
        Verb.MERGE,
        tracks,
        others,
        identity_ids=tuple(p.person_id for p in found),
        by=decided_by(by),
    )
    decide(looked_at, settings, decision, no_run=no_run, as_json=as_json)


@app.command("split")
def split(
    run: Run,
    person: Person,
    track_ids: Annotated[
        list[int], typer.Argument(help="Tracks that show somebody else; see `list EP PERSON`.")
    ],
    by: By = None,
    no_run: NoRun = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say that some tracks of a person show somebody else, who is a new person.

    Example: screenalytics identities split rhobh-s05e14 id_0003 41 57
    """
    from screenalytics_core.decisions.records import Verb

    looked_at, settings = look(run, data_root)
    found = looked_at.roster.find(person)
    whole = looked_at.roster.tracks_of(person)
    looked_at.roster.check_tracks(track_ids, whole)
    rest = whole - set(track_ids)
    if not rest:
        raise DecisionError(
            thing=f"person {person!r}",
            reason="has no other tracks than these",
            way_out="Name fewer tracks, or label the person.",
        )
    ids = tuple(p.person_id for p in found)
    decision = looked_at.decision(Verb.SPLIT, track_ids, rest, identity_ids=ids, by=decided_by(by))
    decide(looked_at, settings, decision, no_run=no_run, as_json=as_json)


@app.command("move-track")
def move_track(
    run: Run,
    track_id: Annotated[int, typer.Argument(help="Track; see `list EP PERSON`.")],
    to: Annotated[
        str | None, typer.Argument(help="Whose it is: identity_id, cast_id or name.")
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="It is nobody's.")] = False,
    by: By = None,
    no_run: NoRun = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say whose one track is.

    Example: screenalytics identities move-track rhobh-s05e14 41 id_0005
    """
    from screenalytics_core.decisions.records import Verb

    if (to is None) is not nobody:
        raise typer.BadParameter("give TO, or --nobody")
    looked_at, settings = look(run, data_root)
    looked_at.roster.check_tracks([track_id])
    more: dict[str, Any] = {}
    if to is not None:
        more = _destination(looked_at, track_id, to)
    decision = looked_at.decision(Verb.MOVE_TRACK, [track_id], by=decided_by(by), **more)
    decide(looked_at, settings, decision, no_run=no_run, as_json=as_json)


@app.command("lock")
def lock(
    run: Run,
    person: Person,
    by: By = None,
    no_run: NoRun = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say that a person is exactly these tracks, however others are grouped later.

    Example: screenalytics identities lock rhobh-s05e14 id_0003
    """
    from screenalytics_core.decisions.records import Verb

    looked_at, settings = look(run, data_root)
    ids = tuple(p.person_id for p in looked_at.roster.find(person))
    tracks = looked_at.roster.tracks_of(person)
    decision = looked_at.decision(Verb.LOCK, tracks, identity_ids=ids, by=decided_by(by))
    decide(looked_at, settings, decision, no_run=no_run, as_json=as_json)


@app.command("undo")
def undo(
    run: Run,
    sequence: Annotated[
        int | None, typer.Argument(help="Number of the decision; default: the last that holds.")
    ] = None,
    by: By = None,
    no_run: NoRun = False,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Take a decision back, as if it had never been made; an undo can be undone, too.

    Faces that it put into the gallery go out again; only a new label puts them back.

    Example: screenalytics identities undo rhobh-s05e14 7
    """
    from screenalytics_core.decisions.records import Verb

    looked_at, settings = look(run, data_root)
    undone = looked_at.to_undo(sequence)
    decision = looked_at.decision(
        Verb.UNDO, identity_ids=undone.identity_ids, undoes=undone.sequence, by=decided_by(by)
    )
    decide(looked_at, settings, decision, no_run=no_run, as_json=as_json)


def _destination(looked_at: LookedAt, track_id: int, to: str) -> dict[str, Any]:
    """Return who a track is moved to, as fields of the decision."""
    try:
        found = looked_at.roster.find(to)
    except DecisionError:
        # Somebody of the cast need not have been found in the episode.
        member = looked_at.member(to)
        if not member.is_known:
            raise
        return {"cast_id": member.cast_id, "label": member.label}
    others = looked_at.roster.tracks_of(to) - {track_id}
    if not others:
        raise DecisionError(
            thing=f"track {track_id}", reason=f"is all that there is of {to} already"
        )
    if not any(person.identity_ids for person in found):
        # Single tracks were moved to them: there is no identity that this one could join.
        return {"cast_id": found[0].cast_id, "label": found[0].label}
    return {"others": others, "identity_ids": tuple(p.person_id for p in found)}
