"""The command ``mlindex``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mlindex.apps.campaign.commands import campaign
from mlindex.apps.cbed.commands import cbed
from mlindex.apps.codes import BAD_USE, FOUND, INTERRUPTED, NONE_FOUND
from mlindex.apps.ends import problems_shown
from mlindex.apps.flags import count, flag_of, folder, number, takes_options
from mlindex.apps.usage import OneLine
from mlindex.base.errors import MlindexError
from mlindex.indexing.options import Options

app = typer.Typer(
    cls=OneLine,
    help="The unit cell of a crystal from the peak positions of its powder pattern.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    # Plain help: that of rich takes twice as long to appear.
    rich_markup_mode=None,
)

app.add_typer(campaign, name="campaign")
app.add_typer(cbed, name="cbed")

#: Flags that ``symmetry`` shares with indexing.
_Wavelength, _TimeLimit = flag_of("wavelength_A"), flag_of("time_limit_s")


def _version(wanted: bool) -> None:
    if wanted:
        from mlindex import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The unit cell of a crystal from the peak positions of its powder pattern."""


@app.command()
@problems_shown()
@takes_options
def index(
    file: Annotated[
        Path, typer.Argument(help="Peak list or measured pattern, or - for standard input.")
    ],
    options: Options,
    rows: Annotated[int, typer.Option(help="Cells to show.", parser=count, metavar="integer")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for result.html, result.txt, result.json, best.cif, phase_2.cif if there "
            "is a second phase, tables, and for a pattern peaks.txt.",
            parser=folder,
            metavar="path",
        ),
    ] = None,
) -> None:
    """Find the unit cell of a peak list or a measured pattern; for many files, see 'batch'.

    Ctrl-C or SIGTERM ends the search early and shows what was found.

    Ends with 0 if the best cell is convincing, 1 if none is, 2 on wrong use or input, 3 on a fault
    of the program, 130 if Ctrl-C or SIGTERM came before there was a result.
    """
    from mlindex.apps import command

    options = replace(options, keep=max(options.keep, rows))
    file = Path("/dev/stdin") if str(file) == "-" else file
    command.require_output(out)
    done = command.run(file, options, quiet=as_json)
    command.tell(done, rows, as_json)
    if out is not None:
        command.write(done, out)
    raise typer.Exit(FOUND if done.result.convincing else NONE_FOUND)


