"""The scripts of rules run in this process, without Snakemake."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

from mlindex.config import Config

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow/scripts"


class Named(list):
    """Values in a list and by name, as Snakemake hands them to a script."""

    def __init__(self, **values):
        super().__init__()
        for name, value in values.items():
            setattr(self, name, value)
            self.extend(value if isinstance(value, list) else [value])

    def get(self, name, default=None):
        return getattr(self, name, default)

    def items(self):
        return vars(self).items()


def run(rule, folder, inputs, outputs, wildcards, sections=(), **params):
    """Run the script of a rule.

    Args:
        folder: where inputs and outputs lie; names are relative to it.
        sections: sections of the config, all defaults, that the rule passes.
        params: further params of the rule.
    """
    config = Config()

    def places(names):
        return Named(
            **{
                k: str(folder / v) if isinstance(v, str) else [str(folder / x) for x in v]
                for k, v in names.items()
            }
        )

    job = SimpleNamespace(
        rule=rule,
        input=places(inputs),
        output=places(outputs),
        wildcards=Named(**wildcards),
        params=Named(seed=1, settings={s: config.section(s) for s in sections}, **params),
        threads=1,
        log=[str(folder / "logs" / f"{rule}.log")],
    )
    runpy.run_path(str(SCRIPTS / f"{rule}.py"), {"snakemake": job})
