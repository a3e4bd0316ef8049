"""The commands below ``mlindex campaign``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlindex.apps.ends import problems_shown
from mlindex.apps.flags import count, folder

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
    from mlindex.apps.campaign import work

    raise typer.Exit(work.new(space, out, batch))


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
    from mlindex.apps.campaign import work

    raise typer.Exit(work.propose(folder, batch, anyway))


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

    Ends with 0, or 2 on wrong use or input, 3 on a fault of the program.
    """
    from mlindex.apps.campaign import work

    raise typer.Exit(work.tell(folder, results, replace, by))


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
    from mlindex.apps.campaign import work

    raise typer.Exit(work.report(folder, out))
