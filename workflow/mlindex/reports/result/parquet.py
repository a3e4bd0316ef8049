"""Rows of the declared tables of mlindex.indexing.tables, from the JSON document."""

from __future__ import annotations

import json
from typing import Any

from mlindex.base.schema import Table
from mlindex.indexing import tables as declared

_INDICES = ("h", "k", "l")


def rows_of(document: dict[str, Any]) -> list[tuple[Table, list[dict[str, Any]]]]:
    """Every table with its rows, as :func:`mlindex.reports.result.data.as_data` gives them."""
    candidates = document["candidates"]
    found = [
        (declared.INDEXED_SAMPLES, [_sample(document)]),
        (declared.CANDIDATE_CELLS, [_cells(c) for c in candidates]),
        (declared.OBSERVED_LINES, document["observed_lines"]),
        (declared.CANDIDATE_LINES, _parts(candidates, "lines")),
        (declared.ABSENT_LINES, _parts(candidates, "absent")),
        (declared.EXTINCTION_SYMBOLS, _parts(candidates, "extinctions")),
        (declared.PARTNER_LATTICES, _parts(candidates, "partners")),
        (declared.SEARCHED_LATTICES, document["searched"]),
    ]
    sample = {"sample": document["sample"]}
    return [(table, [_row(table, sample | row) for row in rows]) for table, rows in found]


def cell_rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of candidate_cells alone; the document's candidates need no lines for it."""
    table, sample = declared.CANDIDATE_CELLS, {"sample": document["sample"]}
    return [_row(table, sample | _cells(c)) for c in document["candidates"]]


def partner_rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of partner_lattices alone."""
    table, sample = declared.PARTNER_LATTICES, {"sample": document["sample"]}
    return [_row(table, sample | part) for part in _parts(document["candidates"], "partners")]


def _row(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a table out of what there is: nested cells and indices laid out flat."""
    flat = dict(values)
    if "hkl" in flat:
        flat |= dict(zip(_INDICES, flat["hkl"] or (None,) * 3, strict=True))
    flat |= flat.get("cell", {})
    return {name: flat[name] for name in table.names}


def _sample(document: dict[str, Any]) -> dict[str, Any]:
    counts = {name: len(document[name]) for name in ("observed_lines", "candidates")}
    options = json.dumps(document["options"], sort_keys=True, ensure_ascii=False)
    return document | counts | {"options": options}


def _cells(candidate: dict[str, Any]) -> dict[str, Any]:
    prefixed = {
        f"{prefix}_{name}": value
        for prefix, key in (("uncertainty", "cell_uncertainty"), ("niggli", "niggli_cell"))
        for name, value in candidate[key].items()
    }
    other = next(iter(candidate["other_settings"]), {})
    beside = {
        "other_setting": other.get("setting"),
        "other_centring": other.get("centring"),
        **{f"other_{name}": other.get("cell", {}).get(name) for name in candidate["cell"]},
    }
    fit = candidate["profile"] or {}
    profile = {name: fit.get(name) for name in ("r_wp", "goodness", "explained")}
    profile["profile_log_evidence"] = fit.get("log_evidence")
    return candidate | prefixed | beside | profile


def _parts(candidates: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return [{"rank": c["rank"], **part} for c in candidates for part in c[key]]
