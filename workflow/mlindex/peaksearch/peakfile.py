"""Found peaks as a text file that people edit and :func:`mlindex.peaklist.read_peak_list` reads."""

from __future__ import annotations

from pathlib import Path

from mlindex.peaksearch.found import FoundPeaks

_HEAD = "two_theta_deg", "two_theta_error_deg", "intensity", "fwhm_deg"


def write_peak_file(found: FoundPeaks, path: str | Path) -> None:
    """Write position, its error, area and width of each peak; lines may be deleted or added."""
    lines = [
        # Before the name, which may hold anything that looks like a wavelength.
        f"# wavelength: {found.peaks.wavelength_A!r}",
        f"# peaks of {' '.join(found.peaks.name.splitlines())}",
        "# Delete a line or put # before it to leave a peak out; add lines for peaks missed.",
        *(f"# note: {note}" for note in found.notes if "wavelength" not in note),
        " ".join(_HEAD),
    ]
    columns = (found.two_theta_deg, found.error_deg, found.area, found.fwhm_deg)
    lines += [
        f"{position:12.5f} {error:9.5f} {area:14.6g} {fwhm:9.5f}"
        for position, error, area, fwhm in zip(*columns, strict=True)
    ]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
