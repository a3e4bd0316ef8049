"""Tables keyed by lattice: each holds every lattice and is seen by no stage but those it serves."""

from pathlib import Path

import pytest

from mlindex.base.imports import imported_modules
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS
from mlindex.indexing.search.walked import WALKED
from mlindex.learning.lattices import N_PEAKS
from mlindex.method.lattices import METHOD_DEFAULTS
from mlindex.method.published import PUBLISHED_RATES

SCRIPTS = sorted((Path(__file__).parents[2] / "workflow/scripts").glob("*.py"))


@pytest.mark.parametrize("table", [WALKED, N_PEAKS, METHOD_DEFAULTS])
def test_each_lattice_system_is_declared(table):
    assert list(table) == list(SYSTEMS)


def test_each_bravais_lattice_has_a_published_rate():
    assert list(PUBLISHED_RATES) == list(BRAVAIS)


@pytest.mark.parametrize(
    ("module", "stages"),
    [
        ("mlindex.reports.published", {"report"}),
        ("mlindex.method.published", {"validate"}),
        (
            "mlindex.indexing.search.walked",
            {"index_sample", "indexing_rates", "ranking_examples", "symmetry_evidence"},
        ),
    ],
)
def test_a_change_of_a_table_reruns_only_the_stages_that_use_it(module, stages):
    assert {path.stem for path in SCRIPTS if module in imported_modules(path)} == stages
