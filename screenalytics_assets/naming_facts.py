"""What stands behind a name that the gallery gave: how alike, and what made the cast member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import ArtifactCorruptError, ScreenalyticsError
from screenalytics_core.gallery.records import Prototype

Row = Mapping[str, Any]


def with_matches(
    settings: Settings,
    stores: Stores,
    ep_id: str,
    run_id: str,
    cast_id: str | None,
    name_from: Sequence[Row],
) -> list[dict[str, Any]]:
    """Return where a name comes from, with `match`: what the gallery says as it is now.

    `match` is None where a decision says the name, or the gallery does not say it any more.
    """
    by_gallery = cast_id is not None and any(row["source"] == "gallery" for row in name_from)
    named = _named(settings, stores, ep_id, run_id) if by_gallery else {}
    rows = []
    for row in name_from:
        match = named.get(row["identity_id"]) if row["source"] == "gallery" else None
        if match is not None and match.cast_id == cast_id:
            known = {"similarity": match.similarity, "margin": match.margin}
        else:
            known = None
        rows.append({**row, "match": known})
    return rows


def _named(settings: Settings, stores: Stores, ep_id: str, run_id: str) -> Mapping[str, Any]:
    # Models are imported for this alone.
    from screenalytics_assets.binding import silent
    from screenalytics_assets.casting import match_with, open_pack

    models = str(stores.runs.require(ep_id, run_id).settings["models"])
    try:
        pack = open_pack(settings, models, silent, install_missing=False)
        return match_with(stores, ep_id, run_id, pack).named
    except ScreenalyticsError:
        # The pack or the gallery is not there any more: it cannot be said.
        return {}


def member_facts(stores: Stores, ep_id: str, cast_id: str | None) -> dict[str, Any] | None:
    """Return who made a cast member and from which faces; None if the gallery has none."""
    show = EpisodeId.parse(ep_id).show
    if show is None or cast_id is None:
        return None
    try:
        member = next((m for m in stores.gallery.members(show) if m.cast_id == cast_id), None)
    except ArtifactCorruptError:
        # What is told of the episode does not need it.
        return None
    if member is None:
        return None
    return {
        "cast_id": member.cast_id,
        "label": member.label,
        "by": member.by,
        "created_at": member.created_at,
        "prototypes": [
            {
                "prototype_id": p.prototype_id,
                "origin": str(p.origin),
                "source": p.source,
                "run": p.run,
                "track_id": p.track_id,
                "decision": _label_of(stores, p, cast_id),
                "added_by": p.added_by,
                "added_at": p.added_at,
            }
            for p in member.prototypes
        ],
    }


def _label_of(stores: Stores, prototype: Prototype, cast_id: str) -> str | None:
    """Return the decision that a face is there by, `EP decision N`; None of a picture."""
    if prototype.run is None:
        return None
    ep_id, _, run_id = prototype.run.partition("/")

    def said_it(decision: Decision) -> bool:
        tracks = {anchor.track_id for anchor in decision.tracks}
        is_label = decision.verb is Verb.LABEL and decision.cast_id == cast_id
        return is_label and decision.run_id == run_id and prototype.track_id in tracks

    found = next((d for d in stores.decisions.read(ep_id) if said_it(d)), None)
    return None if found is None else f"{ep_id} decision {found.sequence}"
