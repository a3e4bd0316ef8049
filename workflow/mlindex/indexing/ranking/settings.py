"""Settings of the learned ranking of candidate lattices."""

from __future__ import annotations

from mlindex.base.section import Section, setting


class RankingExamples(Section):
    """Spoiled lists of crystals of both sides, indexed, for the ranking to learn from."""

    entries: int = setting(20, "Training entries of each Bravais lattice.", gt=0)
    validation_entries: int = setting(5, "Validation entries of each, for the figures.", gt=0)
    exact_share: float = setting(0.3, "Share of lists left as calculated.", ge=0, le=1)
    spoiled_share: float = setting(
        0.5,
        "Of the others, the share with each of a zero shift, impurities, missing lines.",
        ge=0,
        le=1,
    )
    short_share: float = setting(0.2, "Of the others, the share with fewer lines.", ge=0, le=1)
    intensity_share: float = setting(
        0.4,
        "Share of lists with intensities, as a peak search makes them of the pattern of a sample: "
        "lines of a second crystal among them, near ones merged, weak ones not seen.",
        ge=0,
        le=1,
    )
    second_share: tuple[float, float] = setting(
        (0.005, 0.3), "Of these, least and greatest share of the intensity of a second crystal."
    )
    least_intensity: tuple[float, float] = setting(
        (0.002, 0.03), "Of these, least and greatest share of the strongest line that is seen."
    )
    resolution_deg: tuple[float, float] = setting(
        (0.03, 0.15), "Of these, least and greatest distance of two lines.", "degree"
    )
    most_lines: int = setting(60, "Most lines of a list with intensities.", ge=20)
    long_share: float = setting(
        0.3, "Share of lists with up to 40 lines, all that weigh what was found.", ge=0, le=1
    )
    noise_deg: tuple[float, float] = setting(
        (0.002, 0.03), "Noise on 2theta: least and greatest standard deviation.", "degree"
    )
    shift_deg: float = setting(0.04, "Standard deviation of zero shifts.", "degree", ge=0)
    greatest_shift_deg: float = setting(0.1, "Greatest zero shift.", "degree", ge=0)
    impurities: int = setting(6, "Most impurities among 20 lines.", ge=0)
    missing: int = setting(6, "Most missing among the first 20 lines.", ge=0)
    fewest_lines: int = setting(5, "Least number of lines of an entry, and in a list.", ge=5)
    candidates: int = setting(40, "Candidates of a list that are kept, at most.", gt=0)


class Ranking(Section):
    """The ranking network and its training."""

    members: int = setting(5, "Networks in the ensemble.", gt=0)
    layers: tuple[int, ...] = setting((32,), "Units of the hidden layers.")
    dropout: float = setting(0.3, "Dropout rate.", ge=0, lt=1)
    learning_rate: float = setting(1e-3, "Learning rate of Adam.", gt=0)
    batch_size: int = setting(32, "Lists in a batch.", gt=0)
    epochs: int = setting(300, "Epochs.", gt=0)
    patience: int = setting(30, "Epochs without a better loss that end it.", gt=0)
    held_out: float = setting(0.15, "Share of the training lists kept out to stop by.", gt=0, lt=1)
    least_spread: float = setting(
        0.05, "Features are divided by their spread, or by this where that is less.", gt=0
    )
