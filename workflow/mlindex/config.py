"""The whole config: reading, checking, documenting."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, field_validator

from mlindex.base.errors import MlindexError
from mlindex.base.section import Section, setting
from mlindex.base.wrong import shortened, wrong
from mlindex.campaigns.settings import ActiveLearning, PlannedCampaign, Replay
from mlindex.cbed.settings import Cbed
from mlindex.classification.settings import (
    Classifiers,
    ClassifierStudies,
    Explanation,
    Joining,
    SymmetryExamples,
)
from mlindex.crystal.lattice import SYSTEMS
from mlindex.indexing.ranking.settings import Ranking, RankingExamples
from mlindex.indexing.rates.settings import Indexing
from mlindex.indexing.settings import Sample
from mlindex.learning.settings import Grouping, Split
from mlindex.method.settings import (
    Assignment,
    Augmentation,
    Forest,
    Optimization,
    Regression,
    Validation,
)
from mlindex.patterns.settings import Peaks, Realism, Simulation
from mlindex.structures.settings import Deduplication, Quality, Reduction
from mlindex.structures.sources import FolderSource, GeneratorSource, Shards, Source


class Config(Section):
    """All settings of the workflow."""

    seed: int = setting(20240327, "Master seed; every job derives its own from it.", ge=0, lt=2**63)
    lattice_systems: tuple[str, ...] = setting(
        lambda: tuple(SYSTEMS), "Lattice systems that `all` and the report cover.", min_length=1
    )
    sources: tuple[Source, ...] = setting(
        lambda: (GeneratorSource(),),
        "The sources in order of priority: where two hold the same crystal, the first one's stays.",
        min_length=1,
    )
    shards: Shards = setting(Shards, "Shards of the sources.")
    quality: Quality = setting(Quality, "Quality control.")
    deduplication: Deduplication = setting(Deduplication, "Deduplication.")
    reduction: Reduction = setting(Reduction, "Reduction and reindexing.")
    simulation: Simulation = setting(Simulation, "Pattern simulation.")
    peaks: Peaks = setting(Peaks, "Peak lists.")
    grouping: Grouping = setting(Grouping, "Grouping.")
    split: Split = setting(Split, "Training and validation sides.")
    augmentation: Augmentation = setting(Augmentation, "Augmentation.")
    regression: Regression = setting(Regression, "Variance networks.")
    forest: Forest = setting(Forest, "Random forests.")
    assignment: Assignment = setting(Assignment, "Assignment networks.")
    optimization: Optimization = setting(Optimization, "Optimization.")
    validation: Validation = setting(Validation, "Validation indexing.")
    indexing: Indexing = setting(Indexing, "Success of ab initio indexing.")
    ranking_examples: RankingExamples = setting(
        RankingExamples, "Lists for the ranking to learn from."
    )
    ranking: Ranking = setting(Ranking, "The ranking network.")
    realism: Realism = setting(Realism, "How patterns are measured.")
    symmetry_examples: SymmetryExamples = setting(
        SymmetryExamples, "Patterns that classifiers of symmetry learn from."
    )
    classifiers: Classifiers = setting(Classifiers, "Classifiers of symmetry.")
    classifier_studies: ClassifierStudies = setting(
        ClassifierStudies, "What helps classifiers of symmetry."
    )
    explanation: Explanation = setting(Explanation, "What classifiers of symmetry go by.")
    joining: Joining = setting(Joining, "Classifiers and search joined.")
    cbed: Cbed = setting(Cbed, "Stacks of convergent-beam patterns.")
    campaigns: dict[str, PlannedCampaign] = setting(
        dict,
        "Campaigns to plan, by name; those with a space in resources/campaigns/ need no entry.",
    )
    replay: Replay = setting(Replay, "Replays of measured tables.")
    active_learning: ActiveLearning = setting(
        ActiveLearning, "Which crystals to simulate and learn from next."
    )
    samples: dict[str, Sample] = setting(
        dict,
        "Peak lists and patterns to index, by name; those in resources/samples/ need no entry.",
    )

    @field_validator("lattice_systems")
    @classmethod
    def _systems_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in SYSTEMS:
                raise ValueError(f"unknown lattice system {name!r}; there are {', '.join(SYSTEMS)}")
        return value

    @field_validator("sources")
    @classmethod
    def _names_differ(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [s.name for s in value]
        if len(set(names)) != len(names):
            raise ValueError(f"two sources have the same name: {', '.join(names)}")
        return value

    def section(self, name: str) -> dict[str, Any]:
        """One section as plain data, for a rule's params."""
        return getattr(self, name).model_dump(mode="json")


def load_config(values: Mapping[str, Any]) -> Config:
    """The checked config.

    Raises:
        MlindexError: with one line for each wrong field: where, what was seen, what is allowed.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem) for problem in error.errors()]
        raise MlindexError("the config is wrong:\n" + "\n".join(f"  {x}" for x in lines)) from None


def _explain(problem: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = sorted({path.rsplit(".", 1)[-1] for path, _ in walk(Config)})
        close = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        known_keys = "; see docs/reference/config.md for what there is"
        hint = f"; did you mean {close[0]!r}?" if close else known_keys
        return f"{where}: unknown key{hint}"
    return f"{where}: {wrong(problem)} (got {shortened(problem['input'])})"


def walk(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of the config with its dotted path, sections before their fields."""
    for name, info in section.model_fields.items():
        path = f"{prefix}{name}"
        yield path, info
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from walk(info.annotation, f"{path}.")


def document() -> str:
    """The config's documentation as Markdown, from the declarations alone."""
    lines = ["# Config", "", "Generated from the `settings.py` of each wing; do not edit.", ""]
    kinds = {
        "`sources` with `kind: folder`": FolderSource,
        "`sources` with `kind: generator`": GeneratorSource,
        "`campaigns`": PlannedCampaign,
        "`samples`": Sample,
    }
    scalars = [(p, i) for p, i in walk(Config) if not _is_section(i)]
    lines += _rows("Keys", scalars)
    for where, kind in kinds.items():
        lines += _rows(f"An entry of {where}: {kind.__doc__}", list(walk(kind)))
    return "\n".join(lines)


def _is_section(info: Any) -> bool:
    return isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)


def _rows(title: str, fields: list[tuple[str, Any]]) -> list[str]:
    head = [f"## {title}", "", "| key | default | unit | meaning |", "| --- | --- | --- | --- |"]
    return [*head, *(_row(path, info) for path, info in fields), ""]


def _row(path: str, info: Any) -> str:
    unit = (info.json_schema_extra or {}).get("unit", "")
    default = (
        "required"
        if info.is_required()
        else f"`{_plain(info.get_default(call_default_factory=True))}`"
    )
    # A bare | would end the cell of the table.
    meaning = info.description.replace("|", r"\|")
    return f"| `{path}` | {default} | {unit} | {meaning} |"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


__all__ = ["Config", "document", "load_config", "walk"]
