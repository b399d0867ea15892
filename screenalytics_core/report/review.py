"""The tracks that a person should look at, since the machine is not sure whose they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import pyarrow as pa

from screenalytics_core.report.faces import FaceIndex
from screenalytics_core.report.model import ReviewRow
from screenalytics_core.report.people import name_of
from screenalytics_core.vision.intervals import Interval, subtraction, total_s
from screenalytics_core.vision.owners import Owners
from screenalytics_core.vision.time_bounds import SURE

LONG_S: Final = 2.0
_CLOSE: Final = 0.15
# In parts of the similarity that joins: no whole track is so much like somebody else, so a part
# of it is (`vision.mixed_tracks`).
_PARTLY: Final = 2.0
AT_MOST: Final = 40
_COLUMNS: Final = ("track_id", "start_s", "end_s", "first_frame_idx", "last_frame_idx")


def review_rows(
    tracks: pa.Table,
    identities: Mapping[str, Any],
    owners: Owners,
    index: FaceIndex,
    trims: Sequence[Interval],
) -> list[ReviewRow]:
    """Return assigned tracks of low confidence and long ones of nobody.

    So are those of which a part shows somebody else, and long ones that the gallery took out of
    somebody and that are nobody known. What can change most comes first: seconds on screen
    times what confidence lacks to 1. A track that a person has decided on, or that lies in
    `trims`, is not listed.
    """
    membership_of = {m["track_id"]: m for m in identities["memberships"]}
    names = {i: name_of(asdict(owner)) for i, owner in owners.of_identities.items()}
    # Similarity to its own centre says nothing of a track that is all its identity has.
    singles = {i["identity_id"] for i in identities["identities"] if len(i["track_ids"]) == 1}
    rows = []
    for track in tracks.select(_COLUMNS).to_pylist():
        length_s = total_s(subtraction([(track["start_s"], track["end_s"])], trims))
        track_id = track["track_id"]
        if (track_id in owners.moved and track_id not in owners.parted) or length_s <= 0:
            continue
        membership = membership_of.get(track_id)
        row = (
            _left(track, length_s, membership, names, owners, index)
            if track_id in owners.parted
            else _row(track, length_s, membership, names, singles, index, identities)
        )
        if row is not None:
            rows.append(row)
    return sorted(rows, key=lambda r: (-r.length_s * (1 - r.confidence), r.track_id))


def _row(
    track: Mapping[str, Any],
    length_s: float,
    membership: Mapping[str, Any] | None,
    names: Mapping[str, str],
    singles: Collection[str],
    index: FaceIndex,
    identities: Mapping[str, Any],
) -> ReviewRow | None:
    of: Mapping[str, Any] = membership or {}
    given, rival = of.get("identity_id"), of.get("rival_id")
    confidence = of.get("confidence", 0.0)
    partly_like = _PARTLY * identities["cluster_thresh"]
    is_partly = (of.get("rival_similarity") or 0.0) >= partly_like
    if length_s < LONG_S if given is None else confidence >= SURE and not is_partly:
        return None
    return ReviewRow(
        **track,
        length_s=length_s,
        given=names.get(given, given) if given else None,
        similarity=of.get("similarity"),
        rival=names.get(rival, rival) if rival else None,
        rival_similarity=of.get("rival_similarity"),
        confidence=confidence,
        crop=index.best_of([track["track_id"]]),
        reason=_reason(membership, singles, partly_like),
    )


def _left(
    track: Mapping[str, Any],
    length_s: float,
    membership: Mapping[str, Any] | None,
    names: Mapping[str, str],
    owners: Owners,
    index: FaceIndex,
) -> ReviewRow | None:
    """Return the row of a track that the gallery took out of an identity: its rival now."""
    owner, of = owners.of_tracks[track["track_id"]], membership or {}
    if owner.cast_id is not None or length_s < LONG_S:
        return None
    whom = of.get("identity_id")
    return ReviewRow(
        **track,
        length_s=length_s,
        given=name_of(asdict(owner)),
        similarity=None,
        rival=names.get(whom, whom) if whom else None,
        rival_similarity=of.get("similarity"),
        confidence=owners.moved[track["track_id"]],
        crop=index.best_of([track["track_id"]]),
        reason="found with somebody whom it does not resemble",
    )


def _reason(
    membership: Mapping[str, Any] | None, singles: Collection[str], partly_like: float
) -> str:
    if membership is None:
        return "no face good enough to compare"
    similarity, other = membership["similarity"], membership["rival_similarity"]
    if membership["identity_id"] is None:
        return "not like anybody" if other is None else "not enough like anybody"
    if membership["identity_id"] in singles:
        return "the only track of its person"
    if other is None or similarity is None:
        return "seen too little to be sure"
    if similarity - other > _CLOSE:
        is_partly = other >= partly_like
        return "partly like somebody else" if is_partly else "seen too little to be sure"
    return "more like somebody else" if other > similarity else "nearly as much like somebody else"
