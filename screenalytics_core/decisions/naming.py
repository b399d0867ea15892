"""What people decided each person is called.

A person is called what most of their decided time is; tracks that were called otherwise are rows
of their own. That somebody is nobody with a name is a name, too: the gallery gives them none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from screenalytics_core.decisions.people import People, Person, part_id
from screenalytics_core.decisions.sayings import Name


@dataclass(frozen=True, slots=True)
class Named:
    """The people with what was decided of their names.

    Attributes:
        people: As they were, with parts added for those who are nobody in somebody named.
        of_persons: person_id -> name; of the others nothing was decided.
        of_tracks: Tracks that are called otherwise than the person they are with.
    """

    people: People
    of_persons: Mapping[str, Name]
    of_tracks: Mapping[int, Name]


def name_people(people: People, names: Mapping[int, Name], seconds: Mapping[int, float]) -> Named:
    """Put the names over the people.

    Args:
        names: track_id -> what it was called.
        seconds: track_id -> how long it is, of all tracks.
    """
    latest = _labels(names.values())
    of_persons: dict[str, Name] = {}
    of_tracks = {t: names[t] for t in sorted(names) if t in seconds}
    nameless: dict[tuple[str, int], set[int]] = defaultdict(set)
    for person in people.persons.values():
        name = _name_of(person, names, seconds)
        if name is not None:
            of_persons[person.person_id] = _relabelled(name, latest)
        for track_id in sorted(person.tracks & set(of_tracks)):
            said = names[track_id]
            if name is not None and said.cast_id == name.cast_id:
                del of_tracks[track_id]
            elif said.cast_id is None:
                del of_tracks[track_id]
                nameless[person.person_id, said.decision].add(track_id)
    relabelled = {t: _relabelled(name, latest) for t, name in of_tracks.items()}
    parted = _with_nameless(people, nameless)
    for person_id, decision in parted.named.items():
        of_persons[person_id] = Name(None, None, speaks=True, decision=decision)
    return Named(parted.people, of_persons, relabelled)


def _name_of(
    person: Person, names: Mapping[int, Name], seconds: Mapping[int, float]
) -> Name | None:
    """Return what most of a person's decided time is called, as it was last said."""
    weights: dict[str | None, float] = defaultdict(float)
    last: dict[str | None, Name] = {}
    for track_id in sorted(person.tracks):
        name = names.get(track_id)
        if name is not None and name.speaks:
            weights[name.cast_id] += seconds[track_id]
            before = last.get(name.cast_id)
            if before is None or before.decision < name.decision:
                last[name.cast_id] = name
    best = max(weights, key=lambda c: (round(weights[c], 6), last[c].decision), default=None)
    return last.get(best)


def _labels(names: Iterable[Name]) -> dict[str, str]:
    """Return what each cast member was last called."""
    said = sorted(
        (n.decision, n.cast_id, n.label) for n in names if n.cast_id is not None and n.label
    )
    return {cast_id: label for _, cast_id, label in said}


def _relabelled(name: Name, labels: Mapping[str, str]) -> Name:
    if name.cast_id is None or name.cast_id not in labels:
        return name
    return Name(name.cast_id, labels[name.cast_id], name.speaks, name.decision)


@dataclass(frozen=True, slots=True)
class _Parted:
    people: People
    named: Mapping[str, int]


def _with_nameless(people: People, nameless: Mapping[tuple[str, int], set[int]]) -> _Parted:
    """Make parts of tracks that are nobody's with a name, while their person has one."""
    persons = {i: Person(p.person_id, set(p.tracks)) for i, p in people.persons.items()}
    moved, named = dict(people.moved), {}
    for (person_id, decision), tracks in sorted(nameless.items(), key=lambda i: i[0][::-1]):
        persons[person_id].tracks -= tracks
        name = part_id(person_id.partition(".")[0], {*persons, *people.merged})
        persons[name] = Person(name, tracks)
        named[name] = decision
        moved.update(dict.fromkeys(tracks, decision))
    return _Parted(People(persons, people.merged, moved, people.split), named)
