"""Reading peak lists and whole patterns, whatever program or instrument wrote them.

What a file is, is decided by its content and only then by its suffix, and the same for whether it
holds a peak list or a whole pattern. The wavelength is the one the file states or the one given;
none is ever assumed.

CIF is read with gemmi, Parquet with pyarrow, XML with defusedxml (which refuses entity bombs).
The other formats have small readers of their own, after the public descriptions named in each
module, since no maintained package would do: xylib has no wheels on PyPI and leaves out the XML
formats that are zipped; geddes reads most formats, but gives nothing except positions and
intensities (no wavelength, no doublet, no uncertainties) and not the GSAS files with counter
numbers; xrayutilities and yadg read few of them and bring h5py, lmfit or xarray; fabio reads
images; fairmat-readers-xrd reads three formats and takes some values from fixed places.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlindex.patterns.measured import MeasuredPattern
    from mlindex.patterns.peaklist import PeakList


def read(
    path: str | Path, wavelength: float | str | None = None, *, time_limit_s: float = 60.0
) -> PeakList | MeasuredPattern:
    """Read a peak list or a whole pattern.

    >>> import mlindex
    >>> peaks = mlindex.read("silicon.txt")
    >>> pattern = mlindex.read("scan.xye", wavelength=1.5406)

    Args:
        path: the file; its format is recognized by its content. A pipe is read, too, such as
            ``/dev/stdin``.
        wavelength: in A, where the file doesn't state it; wins where it does, with a note. A
            doublet that the file states is kept if its first line is the wavelength given. Or the
            name of a tube: ``Cu`` or ``CuKa`` for K-alpha1 with K-alpha2, ``CuKa1`` for the first
            alone; Cr, Fe, Co, Mo and Ag likewise. A note says what was taken.
        time_limit_s: seconds that a pipe has to come to its end.

    Returns:
        A peak list, or a whole pattern, the wavelength of which is None where it was neither
        stated nor given. Over 2theta no cell can be found then: ask for it; patterns over d or Q
        need none.

    Raises:
        MlindexError: what is wrong, what was seen, what to do.
    """
    from mlindex.files import registry

    return registry.read(path, wavelength, time_limit_s)


def supported() -> list[tuple[tuple[str, ...], str]]:
    """Suffixes and description of each format that :func:`read` knows."""
    from mlindex.files import registry

    return [(known.suffixes, known.what) for known in registry.FORMATS]
