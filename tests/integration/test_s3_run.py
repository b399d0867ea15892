"""An episode's run with its data root in a bucket: the same bytes, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from screenalytics_assets.engine import EpisodeRunResult, Launch, run_episode, run_stage
from screenalytics_assets.s3_health import check_bucket
from screenalytics_assets.settings import Settings
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.ledger.events import EventKind
from screenalytics_core.s3_layout import s3_keys
from screenalytics_core.storage.data_root import S3Root
from tests.command_line import screenalytics
from tests.integration.support import EP_ID, WAIT_S, balanced, content
from tests.s3_roots import S3House, s3_house

RUN_FOLDER = "shows/runs/show/s01/e01/first"
LEGACY_FOLDER = f"shows/runs/{EP_ID}/first"

# A run that says so in a file as soon as its tracks are published.
RUN = """
import sys
from pathlib import Path
from screenalytics_assets.engine import Launch, run_episode
from screenalytics_assets.settings import Settings
from tests.integration.support import EP_ID, balanced

def say(step, done, total, message):
    if step == "faces":
        Path(sys.argv[2]).touch()

run_episode(EP_ID, sys.argv[1], balanced(), settings=Settings.from_env(),
            launch=Launch(run_id="first", listener=say))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3House]:
    with s3_house(tmp_path_factory.mktemp("s3")) as house:
        yield house


@pytest.fixture(scope="module")
def in_bucket(house: S3House, clip: Path) -> tuple[S3House, EpisodeRunResult]:
    """The run `first`: killed in its faces, then resumed over a server that is busy at times.

    That server is killed twice meanwhile, each time when it has done what it then cannot answer.
    """
    settings = house.settings()
    marker = house.folder / "faces"
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(clip), str(marker)],
        env=settings.child_environment(),
        cwd=Path(__file__).parents[2],
    )
    deadline = time.monotonic() + 3 * WAIT_S
    while not marker.exists():
        assert process.poll() is None, "the run ended before its faces"
        assert time.monotonic() < deadline, "the run never came to its faces"
        time.sleep(0.05)
    process.kill()
    process.wait()
    check_nothing_is_half_there(house)
    house.faults.throttles = 7
    house.faults.dies_after = [f"{RUN_FOLDER}/manifest.json", f"{RUN_FOLDER}/events.jsonl"]
    result = run_episode(EP_ID, None, balanced(), settings=settings, launch=Launch(run_id="first"))
    house.faults.throttles = 0
    return house, result


def check_nothing_is_half_there(house: S3House) -> None:
    """Every file that the manifest names is there with its hash."""
    manifest = json.loads(house.get(f"{RUN_FOLDER}/manifest.json"))
    files = [file for entry in manifest["entries"].values() for file in entry["files"]]
    assert files
    for file in files:
        found = hashlib.sha256(house.get(f"{RUN_FOLDER}/{file['path']}")).hexdigest()
        assert found == file["sha256"], file["path"]


def test_a_run_that_was_killed_and_throttled_gives_the_bytes_of_a_local_one(
    in_bucket: tuple[S3House, EpisodeRunResult], finished: tuple[Settings, EpisodeRunResult]
) -> None:
    house, result = in_bucket

    assert result.success, result.error
    assert content(house.settings(), "first") == content(finished[0], "first")
    check_nothing_is_half_there(house)


def test_a_server_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    in_bucket: tuple[S3House, EpisodeRunResult],
) -> None:
    house, result = in_bucket
    log = Stores.open(house.settings().data_root).ledger.log.read(EP_ID, "first")

    assert house.faults.dies_after == [], "it was not killed"
    assert result.success, result.error
    assert [event.sequence for event in log] == list(range(1, len(log) + 1))
    assert len({event.event_id for event in log}) == len(log)
    assert EventKind.RUN_COMPLETED in {event.kind for event in log}


def test_what_was_published_before_the_kill_is_not_made_again(
    in_bucket: tuple[S3House, EpisodeRunResult],
) -> None:
    stores = Stores.open(in_bucket[0].settings().data_root)
    entries = stores.artifacts.manifest(EP_ID, "first").entries

    assert entries[ArtifactKind.TRACKS].attempt == 1
    assert entries[ArtifactKind.REPORT].attempt == 2
    assert [a.n for a in stores.attempts.list(EP_ID, "first")] == [1, 2]


