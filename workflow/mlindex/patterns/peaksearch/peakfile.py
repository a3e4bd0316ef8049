"""Found peaks as a text file that people edit and that is read as a peak list again."""

from __future__ import annotations

from pathlib import Path

from mlindex.base.atomic import atomic_path
from mlindex.patterns.peaklist import ERROR_WAVELENGTH_A
from mlindex.patterns.peaksearch.found import FoundPeaks

_HEAD = "two_theta_deg", "two_theta_error_deg", "intensity", "fwhm_deg"


def write_peak_file(found: FoundPeaks, path: str | Path) -> None:
    """Write position, its error, area and width of each peak; lines may be deleted or added.

    Another list that is there may hold someone's edits: it is kept, ``peaks.txt`` as
    ``peaks.before.txt``.
    """
    path, content = Path(path), _text(found).encode()
    set_aside(path, content)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def set_aside(path: Path, content: bytes) -> None:
    """Keep a list that is to be written over with other content, under the name ``before``."""
    if path.exists() and path.read_bytes() != content:
        path.replace(path.with_name(f"{path.stem}.before{path.suffix}"))


def _text(found: FoundPeaks) -> str:
    # The name may hold anything that looks like a wavelength: only below one is it safe.
    known = [
        f"# wavelength: {found.peaks.wavelength_A!r}",
        f"# peaks of {' '.join(found.peaks.name.splitlines())}",
    ]
    lines = [
        *(known if found.peaks.wavelength_A else []),
        "# Delete a line or put # before it to leave a peak out; add lines for peaks missed.",
        *(f"# note: {note}" for note in found.notes if "wavelength" not in note),
    ]
    return "\n".join(lines + _columns(found)) + "\n"


def _columns(found: FoundPeaks) -> list[str]:
    """The names of the columns and the rows: d where the list has no wavelength."""
    if found.peaks.wavelength_A is None:
        d_A = found.peaks.q2_inv_A2**-0.5
        rows = zip(d_A, found.peaks.two_theta_error_deg, found.area, strict=True)
        said = f"# The error of 2theta is that at {ERROR_WAVELENGTH_A} A."
        names = " ".join(("d_A", *_HEAD[1:3]))
        return [said, names, *(f"{d:12.7f} {error:9.5f} {area:14.6g}" for d, error, area in rows)]
    columns = (found.two_theta_deg, found.error_deg, found.area, found.fwhm_deg)
    return [
        " ".join(_HEAD),
        *(
            f"{position:12.5f} {error:9.5f} {area:14.6g} {fwhm:9.5f}"
            for position, error, area, fwhm in zip(*columns, strict=True)
        ),
    ]
