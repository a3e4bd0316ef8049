"""The config: declared once, unknown keys refused, documentation generated."""

import re
from pathlib import Path

import pytest
import yaml

from mlindex.base.errors import MlindexError
from mlindex.config import Config, document, load_config, walk

PROJECT = Path(__file__).parents[1]


def test_committed_configs_are_valid():
    for path in sorted((PROJECT / "config").glob("*.yaml")):
        load_config(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"qualiti": {}}, "qualiti: unknown key; did you mean 'quality'"),
        ({"quality": {"max_site": 3}}, "quality.max_site: unknown key; did you mean 'max_sites'"),
        ({"seed": "many"}, r"seed: must be a whole number \(got 'many'\)"),
        ({"split": {"validation_fraction": 2}}, r"validation_fraction: .*less than 1.*got 2"),
        ({"lattice_systems": ["cubik"]}, "unknown lattice system 'cubik'"),
        ({"sources": []}, "sources: must have at least 1 values"),
        ({"sources": [{"kind": "web"}]}, r"sources.0: 'kind' must be one of 'folder', 'generator'"),
        ({"sources": [{"name": "x"}]}, "sources.0: needs a key 'kind', which is one of 'folder'"),
        ({"regression": {"batches": 100000}}, "regression.batches: must be at most 1000 "),
        (
            {"sources": [{"kind": "generator", "crystals": {"cubic": 1000000000}}]},
            "crystals.cubic: must be at most 10000000 ",
        ),
        ({"forest": {"trees": 0}}, r"forest.trees: must be greater than 0 \(got 0\)"),
        ({"forest": 3}, "forest: must be keys with values"),
        (
            {"sources": [{"kind": "generator"}, {"kind": "generator"}]},
            "two sources have the same name",
        ),
    ],
)
def test_wrong_values_are_explained(values, message):
    with pytest.raises(MlindexError, match=message):
        load_config(values)


def test_every_field_has_a_description_and_stands_in_the_documentation():
    text = document()
    for path, info in walk(Config):
        assert info.description, path
        if not hasattr(info.annotation, "model_fields"):
            assert f"`{path}`" in text


def test_every_row_of_the_documentation_has_four_cells():
    rows = [line for line in document().splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_every_count_has_an_upper_bound():
    for path, info in walk(Config):
        if info.annotation is int:
            assert any(hasattr(bound, "le") or hasattr(bound, "lt") for bound in info.metadata), (
                path
            )


def test_no_sentence_of_pydantic_reaches_the_user():
    values = {"seed": [], "split": {"unit": 3}, "quality": {"max_sites": float("nan")}}
    values |= {"optimization": {"draw": "x"}, "peaks": {"length": 1.5}, "shards": None}
    values |= {"regression": {"mean_layers": 4}, "ranking_examples": {"noise_deg": [1]}}
    values |= {"lattice_systems": "cubic", "simulation": {"displacement": "perhaps"}}
    with pytest.raises(MlindexError) as ended:
        load_config(values)
    for word in ("Input", "should", "Value error", "Field required", "not allowed here"):
        assert word not in str(ended.value)
