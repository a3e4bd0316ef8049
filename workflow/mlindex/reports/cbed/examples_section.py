"""The section that shows stacks: pictures, the symmetry seen in them, and the answer."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import pandas as pd

from mlindex.cbed.picture import picture
from mlindex.reports.cbed.inputs import CbedData, group_name
from mlindex.reports.html import note, table

#: Stacks that are shown, those of the test part first.
_SHOWN = 8
STYLE = "img.stack { width: 100%; max-width: 960px; image-rendering: auto; background: #000; }"
_KINDS = ("whole pattern", "bright field")
_OPERATIONS = {"2": "2", "3": "3", "4": "4", "6": "6", "m best": "m", "m second": "second m"}


def examples_section(data: CbedData) -> str:
    """Pictures of some stacks; what is seen in each zone, what the model answers."""
    known = set(data.tests["entry_id"])
    frame = data.examples.assign(tested=data.examples["entry_id"].isin(known))
    frame = frame.sort_values(["tested", "entry_id"], ascending=[False, True]).head(_SHOWN)
    if frame.empty:
        return note("There is no stack to show.")
    lead = note(
        "Intensities to the power 1/4, each pattern up to its brightest pixel, zones as in the "
        "file. The table gives what the features measure in each zone (those are in the order of "
        "the mesh of their nets, the smallest first): how unlike a pattern is to itself after the "
        "operation, as the logarithm of the difference: -5 is the same, 0 is unlike."
    )
    return lead + "".join(_one(data, row) for row in frame.itertuples())


def _one(data: CbedData, row: object) -> str:
    stacks = data.stacks
    own = stacks[(stacks["entry_id"] == row.entry_id) & (stacks["stack"] == row.stack)].iloc[0]
    grey = np.asarray(row.pixels, dtype=float).reshape(row.shape)
    # The picture takes intensities, and shows their fourth root.
    png = b64encode(picture((grey / 255) ** 4)).decode("ascii")
    zones = np.reshape(own["zones"], (-1, 3))
    said = ", ".join("[" + " ".join(str(i) for i in zone) + "]" for zone in zones)
    thick = "" if pd.isna(own["thickness_A"]) else f", {own['thickness_A']:g} A"
    head = (
        f"{row.entry_id}: {own['formula']}, space group {group_name(own['spacegroup_number'])}; "
        f"{own['energy_keV']:g} keV{thick}, zones {said}"
    )
    image = f'<img class="stack" alt="three patterns" src="data:image/png;base64,{png}">'
    said = note(f"{own['reasoning']} (Zones in the order of the file.)")
    return note(head) + image + said + note(_answer(data, row)) + table(_symmetries(data, own))


def _answer(data: CbedData, row: object) -> str:
    tests = data.tests
    found = tests[(tests["entry_id"] == row.entry_id) & (tests["stack"] == row.stack)]
    if found.empty:
        return "Not in the test part: the model has learnt from it, or was chosen by it."
    one = found.iloc[0]
    right = one["true_group"] == one["predicted_group"]
    return (
        f"The model answers {group_name(int(one['predicted_group']))} with "
        f"{100 * one['probability']:.0f} %: {'right' if right else 'wrong'}; the true group is "
        f"number {one['rank']} of its list with {100 * one['true_probability']:.0f} %."
    )


def _symmetries(data: CbedData, own: pd.Series) -> pd.DataFrame:
    value = dict(zip(data.names, own["features"], strict=True))
    rows = []
    for zone in (1, 2, 3):
        line: dict[str, object] = {"zone, by mesh": zone}
        for kind in _KINDS:
            for name, title in _OPERATIONS.items():
                key = f"zone {zone}, {kind}: {name}, fine"
                if key in value:
                    line[f"{kind}: {title}"] = f"{value[key]:.1f}"
        rows.append(line)
    return pd.DataFrame(rows)
