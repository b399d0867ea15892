"""`screenalytics cast`: who is in a show, and what their faces look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell
from screenalytics_assets.cli.run_names import resolve_run

if TYPE_CHECKING:
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores
    from screenalytics_core.gallery.matching import Matches
    from screenalytics_core.gallery.prototypes import Offer

app = typer.Typer(
    help="The cast of a show: pictures of its people, by which a run's identities are named.",
    epilog='Example: screenalytics cast add rhobh "Kyle Richards" pictures/kyle/',
    no_args_is_help=True,
)

Show = Annotated[str, typer.Argument(help="Show: the part of an ep_id before -s01e02.")]
CastId = Annotated[str, typer.Argument(help="cast_id, or display name.")]


@app.command("add")
def add(
    show: Show,
    name: Annotated[str, typer.Argument(help="Display name.")],
    images: Annotated[
        list[str], typer.Argument(help="Pictures of that one person: files, folders, patterns.")
    ],
    models: options.Models = "auto",
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Add pictures of a cast member, who is made if need be.

    Each picture must show one face, or one that is clearly the largest. A picture that is
    there already is not added again. Exit status 1 if none of them can be used.

    Example: screenalytics cast add rhobh "Kyle Richards" kyle1.jpg kyle2.jpg pictures/kyle/
    """
    from screenalytics_assets.casting import add_pictures, open_pack

    settings, stores = _open(data_root)
    added = add_pictures(stores, open_pack(settings, models, tell), show, name, images)
    if as_json:
        put_json(added.to_dict())
    else:
        rows = [(o.source, _verdict(o), o.reason or "") for o in added.offers]
        put_table("", ("picture", "", "why"), rows)
        if added.prototypes:
            tell(f"{added.label} ({added.show}/{added.cast_id}): {added.prototypes} faces")
    if not added.is_usable:
        tell(f"none of the pictures can be used; {added.label} is as before")
        raise typer.Exit(1)


def _verdict(offer: Offer) -> str:
    if offer.is_new:
        return "added"
    return "known" if offer.prototype_id else "not used"


@app.command("list")
def list_(show: Show, data_root: options.DataRoot = None, as_json: options.AsJson = False) -> None:
    """List a show's cast; with --json every face too, and where it is from.

    Example: screenalytics cast list rhobh
    """
    from screenalytics_core.gallery.names import show_of
    from screenalytics_core.gallery.prototypes import Origin

    _, stores = _open(data_root)
    members = stores.gallery.members(show)
    if as_json:
        put_json({"show": show_of(show), "members": [m.to_dict() for m in members]})
        return
    if not members:
        tell(f"{show_of(show)} has no cast yet: screenalytics cast add {show_of(show)} NAME IMAGES")
        return
    put_table(
        "",
        ("cast_id", "name", "faces", "of pictures", "best", "since"),
        [
            (
                member.cast_id,
                member.label,
                len(member.prototypes),
                sum(p.origin is Origin.IMAGE for p in member.prototypes),
                max((p.quality for p in member.prototypes), default=0.0),
                member.created_at[:10],
            )
            for member in members
        ],
        whole=("cast_id",),
    )


@app.command("match")
def match(
    run: Annotated[str, typer.Argument(help="Episode, or EP/RUN.")],
    models: Annotated[
        str | None, typer.Option("--models", help="The run's pack, if it has moved since.")
    ] = None,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Say whom the gallery takes a run's identities for; nothing is changed.

    Example: screenalytics cast match rhobh-s05e14
    """
    from screenalytics_assets.casting import match_run

    settings, stores = _open(data_root)
    ep_id, run_id = resolve_run(stores.runs, run, None)
    matches = match_run(settings, stores, ep_id, run_id, models, tell)
    rows = _match_rows(matches)
    if as_json:
        put_json({"ep_id": ep_id, "run_id": run_id, **rows})
        return
    put_table(
        f"run {ep_id}/{run_id}",
        ("identity", "", "cast_id", "name", "similarity", "margin", "confidence", "why"),
        [
            *(_cells(row, "is", "") for row in rows["named"]),
            *(_cells(row, "may be", row["reason"]) for row in rows["suggestions"]),
        ],
        whole=("identity", "cast_id"),
        spare=("cast_id",),
    )
    tell(f"{len(rows['named'])} named; whoever is not listed resembles nobody of the cast")


def _match_rows(matches: Matches) -> dict[str, list[dict[str, Any]]]:
    from dataclasses import asdict

    return {
        "named": [asdict(one) for one in matches.named.values()],
        "suggestions": [asdict(one) for one in matches.suggestions],
    }


def _cells(row: dict[str, Any], verdict: str, why: str) -> tuple[Any, ...]:
    names = ("cast_id", "label", "similarity", "margin")
    return (
        row["identity_id"], verdict, *(row[name] for name in names), row.get("confidence", ""), why,
    )  # fmt: skip


@app.command("remove")
def remove(
    show: Show,
    cast_id: CastId,
    prototype: Annotated[
        str | None, typer.Argument(help="Only this face; `cast list SHOW --json` names them.")
    ] = None,
    data_root: options.DataRoot = None,
    as_json: options.AsJson = False,
) -> None:
    """Take a cast member, or one face of theirs, out of a show's gallery.

    What runs hold of them stays. A damaged member is removed by cast_id.

    Example: screenalytics cast remove rhobh kyle-richards p-0123456789abcdef
    """
    from screenalytics_assets.casting import remove_member

    _, stores = _open(data_root)
    removed = remove_member(stores, show, cast_id, prototype)
    if as_json:
        put_json(removed)
    elif prototype is None:
        tell(f"{removed['cast_id']}: removed, {removed['files']} files")
    else:
        tell(f"{removed['cast_id']}: {removed['prototypes']} faces left")


def _open(data_root: str | None) -> tuple[Settings, Stores]:
    from screenalytics_assets.settings import Settings
    from screenalytics_assets.stores import Stores

    settings = Settings.from_env(data_root=data_root)
    return settings, Stores.open(settings.data_root)
