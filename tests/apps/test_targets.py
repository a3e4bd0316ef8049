import pytest

from mlindex.apps.targets import complaint

PATTERNS = (
    "results/models/{system,cubic|monoclinic}",
    "results/rates/{system}.parquet",
    "results/x/{source}",
)
NAMES = ("verify", "report")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("results/models/monoclinc", "did you mean 'results/models/monoclinic'?"),
        ("results/models/hP/", "hP is a Bravais lattice"),
        ("results/models/hP", "did you mean 'results/models/hexagonal'?"),
        ("results/rates/hR.parquet", "did you mean 'results/rates/rhombohedral.parquet'?"),
        ("verfy", "did you mean 'verify'?"),
        ("something/else", "'snakemake --list' names rules"),
    ],
)
def test_a_misspelt_target_is_explained(target, words):
    assert words in complaint(target, PATTERNS, NAMES)
