"""The Dagster side of checks: specs on the assets, results in the assets' own step.

A check never blocks and never fails the step. What is published was validated by the store,
so what a check finds is for people to look at; a run that made everything did not fail. A
check that cannot be made (a file gone meanwhile, a bug) is a failed check with its error as
text: silence would leave the last result standing, and Dagster misses a planned result.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import dagster as dg

from screenalytics_assets.beta import without_beta_warnings
from screenalytics_assets.checks.base import Check, Outcome, Values
from screenalytics_assets.checks.registry import CHECKS
from screenalytics_assets.checks.values import PublishedValues
from screenalytics_assets.partitions import EPISODES
from screenalytics_assets.session import RunSession
from screenalytics_assets.tables import figures_table
from screenalytics_core.artifact_store import ArtifactRef
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.errors import ScreenalyticsError
from screenalytics_core.report import text
from screenalytics_core.report.wording import expected

_LOG: Final = logging.getLogger(__name__)


def check_specs(assets: Sequence[str]) -> list[dg.AssetCheckSpec]:
    """Return the specs of all checks of `assets`."""
    with without_beta_warnings():
        return [
            dg.AssetCheckSpec(
                check.name,
                asset=asset,
                description=check.description,
                blocking=False,
                # Else a good episode hides the warning of the one before it.
                partitions_def=EPISODES,
            )
            for asset in assets
            for check in CHECKS.get(asset, ())
        ]


def check_results(
    selected: Sequence[dg.AssetCheckKey] | frozenset[dg.AssetCheckKey],
    session: RunSession,
    inputs: Mapping[ArtifactKind, ArtifactRef],
) -> Iterator[dg.AssetCheckResult]:
    """Make the selected checks on what the run holds now, reused or computed.

    Args:
        inputs: What the step read; looked at where the run itself does not hold it, as with
            manifests of the seeds.
    """

    def find(kind: ArtifactKind) -> ArtifactRef | None:
        own = session.stores.artifacts.ref(session.ep_id, session.run_id, kind)
        return inputs.get(kind) if own is None else own

    values = PublishedValues(find)
    for key in sorted(selected, key=lambda k: (k.asset_key.path, k.name)):
        check = _check(key)
        outcome = _outcome(check, values)
        yield dg.AssetCheckResult(
            passed=outcome.passed,
            asset_key=key.asset_key,
            check_name=key.name,
            severity=_SEVERITY[outcome.is_error],
            description=outcome.summary,
            metadata={"run_id": session.run_id, **_shown(outcome)},
        )


_SEVERITY: Final = {True: dg.AssetCheckSeverity.ERROR, False: dg.AssetCheckSeverity.WARN}


def _check(key: dg.AssetCheckKey) -> Check:
    checks = CHECKS[key.asset_key.to_user_string()]
    return next(check for check in checks if check.name == key.name)


def _outcome(check: Check, values: Values) -> Outcome:
    try:
        return check.run(values)
    except Exception as error:  # noqa: BLE001 - a bug in a check must not fail what it looks at
        _LOG.warning("check %s could not be made", check.name, exc_info=True)
        is_ours = isinstance(error, ScreenalyticsError)
        said = str(error) if is_ours else f"{type(error).__name__}: {error}"
        return Outcome(passed=False, summary=f"The check could not be made: {said}")


def _shown(outcome: Outcome) -> dict[str, Any]:
    shown = dict(outcome.facts)
    for figure in outcome.figures:
        if figure.is_warning:
            value = text.number(figure.value)
            shown[figure.title] = f"{value} (usual: {expected(figure)}). {figure.advice}"
    if outcome.figures:
        shown["figures"] = figures_table(outcome.figures)
    # The UI plots numbers over the runs.
    measured = {f.name: float(f.value) for f in outcome.figures if f.value is not None}
    return {**shown, **measured}