def test_whoever_has_the_index_opens_the_report(
    in_bucket: tuple[S3House, EpisodeRunResult],
) -> None:
    house, _ = in_bucket
    index = json.loads(house.get(f"shows/projects/{EP_ID}/runs/first/index.json"))

    answer = httpx.get(index["reportUrl"])

    assert index["status"] == "completed"
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content == house.get(f"{RUN_FOLDER}/report.pdf")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("runs", "verify", f"{EP_ID}/first"), "files are as they were published"),
        (("status", EP_ID), "completed"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_commands_read_a_bucket(
    in_bucket: tuple[S3House, EpisodeRunResult], arguments: tuple[str, ...], said: str
) -> None:
    house, _ = in_bucket

    done = screenalytics(*arguments, "--data-root", house.url)

    assert done.returncode == 0, done.stderr
    assert said in done.stdout + done.stderr


def test_runs_of_the_legacy_layout_are_read_and_taken_over(
    in_bucket: tuple[S3House, EpisodeRunResult], clip: Path, tmp_path: Path
) -> None:
    made, _ = in_bucket
    with s3_house(tmp_path) as house:
        for name in made.names():
            house.put(name.replace(RUN_FOLDER, LEGACY_FOLDER), made.get(name))
        settings = house.settings()
        stores = Stores.open(settings.data_root)

        assert content(settings, "first") == content(made.settings(), "first")
        assert stores.require(EP_ID, "first", ArtifactKind.SCREEN_TIME).read()["people"]
        assert stores.ledger.facts(EP_ID, "first").status == "completed"
        assert [record.run_id for record in stores.runs.list_records(EP_ID)] == ["first"]

        result = run_stage(
            EP_ID, None, balanced(), "pdf", settings=settings, launch=Launch(run_id="second")
        )

        assert result.success, result.error
        assert stores.artifacts.manifest(EP_ID, "second").entries.keys() >= {"tracks", "report"}
        assert not [name for name in house.names() if name.startswith(f"{RUN_FOLDER}/report")]
        second = s3_keys(f"manifests/{EP_ID}/runs/second/report.pdf", "shows")[0]
        assert second in house.names()


# --- docs/s3.md ------------------------------------------------------------------------------

DOCUMENT = (Path(__file__).parents[2] / "docs" / "s3.md").read_text(encoding="utf-8")


def documented_commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    lines = [line.split(" #")[0].split() for block in blocks for line in block.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["screenalytics"]]


@pytest.mark.parametrize("words", documented_commands(), ids=" ".join)
def test_the_documents_commands_work(
    in_bucket: tuple[S3House, EpisodeRunResult], words: list[str]
) -> None:
    words = [EP_ID if word == "rhobh-s05e14" else word for word in words]

    done = screenalytics(*words, "--data-root", in_bucket[0].url)

    assert done.returncode == 0, done.stderr + done.stdout


def test_the_documents_policy_allows_what_is_done(house: S3House) -> None:
    [policy] = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    allowed = {action for s in json.loads(policy)["Statement"] for action in s["Action"]}
    house.faults.denies = lambda method, query: "list-type" not in query
    root = house.settings().data_root
    assert isinstance(root, S3Root)

    [refused] = [found for name, _, found in check_bucket(root) if name == "permissions"]

    house.faults.denies = lambda method, query: False
    assert allowed == {"s3:ListBucket", *re.findall(r"s3:\w+", refused.split(";")[0])}


def test_the_document_names_the_settings_and_their_defaults(tmp_path: Path) -> None:
    settings = Settings.from_env({}, data_root="s3://my-bucket/shows")
    root = settings.data_root
    assert isinstance(root, S3Root)

    assert f"| {root.cache.limit_bytes // 10**9} |" in DOCUMENT
    assert f"~/{root.cache.path.relative_to(Path.home())}" in DOCUMENT
    home = str(settings.dagster_home.relative_to(Path.home())).replace(root.name, "{bucket}-{hash}")
    assert f"~/{home}" in DOCUMENT
