"""Checks of who is who: identities, cast, and which body belongs to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from screenalytics_assets.checks.base import TOLERANCE_S, Check, Findings, Outcome, Values
from screenalytics_assets.checks.quality import judge
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.vision.evidence import Evidence
from screenalytics_core.vision.quality_counters import people_counters

Row = Mapping[str, Any]
_SOURCES: Final = frozenset({"machine", "gallery", "decision"})


def _tracks_have_one_owner(values: Values) -> Outcome:
    found = Findings()
    found.rows_of(values, ArtifactKind.IDENTITIES)
    document = values.read(ArtifactKind.IDENTITIES)
    owner = _owners(document)
    held = [t for i in document["identities"] for t in i["track_ids"]]
    held += document["unassigned_track_ids"]
    twice = sorted(t for t, n in Counter(held).items() if n > 1)
    found.none_of(twice, "tracks belong to several people, or to one and to nobody")
    tracks = set(values.read(ArtifactKind.TRACKS).column("track_id").to_pylist())
    found.none_of(sorted(set(held) - tracks), "tracks of people do not exist")
    found.none_of(sorted(tracks - set(held)), "tracks are neither assigned nor unassigned")
    members = {m["track_id"]: m["identity_id"] for m in document["memberships"]}
    differing = sorted(t for t in set(members) | tracks if members.get(t) != owner.get(t))
    differing += sorted(tracks - set(members))
    found.none_of(dict.fromkeys(differing), "tracks have another identity in memberships")
    faces = set(values.read(ArtifactKind.FACES).column("face_id").to_pylist())
    shown = [i["representative_face_id"] for i in document["identities"]]
    found.none_of([f for f in shown if f not in faces], "faces that stand for people do not exist")
    found.show(people=len(document["identities"]), assigned_tracks=len(owner))
    return found.outcome(f"Each of {len(tracks)} tracks belongs to one person, or to nobody.")


def _owners(identities: Row) -> dict[int, str]:
    return {t: i["identity_id"] for i in identities["identities"] for t in i["track_ids"]}


def _identities_are_in_range(values: Values) -> Outcome:
    found = Findings()
    document = values.read(ArtifactKind.IDENTITIES)
    known = {i["identity_id"] for i in document["identities"]}
    for name, least in (("confidence", 0.0), ("cohesion", -1.0)):
        off = _outside(document["identities"], "identity_id", name, least)
        found.none_of(off, f"people have a {name} outside {least:g} to 1")
    for name, least in (("confidence", 0.0), ("similarity", -1.0), ("rival_similarity", -1.0)):
        off = _outside(document["memberships"], "track_id", name, least)
        found.none_of(off, f"tracks have a {name} outside {least:g} to 1")
    rivals = {m["rival_id"] for m in document["memberships"]} - {None}
    found.none_of(sorted(rivals - known), "rivals do not exist")
    return found.outcome("Confidences and similarities lie in their ranges.")


def _outside(rows: Iterable[Row], key: str, name: str, least: float) -> list[Any]:
    """Return the keys of rows whose value lies outside [least, 1], rounding errors allowed."""
    return [
        row[key]
        for row in rows
        if row[name] is not None and not least - 1e-6 <= row[name] <= 1 + 1e-6
    ]


def _quality(values: Values) -> Outcome:
    return judge(people_counters(values.read(ArtifactKind.IDENTITIES)))


def _people_exist(values: Values) -> Outcome:
    found = Findings()
    found.rows_of(values, ArtifactKind.CAST)
    document = values.read(ArtifactKind.CAST)
    owner = _owners(values.read(ArtifactKind.IDENTITIES))
    unassigned = values.read(ArtifactKind.IDENTITIES)["unassigned_track_ids"]
    people = document["people"]
    singles = [r for r in people if r["track_id"] is not None]
    parts = {r["identity_id"] for r in singles if _is_part(r["identity_id"])}
    known = set(owner.values()) | parts
    named = [r["identity_id"] for r in people if r["identity_id"] is not None]
    suggested = [s["identity_id"] for s in document["suggestions"]]
    found.none_of(sorted({*named, *suggested} - known), "identities do not exist")
    tracks = [r["track_id"] for r in singles]
    found.none_of(sorted(set(tracks) - set(owner) - set(unassigned)), "tracks do not exist")
    found.none_of(_twice(tracks), "tracks have several rows")
    bare = [n for n, r in enumerate(people) if r["identity_id"] is None and r["track_id"] is None]
    found.none_of(bare, "rows name neither an identity nor a track (rows)")
    found.none_of(sorted({r["source"] for r in people} - _SOURCES), "sources are unknown")
    found.none_of(_outside(people, "identity_id", "confidence", 0), "confidences leave 0 to 1")
    _merged_are_somebody(people, found)
    found.show(named=sum(r["cast_id"] is not None for r in people))
    return found.outcome(f"All {len(people)} rows are about somebody who exists.")


def _is_part(identity_id: str | None) -> bool:
    """Tell whether an id is that of a part that was split off, `{identity_id}.{n}`."""
    return identity_id is not None and identity_id.partition(".")[2].isdecimal()


def _twice(values: Iterable[Any]) -> list[Any]:
    return sorted(value for value, n in Counter(values).items() if n > 1)


def _merged_are_somebody(people: Iterable[Row], found: Findings) -> None:
    """Require that an identity is merged into one that is itself, and is called as that one."""
    rows = [r for r in people if r["track_id"] is None and r["identity_id"] is not None]
    found.none_of(_twice(r["identity_id"] for r in rows), "identities have several rows")
    whole = {r["identity_id"]: r for r in rows}
    merged = [r for r in rows if r["merged_into"] is not None]
    itself = {i: r for i, r in whole.items() if r["merged_into"] is None}
    found.none_of(
        [r["identity_id"] for r in merged if r["merged_into"] not in itself],
        "identities are merged into one that is not itself",
    )
    found.none_of(
        [
            r["identity_id"]
            for r in merged
            if r["cast_id"] != itself.get(r["merged_into"], r)["cast_id"]
        ],
        "merged identities are called otherwise than whom they were merged into",
    )


def _associations_exist(values: Values) -> Outcome:
    found = Findings()
    found.rows_of(values, ArtifactKind.TRACK_FUSION)
    document = values.read(ArtifactKind.TRACK_FUSION)
    rows = document["associations"]
    bodies = set(values.read(ArtifactKind.BODY_TRACKS).column("body_track_id").to_pylist())
    owner = _owners(values.read(ArtifactKind.IDENTITIES))
    known = set(owner.values())
    named = {r["identity_id"] for r in rows} - {None}
    found.none_of(sorted({r["body_track_id"] for r in rows} - bodies), "body tracks do not exist")
    found.none_of(sorted(named - known), "identities do not exist")
    voters = [(t, r["identity_id"]) for r in rows for t in r["track_ids"]]
    strangers = sorted({t for t, identity_id in voters if owner.get(t) != identity_id})
    found.none_of(strangers, "face tracks vote for somebody that they are not of")
    found.none_of(
        sorted({r["evidence"] for r in rows} - set(Evidence)), "kinds of evidence are unknown"
    )
    unfounded = [
        r["body_track_id"]
        for r in rows
        if (r["evidence"] == Evidence.NONE) != (r["identity_id"] is None)
    ]
    found.none_of(unfounded, "bodies have somebody without evidence, or evidence of nobody")
    found.none_of(_outside(rows, "body_track_id", "confidence", 0), "confidences leave 0 to 1")
    found.must(
        document["has_bodies"] or not rows, "bodies have an owner though nobody looked for bodies"
    )
    found.show(**dict(sorted(Counter(r["evidence"] for r in rows).items())))
    return found.outcome(f"All {len(rows)} associations are of existing bodies and people.")


def _fusion_is_inside_the_episode(values: Values) -> Outcome:
    found = Findings()
    document = values.read(ArtifactKind.TRACK_FUSION)
    table = values.read(ArtifactKind.BODY_TRACKS).select(["body_track_id", "start_s", "end_s"])
    spans = {row["body_track_id"]: row for row in table.to_pylist()}
    rows = sorted(document["associations"], key=lambda r: (r["body_track_id"], r["start_s"]))
    strays = [
        r["body_track_id"]
        for r in rows
        if r["body_track_id"] in spans and not _is_inside(r, spans[r["body_track_id"]])
    ]
    found.none_of(strays, "body tracks belong to somebody while they are not seen")
    shared = [
        a["body_track_id"]
        for a, b in pairwise(rows)
        if a["body_track_id"] == b["body_track_id"] and b["start_s"] < a["end_s"] - TOLERANCE_S
    ]
    found.none_of(shared, "body tracks belong to two people at once")
    _scenes_are_of_shots(document["scenes"], values.read(ArtifactKind.SHOTS)["shots"], found)
    return found.outcome(f"{len(rows)} associations lie inside their body tracks.")


def _scenes_are_of_shots(scenes: Sequence[Row], shots: Sequence[Row], found: Findings) -> None:
    """Require whole shots at their times, each in at most one scene; some may be in none."""
    span = {s["shot_id"]: (s["start_s"], s["end_s"]) for s in shots}
    held = [n for s in scenes for n in range(s["first_shot_id"], s["last_shot_id"] + 1)]
    found.must(held == sorted(set(held)), "scenes share shots, or are out of order")
    found.none_of(sorted(set(held) - set(span)), "shots of scenes do not exist")
    moved = [
        s["scene_id"]
        for s in scenes
        if s["first_shot_id"] in span
        and s["last_shot_id"] in span
        and (s["start_s"], s["end_s"]) != (span[s["first_shot_id"]][0], span[s["last_shot_id"]][1])
    ]
    found.none_of(moved, "scenes do not begin and end with their shots")


def _is_inside(part: Row, whole: Row) -> bool:
    return bool(
        whole["start_s"] - TOLERANCE_S <= part["start_s"] < part["end_s"]
        and part["end_s"] <= whole["end_s"] + TOLERANCE_S
    )


IDENTITIES: Final = (
    Check(
        "tracks_have_one_owner",
        "Each face track belongs to one person or to nobody, in people and memberships alike.",
        _tracks_have_one_owner,
    ),
    Check(
        "values_in_range",
        "Confidences lie in 0 to 1, cosine similarities in -1 to 1; rivals exist.",
        _identities_are_in_range,
    ),
    Check(
        "quality_within_limits",
        "Few people of a single track, nobody with most of them; a warning says what to change.",
        _quality,
    ),
)
CAST: Final = (
    Check(
        "people_exist",
        "Every row is about an identity, a part of one, or a track that exists; who is merged "
        "is somebody else.",
        _people_exist,
    ),
)
TRACK_FUSION: Final = (
    Check(
        "associations_exist",
        "Body tracks, people and voting face tracks exist; evidence fits what was decided.",
        _associations_exist,
    ),
    Check(
        "inside_the_episode",
        "A body is one person's at a time, while it is seen; scenes are of whole shots.",
        _fusion_is_inside_the_episode,
    ),
)
