"""The import contracts of pyproject.toml hold, and each of them bites.

The contracts are checked on the graph of the real imports; the second test adds one
forbidden import at a time to a copy of that graph and expects its contract to break.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.application.use_cases import _register_contract_types as register_types
from importlinter.application.use_cases import read_user_options
from importlinter.domain.contract import Contract, registry

from tests.architecture.house import ROOT

PYPROJECT = str(ROOT / "pyproject.toml")
CONFIG = read_configuration(PYPROJECT)
CONTRACTS: dict[str, dict[str, Any]] = {c["id"]: c for c in CONFIG["contracts_options"]}

CORE, ASSETS = "screenalytics_core", "screenalytics_assets"
API = f"{ASSETS}.api"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(CORE, ASSETS, include_external_packages=True, cache_dir=None)


def is_kept(contract_id: str, graph: grimp.ImportGraph) -> bool:
    register_types(read_user_options(PYPROJECT))
    options = CONTRACTS[contract_id]
    contract: Contract = registry.get_contract_class(options["type"])(
        options["name"], CONFIG["session_options"], options
    )
    # Contracts remove the imports that they ignore from the graph they are given.
    return bool(contract.check(deepcopy(graph), verbose=False).kept)


@pytest.mark.parametrize("contract_id", CONTRACTS)
def test_the_imports_keep_their_contract(contract_id: str, graph: grimp.ImportGraph) -> None:
    assert is_kept(contract_id, graph), f"run `lint-imports` for the chain that broke {contract_id}"


@pytest.mark.parametrize(
    ("contract_id", "importer", "imported"),
    [
        ("packages", f"{CORE}.config", f"{ASSETS}.settings"),
        ("packages", f"{CORE}.steps.base", "dagster"),
        ("packages", f"{CORE}.layout", "typer"),
        ("packages", f"{CORE}.layout", "fastapi"),
        ("ledger-to-schema", f"{CORE}.schema", f"{CORE}.artifacts"),
        ("ledger-to-schema", f"{CORE}.layout", f"{CORE}.storage"),
        ("ledger-to-schema", f"{CORE}.storage", f"{CORE}.manifest"),
        ("ledger-to-schema", f"{CORE}.manifest", f"{CORE}.artifact_store"),
        ("ledger-to-schema", f"{CORE}.artifact_store", f"{CORE}.ledger"),
        ("steps-to-vision", f"{CORE}.vision.video", f"{CORE}.steps.base"),
        ("steps-to-vision", f"{CORE}.vision.video", f"{CORE}.report"),
        ("pure", f"{CORE}.steps.base", f"{CORE}.storage"),
        ("pure", f"{CORE}.vision.video", f"{CORE}.layout"),
        ("pure", f"{CORE}.steps.base", f"{CORE}.ledger"),
        ("ground", f"{CORE}.errors", f"{CORE}.config"),
        ("ground", f"{CORE}.config", f"{CORE}.stages"),
        ("service-importers", f"{ASSETS}.engine", f"{API}.launching"),
        ("service-importers", f"{ASSETS}.api_client", f"{API}.progress.models"),
        ("command-line-over-service", f"{API}.jobs", f"{ASSETS}.cli.console"),
        ("service-rooms", f"{API}.service", f"{API}.ids"),
        ("service-rooms", f"{API}.security.guard", f"{API}.service"),
        ("service-rooms", f"{API}.launching", f"{API}.service"),
        ("service-rooms", f"{API}.jobs", f"{API}.pages.rendering"),
        ("service-rooms", f"{API}.jobs", f"{API}.uploads"),
        ("progress-rooms", f"{API}.progress.teller", f"{API}.progress.feeds"),
        ("pages-rooms", f"{API}.pages.run_view", f"{API}.pages.routes"),
        ("security-rooms", f"{API}.security.admission", f"{API}.security.guard"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(
    contract_id: str, importer: str, imported: str, graph: grimp.ImportGraph
) -> None:
    broken = deepcopy(graph)
    broken.add_module(importer)
    broken.add_module(imported, is_squashed=not imported.startswith((CORE, ASSETS)))
    broken.add_import(importer=importer, imported=imported)

    assert not is_kept(contract_id, broken)


@pytest.mark.parametrize(
    ("contract_id", "package"),
    [
        ("ledger-to-schema", CORE),
        ("service-rooms", API),
        ("progress-rooms", f"{API}.progress"),
        ("pages-rooms", f"{API}.pages"),
        ("security-rooms", f"{API}.security"),
    ],
)
def test_a_new_module_must_be_given_its_place(
    contract_id: str, package: str, graph: grimp.ImportGraph
) -> None:
    grown = deepcopy(graph)
    grown.add_module(f"{package}.somewhere")

    assert not is_kept(contract_id, grown)


def test_every_contract_is_proved_by_a_break() -> None:
    marker = test_a_forbidden_import_breaks_its_contract.pytestmark[0]  # type: ignore[attr-defined]

    assert {case[0] for case in marker.args[1]} == set(CONTRACTS)
