"""What somebody says of a link: confirmed, so that everybody in it has one name, or rejected."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from screenalytics_assets.deciding import LookedAt, Member
from screenalytics_assets.seasons.episodes import season_episodes
from screenalytics_assets.seasons.reading import anchors_in, read_people
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.attempts import utc_now
from screenalytics_core.decisions.records import Decision, Verb
from screenalytics_core.errors import DecisionError
from screenalytics_core.ledger.events import iso
from screenalytics_core.seasons.linking import LinkStatus
from screenalytics_core.seasons.model import EpisodeInput, EpisodePerson
from screenalytics_core.seasons.record import CAST
from screenalytics_core.seasons.rejections import RejectedMember, Rejection
from screenalytics_core.seasons.specs import CAST_FILE

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChosenLink:
    """A link that somebody decides about.

    Attributes:
        row: Of `links` in `specs.SEASON_CAST`.
        members: Its rows of `members`.
        episodes: ep_id -> what the link was made from.
    """

    season: str
    row: Row
    members: tuple[Row, ...]
    episodes: Mapping[str, EpisodeInput]

    @property
    def link_id(self) -> str:
        """Its name."""
        return str(self.row["link_id"])


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a confirmation recorded: in each episode one decision for each unnamed member."""

    member: Member
    looked_at: tuple[LookedAt, ...]
    decisions: tuple[Decision, ...]


def find_link(stores: Stores, season: str, text: str) -> ChosenLink:
    """Return the link that `text` names, by its whole name or its beginning.

    Raises:
        ArtifactNotFoundError: The season was not rolled up.
        DecisionError: There is no such link, or its episodes have changed since.
    """
    document = stores.seasons.read(season, CAST, CAST_FILE)
    part = stores.seasons.record(season).parts[CAST]
    wanted = text if text.startswith("link_") else f"link_{text}"
    found = [row for row in document["links"] if row["link_id"].startswith(wanted)]
    if len(found) != 1:
        raise DecisionError(
            thing=f"link {text!r} of {season}",
            reason="is not the name of one link" if found else "does not exist (any more)",
            way_out=f"See screenalytics season link {season}.",
        )
    members = tuple(m for m in document["members"] if m["link_id"] == found[0]["link_id"])
    chosen = ChosenLink(season, found[0], members, {e.ep_id: e for e in part.episodes})
    _check_unchanged(stores, chosen)
    return chosen


def _check_unchanged(stores: Stores, link: ChosenLink) -> None:
    """Refuse to decide about people of runs that are not the episodes' any more."""
    now = {e.ep_id: e for e in season_episodes(stores, link.season)}
    ep_ids = dict.fromkeys(m["ep_id"] for m in link.members)
    changed = [e for e in ep_ids if e not in now or not _is_same(now[e], link.episodes[e])]
    if changed:
        raise DecisionError(
            thing=f"link {link.link_id} of {link.season}",
            reason=f"{', '.join(changed)} has changed since it was made",
            way_out=f"Run screenalytics season rollup {link.season}, and look again.",
        )


def _is_same(now: EpisodeInput, then: EpisodeInput) -> bool:
    return (now.run_id, now.sha256s) == (then.run_id, then.sha256s)


def name_of(link: ChosenLink, given: str | None) -> str:
    """Return the name to give to the unnamed members of a link.

    Raises:
        DecisionError: There are none, or nobody says which name.
    """
    again = f"screenalytics season confirm {link.season} {link.link_id} --name NAME"
    if all(m["cast_id"] is not None for m in link.members):
        raise DecisionError(
            thing=f"link {link.link_id}",
            reason="holds nobody without a name",
            way_out="A name is changed with screenalytics identities label.",
        )
    if given is not None:
        return given
    if link.row["status"] == LinkStatus.CONFLICT:
        raise DecisionError(
            thing=f"link {link.link_id}",
            reason=f"holds {' and '.join(link.row['names'])}, who look like one person",
            way_out=f"Say who the unnamed ones are: {again}; or reject the link.",
        )
    if link.row["cast_id"] is None:
        raise DecisionError(
            thing=f"link {link.link_id}",
            reason="holds nobody with a name",
            way_out=f"Say who they are: {again}.",
        )
    return str(link.row["cast_id"])


def confirm(stores: Stores, settings: Settings, link: ChosenLink, name: str, by: str) -> Confirmed:
    """Record in each episode of a link that its unnamed members are somebody.

    A cast member without a face in the gallery yet gets the faces of the member who is on
    screen for longest.

    Args:
        name: A cast_id or display name, known or new.

    Raises:
        InvalidIdError: The name cannot be one.
        ScreenalyticsError: A run's artifacts cannot be read; what was recorded stands.
    """
    unnamed = [m for m in link.members if m["cast_id"] is None]
    people = {m["ep_id"]: _people(stores, link.episodes[m["ep_id"]]) for m in unnamed}
    looked_at = {e: LookedAt(stores, e, str(link.episodes[e].run_id)) for e in people}
    longest = max(unnamed, key=lambda m: (m["total_s"], m["ep_id"]))
    member = looked_at[longest["ep_id"]].member(name)
    if not member.has_faces:
        tracks = people[longest["ep_id"]][longest["person_id"]].track_ids
        looked_at[longest["ep_id"]].enrol(member, tracks, by, settings)
    decisions = []
    for row in unnamed:
        looked = looked_at[row["ep_id"]]
        person = people[row["ep_id"]][row["person_id"]]
        decision = looked.decision(
            Verb.LABEL,
            person.track_ids,
            by=by,
            identity_ids=person.identity_ids,
            cast_id=member.cast_id,
            label=member.label,
            via="season",
        )
        # Whatever is decided meanwhile: who it is, is known.
        decisions.append(stores.decisions.append(row["ep_id"], decision))
    return Confirmed(member, tuple(looked_at.values()), tuple(decisions))


def reject(stores: Stores, link: ChosenLink, apart: Collection[str], by: str) -> Rejection:
    """Remember that people of a link are not one person, so that they are not linked again.

    Args:
        apart: `EP/PERSON` of those who are not the others; empty = no two of them are one.

    Raises:
        DecisionError: Somebody in `apart` is not in the link.
    """
    names = [f"{m['ep_id']}/{m['person_id']}" for m in link.members]
    unknown = sorted(set(apart) - set(names))
    if unknown:
        raise DecisionError(
            thing=f"link {link.link_id}",
            reason=f"does not hold {', '.join(unknown)}",
            way_out=f"It holds {', '.join(names)}.",
        )
    rejection = Rejection(
        sequence=0,
        at=iso(utc_now()),
        by=by,
        link_id=link.link_id,
        members=tuple(
            _rejected(stores, link, m, is_apart=not apart or name in apart)
            for m, name in zip(link.members, names, strict=True)
        ),
    )
    return stores.seasons.reject(link.season, rejection)


def _rejected(stores: Stores, link: ChosenLink, row: Row, *, is_apart: bool) -> RejectedMember:
    episode = link.episodes[row["ep_id"]]
    person = _people(stores, episode)[row["person_id"]]
    anchors = anchors_in(stores, episode, person.track_ids)
    run_id, person_id = str(row["run_id"]), str(row["person_id"])
    return RejectedMember(str(row["ep_id"]), run_id, person_id, anchors, is_apart)


def _people(stores: Stores, episode: EpisodeInput) -> dict[str, EpisodePerson]:
    """Return the people of an episode by their id; a cast member hides no identity."""
    seen: Sequence[EpisodePerson] = read_people(stores, episode).seen.people
    return {p.person_id: p for p in sorted(seen, key=lambda p: p.cast_id is None)}
