"""The commands below ``mlindex cbed``."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from mlindex.apps.ends import problems_shown
from mlindex.apps.flags import number
from mlindex.apps.loading import loaded

cbed = typer.Typer(
    help="Convergent-beam electron diffraction: simulate stacks of patterns, read files of them, "
    "tell the symmetry of their crystals.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _work() -> ModuleType:
    def load() -> ModuleType:
        from mlindex.apps.cbed import work

        return work

    return loaded("mlindex cbed", "cbed", load)


def _symmetry() -> ModuleType:
    def load() -> ModuleType:
        from mlindex.apps.cbed import symmetry

        return symmetry

    return loaded("mlindex cbed", "cbed", load)


def _number(text: str) -> float:
    return typer.Option(help=text, parser=number, metavar="float")


@cbed.command()
@problems_shown()
def simulate(
    crystal: Annotated[Path, typer.Argument(help="CIF file.")],
    out: Annotated[Path, typer.Option(help="File to write, name.h5.", metavar="path")],
    zone: Annotated[
        list[str] | None,
        typer.Option(
            help="Zone axis such as '1 1 0' or 110; more than once for several. The three of the "
            "challenge's rule if not given: those of the strongest powder lines.",
            show_default=False,
            metavar="u v w",
        ),
    ] = None,
    energy: Annotated[
        list[float] | None,
        typer.Option(
            help="Energy of the electrons in keV; more than once for several. 100 if not given.",
            parser=number,
            metavar="float",
            show_default=False,
        ),
    ] = None,
    thickness: Annotated[
        list[float] | None,
        typer.Option(
            help="Thickness in A; more than once for several, at hardly any cost. 100 if not "
            "given.",
            parser=number,
            metavar="float",
            show_default=False,
        ),
    ] = None,
    semi_angle: Annotated[
        float | None,
        typer.Option(
            help="Semi-angle of convergence in mrad; if not given, half the Bragg angle at 100 keV "
            "of the zone's strongest line, or for named zones of their nearest reflection.",
            parser=number,
            metavar="float",
            show_default=False,
        ),
    ] = None,
    absorption: Annotated[float, _number("Imaginary part of the potential.")] = 0.05,
    dose: Annotated[float, _number("Electrons in a pattern; 0 for no noise.")] = 0.0,
    blur: Annotated[float, _number("Point spread, standard deviation in pixels.")] = 0.0,
    tilt: Annotated[float, _number("Misalignment, standard deviation in mrad.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of noise and misalignment.", min=0)] = 0,
    compressed: Annotated[
        bool,
        typer.Option("--compressed", help="Chunks with gzip in place of the challenge's layout."),
    ] = False,
) -> None:
    """Simulate stacks of a crystal: a pattern along each zone, for each energy and thickness.

    Writes HDF5 in the layout of the SMC 2019 challenge, and beside it a PNG of the first stack.
    Dynamical diffraction in beam space: the strong beams interact, weak and distant ones perturb
    them to third order; upper Laue zones, Debye-Waller factors, proportional absorption.
    Says which beams and directions the convergence rule came to.

    Ends with 0, or 2 on wrong use or input, 3 on a fault of the program.
    """
    work = _work()
    energies, thicknesses = tuple(energy or (100.0,)), tuple(thickness or (100.0,))
    detector = work.detector(dose, blur, tilt)
    asked = (tuple(zone or ()), energies, thicknesses, semi_angle)
    raise typer.Exit(work.simulate(crystal, out, *asked, absorption, detector, seed, compressed))


@cbed.command()
@problems_shown()
def read(
    file: Annotated[Path, typer.Argument(help="File of the challenge, or of 'simulate'.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, a sample a line.")] = False,
) -> None:
    """Say what is in a file of stacks: each sample, or why it can't be used.

    Ends with 0 if any sample can be used, 1 if none can, 2 on wrong use or input, 3 on a fault of
    the program.
    """
    raise typer.Exit(_work().read(file, as_json))


@cbed.command()
@problems_shown()
def symmetry(
    file: Annotated[Path, typer.Argument(help="File of the challenge, or of 'simulate'.")],
    model: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a trained model, such as results/cbed/space_group. That of the package "
            "if not given; the answer says which groups it has learnt.",
            metavar="path",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(help="The only sample to look at.", metavar="name", show_default=False),
    ] = None,
    reasoning: Annotated[
        bool, typer.Option("--reasoning", help="Use no model, but what the patterns show alone.")
    ] = False,
    rows: Annotated[int, typer.Option(help="Groups to show at most.", min=1, max=230)] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, a sample a line.")] = False,
) -> None:
    """Tell the space group and the point group of the crystal that each stack is of, and why.

    Looks at the patterns, their energy, semi-angles and camera constant alone, not at what the
    file says of the crystal. Which operations each pattern shows gives its diffraction group, and
    these give the point group; the nets together tell the lattice, and what each space group would
    show on it. Probabilities of space groups are those of a trained model, of the groups that it
    has learnt; beside them stand the groups, of all 230, that agree best with the patterns.

    Ends with 0 if any stack shows nets of discs, 1 if none does, 2 on wrong use or input, 3 on a
    fault of the program.
    """
    asked = (file, model, sample, rows, as_json, reasoning)
    raise typer.Exit(_symmetry().symmetry(*asked))
