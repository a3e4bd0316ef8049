"""Config of the models and of their training."""

from __future__ import annotations

from mlindex.base.section import Section, setting
from mlindex.crystal.tolerances import FOUND_LATTICE


class Regression(Section):
    """The variance networks (Moreau 2.2.1)."""

    batches: int = setting(
        2, "Jobs that share the groups of a lattice system out among them.", gt=0, le=1000
    )
    mean_layers: tuple[int, ...] = setting((200, 100, 60), "Units of the mean network's layers.")
    variance_layers: tuple[int, ...] = setting(
        (100, 60), "Units of the layers of the alpha and of the beta network."
    )
    dropout: float = setting(0.5, "Dropout rate.", ge=0, lt=1)
    learning_rate: float = setting(1e-4, "Learning rate of Adam.", gt=0)
    batch_size: int = setting(64, "Entries in a batch.", gt=0)
    cycles: int = setting(5, "Cycles of mean, then variance training.", gt=0)
    epochs: int = setting(10, "Epochs of each half of a cycle.", gt=0)
    patience: int = setting(
        10, "Epochs without a better validation loss after which a half ends early.", gt=0
    )
    beta: float = setting(0.5, "Exponent of the variance in the beta-NLL (eq. 21).", ge=0, le=1)
    min_train: int = setting(
        100, "A group with fewer training entries, augmented ones included, is not trained.", gt=0
    )


class Forest(Section):
    """The random forests (Moreau 2.2.2)."""

    trees: int = setting(80, "Trees.", gt=0)
    subsample: float = setting(0.1, "Share of the training set for each tree.", gt=0, le=1)
    min_samples_leaf: int = setting(10, "Least entries in a leaf.", gt=0)


class Assignment(Section):
    """The Miller-index assignment networks (Moreau 2.3.2)."""

    noise_levels: tuple[float, ...] = setting(
        (0.1, 0.05, 0.025, 0.01),
        "Standard deviations of the noise on the scaled cell.",
        max_length=100,
    )
    epsilons: tuple[float, ...] = setting(
        (0.01, 0.0075, 0.01, 0.005), "epsilon of eq. 22 at each noise level."
    )
    layers: tuple[int, ...] = setting((200, 200, 200, 100), "Units of the shared layers.")
    dropout: float = setting(0.25, "Dropout rate.", ge=0, lt=1)
    learning_rate: float = setting(2e-3, "Learning rate of Adam.", gt=0)
    batch_size: int = setting(256, "Entries in a batch.", gt=0)
    epochs: int = setting(10, "Epochs.", gt=0)
    patience: int = setting(5, "Epochs without a better validation loss that end it.", gt=0)
    min_train: int = setting(
        100, "With fewer unaugmented training entries no network is trained.", gt=0
    )


class Optimization(Section):
    """Candidates and their optimization (Moreau 2.4)."""

    assignment: str = setting(
        "nearest",
        "How Miller indices are assigned: 'nearest' reflection or 'network'.",
        pattern="^(nearest|network)$",
    )
    draw: str = setting(
        "subsampling",
        "How randomness enters: 'resampling' or 'subsampling' of the assigned indices.",
        pattern="^(resampling|subsampling)$",
    )
    candidates_network: int = setting(100, "Cells drawn from the networks of each group.", ge=0)
    candidates_forest: int = setting(100, "Cells drawn from single trees of each group.", ge=0)
    max_candidates: int = setting(
        20_000, "Candidates of a pattern, at most; of more a random choice is taken.", gt=0
    )
    iterations: int = setting(100, "Steps of the optimization, at most.", gt=0)
    epsilon_q2: float = setting(1e-10, "epsilon of eq. 31.", "1/A²", gt=0)
    min_length_A: float = setting(2.0, "Cells with a shorter axis are removed.", "A", gt=0)
    max_length_A: float = setting(500.0, "Cells with a longer axis are removed.", "A", gt=0)
    outlier_sigmas: float = setting(
        4.0, "Candidates this many standard deviations worse than the median are removed.", gt=0
    )
    explainers: int = setting(10, "Explaining cells after which the search ends.", gt=0)
    subsample_lines: float = setting(
        0.45, "Mean share of the lines that a step of subsampling keeps.", gt=0, le=1
    )
    temperature: float = setting(
        50.0,
        "A worse cell is accepted with probability min(1, ratio of likelihoods)^(1/temperature); "
        "1 is eq. 34 as it stands, higher values let candidates wander more.",
        ge=1,
    )
    explain_factor: float = setting(
        100.0,
        "A line is indexed within this many epsilon, and a cell explains the lines where the "
        "geometric mean of |discrepancy| + epsilon is below this many.",
        gt=1,
    )
    explain_merit: float = setting(
        10.0,
        "A cell explains the lines only where its figure of merit, with a geometric mean, is at "
        "least this: large cells have a line near everything.",
        ge=0,
    )
    finalists: int = setting(
        20, "Best candidates that are refined on all their reflections and ranked.", gt=0
    )
    volume_scales: tuple[float, ...] = setting(
        (1.0,), "Every drawn cell also enters with its volume scaled by each of these."
    )
    templates: int = setting(
        5000, "Cells solved from frequent sets of Miller indices, where the models have them.", ge=0
    )
    template_rows: int = setting(
        5000, "Most frequent sets of Miller indices that are kept of the training entries.", gt=0
    )


class Validation(Section):
    """Validation indexing: the optimization on validation entries."""

    entries: int = setting(
        200, "Validation entries to index, drawn evenly from the Bravais lattices.", gt=0
    )
    network_entries: int = setting(
        10, "Of these, entries to index with the assignment networks too; 0: none.", ge=0
    )
    network_iterations: int = setting(
        30, "Steps of the optimization, at most, with the assignment networks.", gt=0
    )
    network_candidates: int = setting(
        500, "Candidates for each entry, at most, with the assignment networks.", gt=0
    )
    length_tolerance: float = setting(
        FOUND_LATTICE.length_rel,
        "Relative difference of reduced lengths that counts as the same lattice.",
        gt=0,
    )
    angle_tolerance_deg: float = setting(
        FOUND_LATTICE.angle_deg,
        "Difference of reduced angles that counts as the same lattice.",
        "degree",
        gt=0,
    )


class Augmentation(Section):
    """How training entries are perturbed and their peaks drawn anew (Moreau 2.1.5)."""

    max_per_parent: int = setting(10, "Augmented entries of one parent, at most.", ge=0)
    fraction: float = setting(
        1.0, "Augmented entries for each entry of the lattice system, rarer symbols first.", ge=0
    )
    perturbation_scale: float = setting(
        0.2, "Standard deviation of a perturbation, in scaled units.", gt=0
    )
    separation_bins: int = setting(50, "Bins in the peak separation (eq. 19).", gt=1)
