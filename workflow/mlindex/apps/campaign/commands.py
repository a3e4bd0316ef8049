"""The commands below ``mlindex campaign``."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from mlindex.apps.ends import problems_shown
from mlindex.apps.flags import count, folder
from mlindex.apps.loading import loaded

campaign = typer.Typer(
    help="Plan experiments: which to do next, by what the earlier ones gave.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Folder = Annotated[
    Path, typer.Argument(help="Folder of the campaign.", parser=folder, metavar="FOLDER")
]
_Batch = Annotated[
    int | None,
    typer.Option(
        help="Experiments to propose; as space.yaml says if not given.",
        parser=count,
        metavar="integer",
        show_default=False,
    ),
]


def _work() -> ModuleType:
    def load() -> ModuleType:
        from mlindex.apps.campaign import work

        return work

    return loaded("mlindex campaign", "campaigns", load)


@campaign.command()
@problems_shown()
def new(
    space: Annotated[Path, typer.Argument(help="space.yaml: what may be varied and is measured.")],
    out: Annotated[Path, typer.Option(help="Folder to make.", parser=folder, metavar="path")],
    batch: _Batch = None,
) -> None:
    """Begin a campaign: check the space, make the folder, propose the first experiments.

    Writes proposals.csv with an empty column for each objective: fill it in and give it back with
    'mlindex campaign tell'.

    Ends with 0, or 2 on wrong use or input, 3 on a fault of the program.
    """
    raise typer.Exit(_work().new(space, out, batch))


@campaign.command()
@problems_shown()
def propose(
    folder: _Folder,
    batch: _Batch = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Propose even where a stop rule is met.")
    ] = False,
) -> None:
    """Propose the next experiments, with what is expected of each and why.

    Writes proposals.csv and proposals.parquet into the folder. What was measured, is pending,
    failed or is excluded is not proposed again.

    Ends with 0 if there are proposals, 1 if a stop rule is met or nothing is left, 2 on wrong use
    or input, 3 on a fault of the program.
    """
    raise typer.Exit(_work().propose(folder, batch, anyway))


@campaign.command()
@problems_shown()
def tell(
    folder: _Folder,
    results: Annotated[list[Path], typer.Argument(help="Tables of results, CSV or Parquet.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Let them take the place of other results.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(help="Who gives them; you, if not given.", metavar="name", show_default=False),
    ] = None,
) -> None:
    """Give results: proposals.csv filled in, or any table with the same columns.

    A row is known by its id, or by its values, which are taken as measured: the nearest planned
    ones within the tolerance of space.yaml are meant. Other values are an experiment of your own.
    Columns: id, the quantities, the objectives, and where there is something to say status
    (measured, failed, pending, excluded), replicate, cost, note. A row without a result is passed
    over. A table with a mistake in it is refused whole.

    An objective with 'score: mlindex' is given as the name of a pattern or peak list beside the
    table, which is indexed: from 2 on there is a convincing cell. The reason goes into the note.

    Ends with 0, or 2 on wrong use or input, 3 on a fault of the program.
    """
    raise typer.Exit(_work().tell(folder, results, replace, by))


@campaign.command()
@problems_shown()
def report(
    folder: _Folder,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Page to write; report.html in the folder if not given.",
            metavar="path",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write one page on the campaign: the best so far, what the model goes by, how right it was.

    Ends with 0, or 2 on wrong use or input, 3 on a fault of the program.
    """
    raise typer.Exit(_work().report(folder, out))


@campaign.command()
@problems_shown()
def replay(
    table: Annotated[Path, typer.Argument(help="Measured table, CSV or Parquet.")],
    objective: Annotated[
        str | None,
        typer.Option(
            help="Column of the score; that of the space if not given.",
            metavar="name",
            show_default=False,
        ),
    ] = None,
    minimize: Annotated[
        bool, typer.Option("--minimize", help="Small scores are the good ones.")
    ] = False,
    levels: Annotated[
        str,
        typer.Option(help="Levels of an ordinal score, the worst first: clear,powder,crystals."),
    ] = "",
    space: Annotated[
        Path | None,
        typer.Option(
            help="space.yaml of the table; the file beside it that has its name and no objective "
            "is given, else all columns are quantities.",
            metavar="path",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="Method; that of the space if not given.", show_default=False)
    ] = "",
    seeds: Annotated[int, typer.Option(help="Replays.", parser=count, metavar="integer")] = 10,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Measurements of each; a quarter of the conditions, 60 at least, if not given.",
            parser=count,
            metavar="integer",
            show_default=False,
        ),
    ] = None,
    batch: Annotated[
        int, typer.Option(help="Measurements at a time.", parser=count, metavar="integer")
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="Table of all replays to write, name.parquet.", metavar="path"),
    ] = None,
) -> None:
    """Say how much faster than random a method would have found the best of a measured table.

    Replicates are averaged; a replay measures two conditions by chance and then asks the method.
    The figures are those of Liang et al. 2021 (npj Comput. Mater. 7, 188).

    Ends with 0, or 2 on wrong use or input, 3 on a fault of the program.
    """
    work = _work()
    given = work.replay_settings(method=method, seeds=seeds, steps=steps or 0, batch=batch)
    names = [name.strip() for name in levels.split(",") if name.strip()]
    raise typer.Exit(work.replay(table, objective, minimize, names, space, given, out))
