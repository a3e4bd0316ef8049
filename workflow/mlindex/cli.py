"""The command ``mlindex``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mlindex.errors import MlindexError

app = typer.Typer(
    help="The unit cell of a crystal from the peak positions of its powder pattern.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

FOUND, NONE_FOUND, BAD_USE = 0, 1, 2


@app.command()
def index(
    file: Annotated[Path, typer.Argument(help="Peak list or measured pattern; see 'formats'.")],
    wavelength: Annotated[
        float | None, typer.Option(help="Wavelength in A; needed for 2theta unless in the file.")
    ] = None,
    lattice: Annotated[
        list[str] | None,
        typer.Option(help="Lattice system or Bravais lattice to try; can be given again."),
    ] = None,
    error: Annotated[
        float | None, typer.Option(help="Standard error of 2theta in degrees.", min=1e-6)
    ] = None,
    lines: Annotated[int, typer.Option(help="Lines to use, from the first.", min=4, max=60)] = 20,
    time_limit: Annotated[float, typer.Option(help="Seconds; then what was found is shown.")] = 60,
    rows: Annotated[int, typer.Option(help="Cells to show.", min=1)] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for result.html, result.json, best.cif, peaks.txt and tables."),
    ] = None,
) -> None:
    """Find the unit cell of a peak list or a measured pattern; nothing else is needed.

    Ends with 0 when the best cell is convincing, 1 when none is, 2 on wrong use. Ctrl-C ends the
    search early and shows what was found.
    """
    from mlindex import command

    try:
        done = command.run(file, wavelength, lattice or [], error, lines, time_limit, rows, as_json)
        if as_json:
            typer.echo(command.as_json(done))
        else:
            command.show(done, rows)
        if out is not None:
            command.write(done, out)
    except MlindexError as problem:
        _fail(problem)
    raise typer.Exit(FOUND if done.result.convincing else NONE_FOUND)


@app.command()
def formats() -> None:
    """The file formats that can be read."""
    from mlindex.readers import supported

    for suffixes, what in supported():
        typer.echo(f"{suffixes if isinstance(suffixes, str) else ' '.join(suffixes):24} {what}")


@app.command()
def verify(
    results: Annotated[Path, typer.Argument(help="Folder with the results.")] = Path("results"),
    sources: Annotated[
        bool, typer.Option("--sources/--skip-sources", help="Compare source files too.")
    ] = True,
) -> None:
    """Check results: schemas, counts, digests, and that no model saw its validation side."""
    from mlindex.verify import verify_results

    try:
        report = verify_results(results, sources=sources)
    except MlindexError as problem:
        _fail(problem)
    typer.echo(report.as_text())
    raise typer.Exit(report.exit_code)


@app.command()
def docs(
    folder: Annotated[Path, typer.Argument(help="Where to write config.md and tables.md.")] = Path(
        "docs"
    ),
) -> None:
    """Write the documentation of the config and of all tables from their declarations."""
    from mlindex.schema import document
    from mlindex.settings import root
    from mlindex.tables import declared

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.md").write_text(_ended(root.document()), encoding="utf-8")
    (folder / "tables.md").write_text(_ended(document(declared())), encoding="utf-8")


def _ended(text: str) -> str:
    return text.rstrip("\n") + "\n"


def _fail(error: MlindexError) -> NoReturn:
    typer.echo(f"mlindex: {error}", err=True)
    raise typer.Exit(BAD_USE)


if __name__ == "__main__":
    app()
