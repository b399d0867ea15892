"""What a season's story came to, against its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.quality.limits import Verdict
from benchmarks.season.story import KILLS

# The issue's own.
SECONDS_LIMIT_PERCENT: Final = 2.0
RECLUSTER_LIMIT_S: Final = 10.0


def verdicts(result: Mapping[str, Any]) -> list[Verdict]:
    """Return what must hold of the steps that were done, and whether it does."""
    return [*_of_backfill(result), *_of_people(result), *_of_reclustering(result)]


def _of_backfill(result: Mapping[str, Any]) -> Iterator[Verdict]:
    if told := result.get("backfill"):
        killed = len(told["kills"])
        yield Verdict(f"backfill is killed {KILLS} times", killed, killed == KILLS)
        left = result["episodes"] - told["finished"]
        yield Verdict("episodes without a result", left, left == 0)
        again = len(told["computed_again"])
        yield Verdict("finished episodes that are computed again", again, again == 0)


def _of_people(result: Mapping[str, Any]) -> Iterator[Verdict]:
    for row in result.get("people", ()):
        value = row["error_percent"]
        what = f"{row['person']}: error of the season's seconds <= {SECONDS_LIMIT_PERCENT:g} %"
        yield Verdict(what, value, value <= SECONDS_LIMIT_PERCENT)


def _of_reclustering(result: Mapping[str, Any]) -> Iterator[Verdict]:
    for told in result.get("reclustering", ()):
        at = f"clustered anew at {told['cluster_thresh']:g}"
        lost = told["names"] - told["names_kept"]
        yield Verdict(f"{at}: names that are lost", lost, lost == 0)
        slowest_s = told["backfill"]["slowest_run_s"]
        what = f"{at}: s of the slowest episode < {RECLUSTER_LIMIT_S:g}"
        yield Verdict(what, slowest_s, slowest_s < RECLUSTER_LIMIT_S)


def result_lines(result: Mapping[str, Any]) -> list[str]:
    """Return the result for people."""
    lines = [*_backfill_lines(result), *_name_lines(result), *_people_lines(result)]
    lines += [""] + [
        f"{'holds' if limit['holds'] else 'DOES NOT HOLD':<15}{limit['value']:<9.4g}{limit['what']}"
        for limit in result["limits"]
    ]
    return lines


def _backfill_lines(result: Mapping[str, Any]) -> Iterator[str]:
    if told := result.get("backfill"):
        kills = ", ".join(f"after {k['lived_s']:g} s ({k['finished']} done)" for k in told["kills"])
        yield f"backfill of {result['episodes']} episodes, killed {kills}"
        yield f"  {_cost(told['last'])}"


def _name_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for told in result.get("naming", ()):
        named = sum(map(len, told["named"].values()))
        yield f"{named} named in {', '.join(told['named'])}: {_names(told['names']['all'])}"
        yield f"  {_cost(told['backfill'])}"
    if told := result.get("suggestions"):
        confirmed = sum(map(len, told["confirmed"].values()))
        yield (
            f"names suggested: {told['shown']} people, {confirmed} confirmed: "
            f"{_names(told['names']['all'])}"
        )
    if told := result.get("links"):
        yield (
            f"links: {told['confirmed']} confirmed, {told['rejected']} rejected, "
            f"{told['statuses'].get('conflict', 0)} conflicts: {_names(told['names']['all'])}"
        )
    if told := result.get("review"):
        yield (
            f"review of {told['looked_at']} doubts: "
            f"{sum(map(len, told['moved'].values()))} tracks moved, "
            f"{sum(map(len, told['named'].values()))} people named: {_names(told['names']['all'])}"
        )
    for told in result.get("reclustering", ()):
        yield (
            f"clustered anew at {told['cluster_thresh']:g}: {told['names_kept']} of "
            f"{told['names']} names kept, {told['kept_s']:.1f} of {told['named_s']:.1f} s"
        )
        yield f"  {_cost(told['backfill'])}"


def _people_lines(result: Mapping[str, Any]) -> Iterator[str]:
    if result.get("people"):
        yield ""
        yield (
            f"{'':<16}{'episodes':>10}{'true s':>10}{'stated s':>10}{'error %':>9}{'tolerant':>9}"
            f"{'unreviewed':>12}"
        )
    before = {row["person"]: row for row in result.get("people_unreviewed", ())}
    for row in result.get("people", ()):
        unreviewed = before.get(row["person"], row)["error_percent"]
        yield (
            f"{row['person']:<16}{row['stated_episodes']:>4} of {row['episodes']:>3}"
            f"{row['true_s']:>10.2f}{row['stated_s']:>10.2f}"
            f"{row['error_percent']:>9.2f}{row['tolerant_error_percent']:>9.2f}"
            f"{unreviewed:>12.2f}"
        )


def _names(told: Mapping[str, float]) -> str:
    return (
        f"{told['right_s']:.1f} s right, {told['wrong_s']:.1f} s wrong, {told['unnamed_s']:.1f} s "
        f"unnamed, {told['strangers_named_s']:.1f} s of strangers named"
    )


def _cost(told: Mapping[str, Any]) -> str:
    return (
        f"{told['episodes']} episodes: {told['wall_s_per_episode']:.1f} s and "
        f"{told['cpu_s_per_episode']:.1f} CPU s each, the slowest {told['slowest_run_s']:.1f} s"
    )
