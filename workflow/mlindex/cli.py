"""The command ``mlindex``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from mlindex.errors import MlindexError

if TYPE_CHECKING:
    import pandas as pd

    from mlindex.indexing import IndexingResult

app = typer.Typer(
    help="The unit cell of a crystal from the peak positions of its powder pattern.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

FOUND, NONE_FOUND, BAD_USE = 0, 1, 2


@app.command()
def index(
    file: Annotated[Path, typer.Argument(help="Peak list: d, 2theta, q or q2, one line a peak.")],
    models: Annotated[
        Path, typer.Option(help="Folder with a trained model directory for each lattice system.")
    ] = Path("results/models"),
    lattice_system: Annotated[
        list[str] | None,
        typer.Option(help="Lattice system to try; can be given again. Default: all there are."),
    ] = None,
    wavelength: Annotated[
        float | None, typer.Option(help="Wavelength in A; needed for 2theta unless in the file.")
    ] = None,
    two_theta_error: Annotated[
        float, typer.Option(help="Expected error of 2theta in degrees.", min=1e-6)
    ] = 0.03,
    seed: Annotated[int, typer.Option(help="Seed of the random search.", min=0)] = 1,
    rows: Annotated[int, typer.Option(help="Cells to show.", min=1)] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
) -> None:
    """Index a peak list with trained models.

    Ends with 0 when the best cell is convincing (M above 10, at most two lines unindexed), 1 when
    none is, 2 on wrong use.
    """
    try:
        result = _index(file, models, lattice_system or [], wavelength, two_theta_error, seed, rows)
    except MlindexError as error:
        _fail(error)
    if as_json:
        typer.echo(json.dumps(_as_data(result), allow_nan=False))
    else:
        _show(result)
    raise typer.Exit(FOUND if result.convincing else NONE_FOUND)


@app.command()
def docs(
    folder: Annotated[Path, typer.Argument(help="Where to write config.md and tables.md.")] = Path(
        "docs"
    ),
) -> None:
    """Write the documentation of the config and of all tables from their declarations."""
    from mlindex.schema import document
    from mlindex.settings import root

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.md").write_text(_ended(root.document()), encoding="utf-8")
    (folder / "tables.md").write_text(_ended(document(all_tables())), encoding="utf-8")


def all_tables() -> list:
    """Every declared table, module by module in the order of declaration."""
    import importlib
    import pkgutil

    from mlindex import tables
    from mlindex.schema import Table

    names = sorted(module.name for module in pkgutil.iter_modules(tables.__path__))
    modules = [importlib.import_module(f"mlindex.tables.{name}") for name in names]
    return [v for module in modules for v in vars(module).values() if isinstance(v, Table)]


def _index(
    file: Path,
    models: Path,
    wanted: list[str],
    wavelength: float | None,
    two_theta_error: float,
    seed: int,
    rows: int,
) -> IndexingResult:
    # What can be wrong with the list is said before the slow import of TensorFlow.
    from mlindex.peaklist import read_peak_list

    peaks = read_peak_list(file, wavelength)
    directories = _model_directories(models, wanted)

    import numpy as np

    from mlindex.indexing import index_sample
    from mlindex.models import load_trained
    from mlindex.settings.models import Optimization

    sets = [models for directory in directories if (models := load_trained(directory))]
    rng = np.random.default_rng(seed)
    return index_sample(peaks, sets, Optimization(), rng, two_theta_error, keep=rows)


def _model_directories(models: Path, wanted: list[str]) -> list[Path]:
    from mlindex.lattice import SYSTEMS

    unknown = [name for name in wanted if name not in SYSTEMS]
    if unknown:
        raise MlindexError(
            f"unknown lattice system {unknown[0]!r}: expected one of {', '.join(SYSTEMS)}"
        )
    present = [name for name in SYSTEMS if (models / name).is_dir()]
    missing = [name for name in wanted if name not in present]
    if missing or not present:
        raise MlindexError(
            f"{models}: no models for {', '.join(missing) or 'any lattice system'} there (found: "
            f"{', '.join(present) or 'none'}); make them with 'snakemake --cores all "
            f"results/models/{missing[0] if missing else 'monoclinic'}' or give --models"
        )
    return [models / name for name in (dict.fromkeys(wanted) if wanted else present)]


def _as_data(result: IndexingResult) -> dict:
    def plain(frame: pd.DataFrame) -> list[dict]:
        records = json.loads(frame.to_json(orient="records", double_precision=15))
        return [
            {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in r.items()}
            for r in records
        ]

    return {
        "convincing": result.convincing,
        "notes": list(result.notes),
        "candidates": plain(result.candidates),
        "lines": plain(result.lines),
    }


def _show(result: IndexingResult) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for note in result.notes:
        console.print(f"note: {note}", markup=False)
    if result.candidates.empty:
        console.print("No cell found: try other lattice systems, or check lines and wavelength.")
        return
    # Twelve columns fit into the 80 characters of a plain terminal with one space between them.
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    numbers = ("a / A", "b / A", "c / A", "alpha", "beta", "gamma", "V / A³", "M", "F", "lines")
    for name in ("", "type", *numbers):
        table.add_column(name, justify="right" if name in numbers else "left", no_wrap=True)
    for row in result.candidates.to_dict("records"):
        lengths = (f"{row[f'{n}_A']:.4f}" for n in "abc")
        angles = (f"{row[f'{n}_deg']:.2f}" for n in ("alpha", "beta", "gamma"))
        f_value = row["f_n"]
        table.add_row(
            str(row["rank"]),
            row["bravais_lattice"],
            *lengths,
            *angles,
            f"{row['volume_A3']:.1f}",
            f"{row['m20']:.1f}",
            "" if f_value is None or math.isnan(f_value) else f"{f_value:.1f}",
            f"{row['indexed']}/{row['lines']}",
        )
    console.print(table)
    if not result.convincing:
        console.print("No convincing cell: M below 10, or more than two lines unindexed.")


def _ended(text: str) -> str:
    return text.rstrip("\n") + "\n"


def _fail(error: MlindexError) -> NoReturn:
    typer.echo(f"mlindex: {error}", err=True)
    raise typer.Exit(BAD_USE)


if __name__ == "__main__":
    app()
