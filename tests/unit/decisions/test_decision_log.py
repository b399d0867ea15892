"""`decisions.jsonl`: nothing that was decided is ever lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from screenalytics_core.decision_log import DecisionLog
from screenalytics_core.decisions.records import Decision
from screenalytics_core.errors import ArtifactCorruptError
from screenalytics_core.storage.local import LocalStorage
from tests.decided import label
from tests.stores import race

EP, OTHER = "show-s01e01", "show-s01e02"


def file_of(root: Path, ep_id: str = EP) -> Path:
    return root / "manifests" / ep_id / "decisions.jsonl"


def decide_often(root: Path, by: str, times: int) -> list[int]:
    log = DecisionLog(LocalStorage(root))
    mine = replace(label("zoë", 1, 2), by=by)
    return [log.append(EP, mine).sequence for _ in range(times)]


def test_a_decision_comes_back_as_it_was_recorded(tmp_path: Path) -> None:
    log = DecisionLog(LocalStorage(tmp_path))

    recorded = log.append(EP, label("zoë", 1, 2))

    assert recorded.sequence == 1
    assert log.read(EP) == (recorded,)


def test_people_who_decide_at_once_lose_nothing(tmp_path: Path) -> None:
    given = race(decide_often, [(tmp_path, f"p{n}@host", 20) for n in range(4)])

    decisions = DecisionLog(LocalStorage(tmp_path)).read(EP)

    assert [d.sequence for d in decisions] == list(range(1, 81))
    for n, sequences in enumerate(given):
        assert [d.sequence for d in decisions if d.by == f"p{n}@host"] == sequences


def test_what_was_decided_in_view_of_less_is_not_recorded(tmp_path: Path) -> None:
    log = DecisionLog(LocalStorage(tmp_path))

    first = log.append_after(EP, label("anna", 1), 0)

    assert log.append_after(EP, label("ben", 1), 0) is None
    assert log.read(EP) == (first,)
    assert log.append_after(EP, label("ben", 1), 1) is not None


def test_episodes_do_not_mix_in_whatever_order_they_are_decided(tmp_path: Path) -> None:
    def told(root: Path, order: list[tuple[str, Decision]]) -> tuple[bytes, bytes]:
        log = DecisionLog(LocalStorage(root))
        for ep_id, decision in order:
            log.append(ep_id, decision)
        return file_of(root).read_bytes(), file_of(root, OTHER).read_bytes()

    mine = [(EP, label("anna", 1)), (EP, label("ben", 1))]
    theirs = [(OTHER, label("cleo", 3)), (OTHER, label(None, 3))]

    one_after_the_other = told(tmp_path / "a", [*mine, *theirs])
    assert told(tmp_path / "b", [theirs[0], mine[0], theirs[1], mine[1]]) == one_after_the_other


def test_a_torn_last_line_was_promised_to_nobody(tmp_path: Path) -> None:
    log = DecisionLog(LocalStorage(tmp_path))
    log.append(EP, label("anna", 1))
    with file_of(tmp_path).open("ab") as file:
        file.write(b'{"sequence": 2, "at"')

    assert len(log.read(EP)) == 1
    assert log.append(EP, label("ben", 1)).sequence == 2
    assert [d.cast_id for d in log.read(EP)] == ["anna", "ben"]


@pytest.mark.parametrize("wrong", [{"label": 5}, {"cast_id": 5}, {"by": None}, {"undoes": 3}])
def test_a_decision_with_a_value_that_it_cannot_have_is_damage(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    log = DecisionLog(LocalStorage(tmp_path))
    log.append(EP, label("anna", 1))
    line = json.dumps({**label("anna", 1).to_dict(), "sequence": 2, **wrong})
    with file_of(tmp_path).open("a") as file:
        file.write(f"{line}\n")

    with pytest.raises(ArtifactCorruptError, match="line 2"):
        log.read(EP)


@pytest.mark.parametrize("line", [b"{}\n", b"no json\n", b"[1]\n", b"null\n"])
def test_a_damaged_line_stops_everybody_and_is_named(tmp_path: Path, line: bytes) -> None:
    log = DecisionLog(LocalStorage(tmp_path))
    log.append(EP, label("anna", 1))
    with file_of(tmp_path).open("ab") as file:
        file.write(line)
    before = file_of(tmp_path).read_bytes()

    with pytest.raises(ArtifactCorruptError, match="line 2"):
        log.read(EP)
    with pytest.raises(ArtifactCorruptError, match="line 2"):
        log.append(EP, label("ben", 1))
    assert file_of(tmp_path).read_bytes() == before
