"""What ``space.yaml`` may say, section by section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mlindex.base.section import Section, setting
from mlindex.campaigns.methods.options import Options

#: Names of quantities and objectives become columns of tables.
Name = Annotated[str, Field(min_length=1, max_length=80)]


def _named(value: object) -> object:
    """A name that YAML reads as a number, as text."""
    if isinstance(value, bool):
        raise ValueError("is read as true or false by YAML; write it in quotes")
    return f"{value:.12g}" if isinstance(value, int | float) else value


#: A value of an ordinal or categorical quantity.
Label = Annotated[str, BeforeValidator(_named), Field(min_length=1, max_length=200)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Continuous(Section):
    """A quantity that takes any value between two bounds."""

    kind: Literal["continuous"] = setting("continuous", "A continuous quantity.")
    low: Finite = Field(description="Smallest value that may be proposed.")
    high: Finite = Field(description="Largest value that may be proposed.")
    logarithmic: bool = setting(
        False, "Whether steps are ratios, as for a concentration over several powers of ten."
    )
    step: float | None = setting(
        None,
        "What can be set: values are `low` and multiples of it above; if not given, a hundredth "
        "to a thousandth of the range, or three digits where it is logarithmic.",
        gt=0,
        allow_inf_nan=False,
    )
    unit: str = setting("", "Unit, as shown.")


class Discrete(Section):
    """A quantity that takes one of some numbers."""

    kind: Literal["discrete"] = setting("discrete", "A quantity with given numbers.")
    values: tuple[Finite, ...] = Field(description="The numbers.", min_length=1)
    logarithmic: bool = setting(False, "Whether steps between them are ratios.")
    unit: str = setting("", "Unit, as shown.")


class Ordinal(Section):
    """A quantity that takes one of some names in an order: slow, medium, fast."""

    kind: Literal["ordinal"] = setting("ordinal", "A quantity with names in an order.")
    values: tuple[Label, ...] = Field(description="The names, in their order.", min_length=1)


class Categorical(Section):
    """A quantity that takes one of some names without an order, such as a salt or a solvent."""

    kind: Literal["categorical"] = setting("categorical", "A quantity with names.")
    values: tuple[Label, ...] = setting((), "The names; all those of `descriptors` if not given.")
    descriptors: str | None = setting(
        None,
        "Table that describes each name by numbers, or the three columns quantity, name, "
        "descriptor and a number; or an AutoSherlock screen (.mso), whose cocktails are described "
        "by their compositions. Beside space.yaml.",
    )


Quantity = Annotated[Continuous | Discrete | Ordinal | Categorical, Field(discriminator="kind")]


class Mixture(Section):
    """Continuous quantities that are parts of a whole."""

    of: tuple[Name, ...] = Field(description="The quantities.", min_length=2)
    sum: float = setting(100.0, "What they add up to.", gt=0, allow_inf_nan=False)
    at_most: int | None = setting(None, "Parts that are not at their lower bound, at most.", ge=1)


class Linear(Section):
    """A bound on a weighted sum of continuous and discrete quantities."""

    kind: Literal["linear"] = setting("linear", "A bound on a sum.")
    of: dict[Name, Finite] = Field(description="Weight of each quantity.", min_length=1)
    at_least: Finite | None = setting(None, "Lower bound of the sum.")
    at_most: Finite | None = setting(None, "Upper bound of the sum.")


class Between(Section):
    """A range of a number, ends included."""

    at_least: Finite | None = setting(None, "Lower end.")
    at_most: Finite | None = setting(None, "Upper end.")


class Forbidden(Section):
    """A combination that must not be: all that `when` says at once."""

    kind: Literal["forbidden"] = setting("forbidden", "A forbidden combination.")
    when: dict[Name, Between | tuple[Label, ...] | Label | Finite] = Field(
        description="For each quantity a value, a list of values, or at_least and at_most.",
        min_length=1,
    )
    why: str = setting("", "The reason, as shown.")


Constraint = Annotated[Linear | Forbidden, Field(discriminator="kind")]


class Objective(Section):
    """What is measured, and which values are wanted."""

    direction: Literal["maximize", "minimize"] = setting(
        "maximize", "Whether large or small values are wanted."
    )
    levels: tuple[Label, ...] | dict[Label, Finite] = setting(
        (),
        "Of an ordinal score its levels from the first to the last (clear, powder, crystals; or "
        "0, 10, 25, 50, 60, 90), or names with numbers. Where a result names several, as 50-90 "
        "does, the best counts.",
    )
    noise: float | None = setting(
        None,
        "Standard deviation of one measurement; learnt if not given.",
        gt=0,
        allow_inf_nan=False,
    )
    weight: float = setting(1.0, "Weight among several objectives.", gt=0, allow_inf_nan=False)
    unit: str = setting("", "Unit, as shown.")
    score: Literal["", "mlindex"] = setting(
        "",
        "What makes the score. mlindex: results are files, patterns or peak lists, which are "
        "indexed; 0 to 1 without a cell, 1 to 2 with one, 2 to 3 with a convincing one. If not "
        "given, results are scores.",
    )
    wavelength_A: float | None = setting(
        None, "Wavelength of such files, where they don't state it.", "A", gt=0.1, lt=10
    )
    known_phases: tuple[Label, ...] = setting(
        (),
        "What may be there and is not wanted, such as a salt: cells (cF 5.6402), whose lines are "
        "left out before such files are indexed.",
    )


class Start(Section):
    """The first experiments, before any result."""

    design: Literal["auto", "sobol", "maximin", "random"] = setting(
        "auto",
        "Sobol points; those far from each other (maximin), for mixtures, constraints and "
        "lists of candidates; or chance. auto: sobol where it can be.",
    )
    least: int = setting(
        3, "Different conditions with a score that a model needs; before, the design goes on.", ge=2
    )


class Cost(Section):
    """What an experiment costs."""

    base: float = setting(1.0, "Cost of any experiment.", ge=0, allow_inf_nan=False)
    of: dict[Name, Finite | dict[Label, Finite]] = setting(
        dict, "What a quantity adds: so much for each unit, or so much for each of some names."
    )
    unit: str = setting("", "Unit, as shown: h, EUR.")


class Stop(Section):
    """When to end; each rule is off unless it is given."""

    better_below: float | None = setting(
        None,
        "Probability that any of the proposals is better than the best so far below which the "
        "campaign ends.",
        gt=0,
        lt=1,
    )
    gain_per_cost_below: float | None = setting(
        None,
        "Expected gain of the proposals divided by their cost below which it ends, in units of "
        "the score.",
        gt=0,
        allow_inf_nan=False,
    )
    budget: float | None = setting(
        None, "Cost of all experiments after which it ends.", gt=0, allow_inf_nan=False
    )
    target: Finite | None = setting(None, "Score at which it ends, of the first objective.")


class SpaceFile(Section):
    """The whole of space.yaml."""

    name: str = setting("", "Name of the campaign, as shown.")
    quantities: dict[Name, Quantity] = Field(description="What is varied.", min_length=1)
    mixtures: tuple[Mixture, ...] = setting((), "Parts of wholes; no quantity in two of them.")
    constraints: tuple[Constraint, ...] = setting((), "What is not allowed.")
    candidates: str | None = setting(
        None,
        "Table of the only combinations that may be proposed, a column for each quantity. "
        "Beside space.yaml.",
    )
    objectives: dict[Name, Objective] = Field(description="What is measured.", min_length=1)
    batch: int = setting(8, "Experiments of a round.", ge=1, le=10_000)
    replicates: int = setting(
        1, "How often each condition is measured; they count in the batch.", ge=1, le=100
    )
    start: Start = setting(Start, "The first experiments.")
    method: str = setting("", "Name of the method; the one for all tables if not given.")
    options: Options = setting(Options, "Options of the method.")
    past: tuple[str, ...] = setting(
        (), "Tables of past campaigns with the same columns. Beside space.yaml."
    )
    cost: Cost = setting(Cost, "What an experiment costs.")
    stop: Stop = setting(Stop, "When to end.")
    tolerance: float = setting(
        0.02,
        "How far, as a share of a quantity's range, measured values may be from the planned ones "
        "that they are recognized by.",
        gt=0,
        le=0.5,
    )
    seed: int = setting(0, "Where chance comes from.", ge=0, lt=2**63)
