"""`screenalytics identities`: who is who in an episode, and deciding it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.applying import apply
from screenalytics_assets.cli.console import tell
from screenalytics_assets.cli.deciding import decide, decided_by, look, put
from screenalytics_assets.cli.identity_tables import put_decisions, put_people, put_tracks
from screenalytics_assets.identity_rows import decision_dict, person_dict, track_dicts

if TYPE_CHECKING:
    from screenalytics_assets.verbs import Decider, Saying

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
    if (name is None) is not nobody:
        raise typer.BadParameter("give a NAME, or --nobody")
    _decide(
        run,
        data_root,
        by,
        lambda decider: decider.label(person, name, enrols=not no_enrol),
        no_run=no_run,
        as_json=as_json,
    )


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
    _decide(
        run,
        data_root,
        by,
        lambda decider: decider.merge(person, other),
        no_run=no_run,
        as_json=as_json,
    )


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
    _decide(
        run,
        data_root,
        by,
        lambda decider: decider.split(person, track_ids),
        no_run=no_run,
        as_json=as_json,
    )


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
    if (to is None) is not nobody:
        raise typer.BadParameter("give TO, or --nobody")
    _decide(
        run,
        data_root,
        by,
        lambda decider: decider.move_track(track_id, to),
        no_run=no_run,
        as_json=as_json,
    )


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
    _decide(
        run, data_root, by, lambda decider: decider.lock(person), no_run=no_run, as_json=as_json
    )


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
    _decide(
        run, data_root, by, lambda decider: decider.undo(sequence), no_run=no_run, as_json=as_json
    )


def _decide(
    run: str,
    data_root: str | None,
    by: str | None,
    say: Callable[[Decider], Saying],
    *,
    no_run: bool,
    as_json: bool,
) -> None:
    """Decide about a run as a verb says, record it, and carry it out unless it waits."""
    from screenalytics_assets.verbs import Decider

    looked_at, settings = look(run, data_root)
    saying = say(Decider(looked_at, settings, decided_by(by)))
    for note in saying.notes:
        tell(note)
    decide(
        looked_at,
        settings,
        saying.decision,
        no_run=no_run,
        as_json=as_json,
        enrolled=saying.enrolled,
    )
