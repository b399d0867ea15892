"""`season_cast.json`: the links of a season as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from screenalytics_core.seasons.linking import (
    METHOD,
    THRESHOLD_FROM,
    Link,
    LinkMember,
    LinkStatus,
    SeasonLinks,
)
from screenalytics_core.seasons.model import EpisodeInput, EpisodePeople
from screenalytics_core.seasons.specs import SEASON_CAST


def cast_document(
    season: str,
    episodes: Sequence[EpisodeInput],
    people: Sequence[EpisodePeople],
    linked: SeasonLinks,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the document of `specs.SEASON_CAST`.

    Args:
        episodes: All of the season, in its order.
        people: Of those that have figures.
        notes: What reading them left to say.
    """
    of_episode = {e.ep_id: e for e in people}
    embedder_of = {e.ep_id: e.embedder_sha256 for e in people}
    return SEASON_CAST.conform(
        {
            "season": season,
            "method": METHOD,
            "threshold_from": THRESHOLD_FROM,
            "notes": [*notes, *_notes(people)],
            "links": [_link_row(link, linked, embedder_of) for link in linked.links],
            "members": [_member_row(link, m) for link in linked.links for m in link.members],
            "episodes": [_episode_row(e, of_episode.get(e.ep_id)) for e in episodes],
        }
    )


def _notes(people: Sequence[EpisodePeople]) -> list[str]:
    notes = []
    by_embedder: dict[str, list[str]] = {}
    for episode in people:
        by_embedder.setdefault(episode.embedder_sha256, []).append(episode.ep_id)
    if len(by_embedder) > 1:
        groups = "; ".join(
            f"{', '.join(ep_ids)} by {sha256[:12]}" for sha256, ep_ids in by_embedder.items()
        )
        notes.append(
            f"Faces were embedded by different models ({groups}): nobody is linked from one to "
            "another. Run the episodes again with one pack."
        )
    thresholds = sorted({e.cluster_thresh for e in people})
    if len(thresholds) > 1:
        given = ", ".join(f"{value:g}" for value in thresholds)
        notes.append(f"The runs have different cluster_thresh ({given}); the strictest counts.")
    return notes


def _link_row(link: Link, linked: SeasonLinks, embedder_of: Mapping[str, str]) -> dict[str, Any]:
    proposes = link.status in (LinkStatus.PROPOSAL, LinkStatus.AGREED)
    cast_id, label = link.names[0] if proposes else (None, None)
    return {
        "link_id": link.link_id,
        "status": link.status.value,
        "cast_id": cast_id,
        "label": label,
        "names": [label for _, label in link.names],
        "similarity": link.similarity,
        "threshold": linked.thresholds[embedder_of[link.ep_ids[0]]],
        "total_s": link.total_s,
    }


def _member_row(link: Link, member: LinkMember) -> dict[str, Any]:
    person = member.person
    return {
        "link_id": link.link_id,
        "ep_id": person.ep_id,
        "run_id": member.run_id,
        "person_id": person.person_id,
        "identity_ids": list(person.identity_ids),
        "cast_id": person.cast_id,
        "label": person.label,
        "similarity": member.similarity,
        "rival_similarity": member.rival_similarity,
        "track_count": len(person.track_ids),
        "total_s": person.total_s,
    }


def _episode_row(episode: EpisodeInput, people: EpisodePeople | None) -> dict[str, Any]:
    return {
        "ep_id": episode.ep_id,
        "run_id": episode.run_id,
        "state": episode.state.value,
        "reason": episode.reason or None,
        "doubts": list(episode.doubts),
        "people": None if people is None else len(people.people),
        "embedder_sha256": None if people is None else people.embedder_sha256,
        "cluster_thresh": None if people is None else people.cluster_thresh,
    }