@app.command()
@problems_shown()
@takes_options
def batch(
    sources: Annotated[
        list[str],
        typer.Argument(help="Files, folders, patterns such as 'scans/*.xye', or a table."),
    ],
    out: Annotated[Path, typer.Option(help="Table of candidates to write, name.parquet.")],
    options: Options,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes; one for each core.",
            parser=count,
            metavar="integer",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Index many samples, on all cores: peak lists, patterns, or a table of peak lists.

    A table of peak lists is Parquet or CSV with a row for each line and the rows of a sample
    together: a column 'sample' (or 'sample_id', 'entry_id') and a position named d_A,
    two_theta_deg, q_inv_A (1/d), Q (2 pi/d) or q2_inv_A2 (1/d²); intensity, fwhm_deg,
    two_theta_error_deg and wavelength_A if you have them.

    Writes three tables: name.parquet with the candidates of every sample, name.partners.parquet
    with lattices that have the same lines as the first of them, and name.samples.parquet with a
    row for each sample: its verdict and why, or the error of one that could not be read or
    indexed. What is no sample, such as a result of mlindex in a folder, is passed over and named
    at the end. Ctrl-C or SIGTERM ends the batch and keeps what is finished.

    Ends with 0 if any sample could be indexed, convincing or not, 2 on wrong use or if none could
    be read and indexed, 3 on a fault of the program, 130 after Ctrl-C or SIGTERM.
    """
    from mlindex.apps.batch import console

    summary = console.run(sources, out, options, workers)
    ended = BAD_USE if summary.ended or summary.failed else FOUND
    raise typer.Exit(INTERRUPTED if summary.interrupted else ended)


@app.command()
@problems_shown()
def symmetry(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Peak list or measured pattern, or - for standard input; or several, folders, "
            "patterns such as 'scans/*.xye', a table of peak lists."
        ),
    ],
    wavelength: _Wavelength = None,
    time_limit: _TimeLimit = 60.0,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Classifier to use, a file or a folder such as results/classifiers/bravais; the "
            "one that comes with mlindex if not given.",
            metavar="path",
            show_default=False,
        ),
    ] = None,
    rows: Annotated[
        int,
        typer.Option(
            help="Classes of each level to show or write.", parser=count, metavar="integer"
        ),
    ] = 5,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON; of many samples, one a line.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Table of classes to write, name.parquet.", metavar="path"),
    ] = None,
) -> None:
    """Rank Bravais lattices, extinction symbols and space groups by the lines, without a cell.

    Of one file the most probable classes are shown, and what is sure of them; of many, each is a
    line, or with --out a few rows of a table, with a row for each sample that can't be read.
    Space groups of one extinction symbol can't be told apart by the positions of lines: they are
    ranked by how often they are met.

    Ends with 0 if a class stands out, 1 if none does, 2 on wrong use or if nothing could be read,
    3 on a fault of the program, 130 after Ctrl-C or SIGTERM.
    """
    # Wrong values are refused as those of indexing are.
    options = Options(wavelength_A=wavelength, time_limit_s=time_limit)
    from mlindex.apps import symmetry as command

    raise typer.Exit(
        command.run(sources, options.wavelength_A, options.time_limit_s, model, rows, as_json, out)
    )


@app.command("next")
@problems_shown()
@takes_options
def next_(
    file: Annotated[
        Path, typer.Argument(help="Peak list or measured pattern, or - for standard input.")
    ],
    options: Options,
    on_offer: Annotated[
        list[str] | None,
        typer.Option(
            help="Wavelength that you can measure with, in A, or a tube such as Mo; more than once "
            "for several. That of the file if not given.",
            metavar="float|name",
            show_default=False,
        ),
    ] = None,
    reach: Annotated[
        tuple[float, float],
        typer.Option("--range", help="First and last 2theta that the diffractometer reaches."),
    ] = (5.0, 140.0),
    measured: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="First and last 2theta of the scan; if not given, those of the pattern, or up to "
            "the last line of the list.",
            show_default=False,
        ),
    ] = None,
    longest_time: Annotated[
        float,
        typer.Option(
            help="Longest counting time for a region, in multiples of that of the scan.",
            parser=number,
            metavar="float",
        ),
    ] = 16.0,
    resolution: Annotated[
        float | None,
        typer.Option(
            help="Lines nearer than this many degrees are one; as the list implies if not given.",
            parser=number,
            metavar="float",
            show_default=False,
        ),
    ] = None,
    decided: Annotated[
        float,
        typer.Option(
            help="A cell is decided from this probability on.", parser=number, metavar="float"
        ),
    ] = 0.95,
    regions: Annotated[
        int, typer.Option(help="Regions to propose, at most.", parser=count, metavar="integer")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for next.json and next_regions.parquet.", parser=folder, metavar="path"
        ),
    ] = None,
) -> None:
    """Say which region of 2theta to measure next, and how long, to tell the cells found apart.

    Each cell predicts lines that others don't. Regions are proposed in the order in which they are
    expected to tell most for their degrees times counting time, with what a line there would mean,
    and what none would. Cells that no position of a line tells apart are named.

    Ends with 0 if there is a region to measure, 1 if nothing needs to be measured or no region
    tells the cells apart, 2 on wrong use or input, 3 on a fault of the program, 130 after Ctrl-C or
    SIGTERM.
    """
    from mlindex.apps import next as command

    wanted = command.Asked.of(
        on_offer or (), reach, measured, longest_time, resolution, decided, regions
    )
    file = Path("/dev/stdin") if str(file) == "-" else file
    raise typer.Exit(command.run(file, options, wanted, as_json, out))


@app.command("warm-up")
@problems_shown()
def warm_up() -> None:
    """Compile everything now (about a minute) so that the first run does not have to."""
    from mlindex.classification.asking import symmetry
    from mlindex.indexing.compiling import announced, example
    from mlindex.wholepattern import compiling

    with announced() as compiled:
        compiling.warm_up()
        symmetry(example())
    typer.echo("compiled" if compiled else "compiled already")


@app.command()
def formats() -> None:
    """The file formats that can be read."""
    from mlindex.files import supported

    for suffixes, what in supported():
        typer.echo(f"{what}\n    {' '.join(suffixes)}")


@app.command()
@problems_shown()
def verify(
    results: Annotated[Path, typer.Argument(help="Folder with the results.")] = Path("results"),
    sources: Annotated[
        bool,
        typer.Option("--sources/--skip-sources", help="Compare the CIF files of the sources too."),
    ] = True,
) -> None:
    """Check results: schemas, counts, digests, and that training and validation are kept apart."""
    from mlindex.base.extras import needing

    with needing("mlindex verify"):
        from mlindex.apps.verify import verify_results
    report = verify_results(results, sources=sources)
    if not report.checked and not report.findings:
        raise MlindexError(f"{results}: holds no results; give the folder that the workflow fills")
    typer.echo(report.as_text())
    raise typer.Exit(report.exit_code)


@app.command()
@problems_shown()
def docs(
    folder: Annotated[
        Path, typer.Argument(help="Folder to write to; it must be there.", show_default=True)
    ] = Path("docs/reference"),
) -> None:
    """Write the reference pages: config, tables, command line, Python, file formats.

    They are generated from the declarations in the code; run it in a clone of the repository after
    changing a setting, a table, an option or a docstring.
    """
    from mlindex.apps.reference import pages
    from mlindex.apps.signals import handled, tidily
    from mlindex.base.atomic import atomic_path

    if not folder.is_dir():
        raise MlindexError(f"{folder}: no such folder; run this in a clone, or name a folder")
    for name, text in pages(app).items():
        with handled(tidily), atomic_path(folder / name) as path:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    app()
