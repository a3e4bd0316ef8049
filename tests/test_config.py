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
        ({"seed": "many"}, r"seed: .*integer.*got 'many'"),
        ({"split": {"validation_fraction": 2}}, r"validation_fraction: .*less than 1.*got 2"),
        ({"lattice_systems": ["cubik"]}, "unknown lattice system 'cubik'"),
        ({"sources": []}, "sources: .*at least 1"),
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
