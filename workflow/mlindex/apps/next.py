"""What ``mlindex next`` does: index, ask what tells the candidates apart, show or write."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlindex.apps import command
from mlindex.apps.codes import FOUND, NONE_FOUND
from mlindex.apps.printing import on_stdout
from mlindex.apps.signals import handled, tidily
from mlindex.base.atomic import filled_folder
from mlindex.base.errors import MlindexError, explained
from mlindex.base.names import printable
from mlindex.indexing.next.asking import NextRegions, next_regions
from mlindex.indexing.next.offer import Offer, interval
from mlindex.indexing.next.rivals import rivals_of
from mlindex.indexing.options import Options

#: Files in the folder that is written.
DOCUMENT, TABLE = "next.json", "next_regions.parquet"


@dataclass(frozen=True)
class Asked:
    """What is asked: what can be measured, the range measured (degrees) where it was given, and
    regions at most."""

    offer: Offer
    measured_deg: tuple[float, float] | None
    most: int

    @classmethod
    def of(
        cls,
        wavelengths: Sequence[str],
        range_deg: tuple[float, float],
        measured_deg: tuple[float, float] | None,
        longest_time: float,
        resolution_deg: float | None,
        decided: float,
        most: int,
    ) -> Asked:
        """What is asked, checked before the search begins.

        Raises:
            MlindexError: a value can't be right.
        """
        offer = Offer(tuple(wavelengths), range_deg, longest_time, resolution_deg, decided)
        if measured_deg is not None:
            measured_deg = interval("range measured", measured_deg)
        return cls(offer, measured_deg, most)


def run(file: Path, options: Options, asked: Asked, as_json: bool, out: Path | None) -> int:
    """Index a file and say what to measure next; the code to end with.

    Raises:
        MlindexError: wrong use or input.
    """
    command.require_output(out)
    done = command.run(file, options, quiet=as_json)
    if not rivals_of(done.result):
        text = f"{done.result.peaks.name}: no probable cell, nothing to tell apart. "
        print(f"mlindex: {printable(text + done.result.reason)}", file=sys.stderr)
        return NONE_FOUND
    offer = asked.offer
    found = next_regions(
        done.result,
        pattern=done.pattern,
        measured_deg=asked.measured_deg,
        wavelengths_A=offer.wavelengths_A,
        range_deg=offer.range_deg,
        longest_time=offer.longest_time,
        resolution_deg=offer.resolution_deg,
        decided=offer.decided,
        most=asked.most,
    )
    on_stdout(lambda: _show(found, as_json))
    if out is not None:
        write(found, out)
    return FOUND if found.regions else NONE_FOUND


def _show(found: NextRegions, as_json: bool) -> None:
    from mlindex.reports.next.data import as_data
    from mlindex.reports.next.terminal import show

    if as_json:
        print(json.dumps(as_data(found), allow_nan=False))
    else:
        show(found)


def write(found: NextRegions, folder: Path) -> None:
    """What to measure next as JSON and as a table, in a folder; both are written, or none.

    Raises:
        MlindexError: the folder can't be written to.
    """
    from mlindex import __version__
    from mlindex.base.schema import write_table
    from mlindex.indexing.next.tables import NEXT_REGIONS
    from mlindex.reports.next.data import as_data, table_rows

    try:
        with handled(tidily), filled_folder(folder) as new:
            text = json.dumps(as_data(found), allow_nan=False)
            (new / DOCUMENT).write_text(text + "\n", encoding="utf-8")
            version = {"mlindex_version": __version__}
            write_table(new / TABLE, NEXT_REGIONS, table_rows(found), version)
    except OSError as error:
        raise MlindexError(f"{folder}: can't be written to: {explained(error, False)}") from error
