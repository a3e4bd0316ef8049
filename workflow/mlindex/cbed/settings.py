"""Settings of convergent-beam patterns: their simulation, and what is learnt from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlindex.base.section import Section, setting

#: Energies of electrons in keV, and thicknesses of crystals in A.
Energy = Annotated[float, Field(ge=10, le=2000)]
Thickness = Annotated[float, Field(gt=0, le=20_000)]


class BeamChoice(Section):
    """Which beams and directions are calculated: the convergence rule.

    A beam's weight estimates its amplitude at the exit face: the couplings |U| of it to the
    strongest beams, each times the kinematic amplitude of that beam (at most 1), over twice the
    wave number times its excitation error. What is left out changes phases, and that in
    proportion to the thickness: two of the thresholds fall as the thickness rises.

    The thresholds were chosen on 13 zones of silicon, diamond, Mg, calcite, rutile, ZrO2, GaAs,
    PbTe, Au, W (60 to 200 keV) and UO2 (60 keV), so that the differences of disc intensities from
    those of a much larger basis sum up to at most 2 % of the intensities at 50 to 500 A. What
    they came to since, against multislice at 100 keV (``benchmarks/cbed.py``): along the axes of
    silicon, GaAs, rutile, forsterite, quartz, calcite, Mg and halite 0.2 to 1.4 % at 100 A, 0.1 to
    1.6 % at 500 A; of zircon 1.7 and 2.3 %. In the same way, once and in no file: Au 1.3 and 4.6 %,
    UO2 3.6 and 4.5 %, W 2.9 and 8.3 %.
    Larger bases bring strong scatterers no nearer: their heavy atoms need all beams of some
    Laue zones, not more of the nearest.
    """

    q_max_inv_A: float = setting(
        5.0,
        "Beams up to this distance from the centre of the Laue circle are considered, those beyond "
        "the last coefficient of the potential left out.",
        "1/A",
        gt=0,
        le=6,
    )
    excitation_max_inv_A: float = setting(
        0.12,
        "Beams farther than this from the Ewald sphere only perturb the others.",
        "1/A",
        gt=0,
        le=0.5,
    )
    perturbing_depth_inv_A: float = setting(
        1.0,
        "Beams of Laue zones up to this distance from the zero one perturb the others one by one, "
        "on either side alike, for what the two sides do nearly cancels; zones beyond add a small "
        "potential of their own.",
        "1/A",
        ge=0,
        le=4,
    )
    strong_weight: float = setting(
        0.015,
        "Beams of at least this weight interact with all others, in 100 A; in a crystal n times "
        "as thick, of at least this weight over the square root of n.",
        gt=0,
        lt=1,
    )
    weak_weight: float = setting(
        0.002,
        "Beams of at least this weight are scattered into by those, and give nothing back.",
        gt=0,
        lt=1,
    )
    perturbing_weight: float = setting(
        0.0004,
        "Beams of at least this weight perturb the interacting ones (Lowdin's third order; the "
        "second for upper zones), in 100 A; in a crystal n times as thick, of at least this weight "
        "over n.",
        gt=0,
        lt=1,
    )
    max_strong: int = setting(1200, "Interacting beams at most, the strongest.", ge=1, le=5000)
    max_beams: int = setting(
        3000,
        "Weak beams at most, and perturbing ones at most (of upper zones twice as many), the "
        "strongest.",
        ge=1,
        le=20000,
    )
    points_per_fringe: float = setting(
        8.0,
        "Directions across the finest fringe that the thickness makes in a disc of the zero Laue "
        "zone; between them intensities are interpolated.",
        ge=2,
        le=64,
    )
    max_directions_across: int = setting(128, "Directions across a disc at most.", ge=5, le=1024)


class Specimen(Section):
    """What the crystal structure does not say."""

    u_iso_A2: float = setting(
        0.006,
        "Mean square displacement of sites that state none (B = 0.47 A²).",
        "A²",
        ge=0,
        le=1,
    )
    absorption: float = setting(
        0.05,
        "Absorption: the imaginary part of each Fourier coefficient of the potential over its "
        "real part (proportional model of Humphreys & Hirsch, Phil. Mag. 18 (1968) 115).",
        ge=0,
        le=0.5,
    )


class Detector(Section):
    """What lies between the calculated intensities and a measured pattern."""

    pixels: int = setting(512, "Pixels across a pattern.", ge=16, le=4096)
    pixel_inv_A: float = setting(0.01, "Size of a pixel.", "1/A", gt=0, le=0.2)
    dose_electrons: float = setting(
        0.0, "Electrons that fall on the specimen; 0 for no counting noise.", ge=0, le=1e12
    )
    blur_pixels: float = setting(
        0.0, "Standard deviation of the detector's point spread.", "pixel", ge=0, le=50
    )
    tilt_mrad: float = setting(
        0.0,
        "Misalignment: standard deviation of the crystal's tilt about each of two axes.",
        "mrad",
        ge=0,
        le=50,
    )


class Cbed(Section):
    """Stacks of convergent-beam patterns, and the classifier of space groups from them."""

    source: str = setting(
        "generated",
        "Where the crystals are from: 'generated' (from the seed), 'sources' (the entries of the "
        "configured sources, such as a folder of CIF files), or the path of a folder whose HDF5 "
        "files hold stacks in the layout of the SMC 2019 challenge.",
        min_length=1,
    )
    groups: int = setting(
        20,
        "Space groups of generated crystals: so many, the commonest of each crystal system in "
        "turn; 230 for all, which need ten times the crystals.",
        ge=1,
        le=230,
    )
    crystals: int = setting(
        1600,
        "Crystals to generate, or of the sources at most (as evenly as can be over the files that "
        "they are cut into); a folder of stacks is read whole.",
        gt=0,
    )
    balance: Literal["equal", "natural"] = setting(
        "equal",
        "Shares of the space groups among generated crystals: equal, or as among known structures.",
    )
    longest_axis_A: float = setting(
        10.0, "Crystals with a longer axis are left out, as in the challenge.", "A", ge=3, le=40
    )
    crystals_per_shard: int = setting(100, "Generated crystals of one job.", gt=0, le=100_000)
    energies_keV: tuple[Energy, ...] = setting(
        tuple(range(100, 200, 10)), "Energies that those of a crystal are drawn from.", min_length=1
    )
    energies_each: int = setting(1, "Energies of a crystal, drawn without repeat.", ge=1, le=100)
    thicknesses_A: tuple[Thickness, ...] = setting(
        (100.0, 150.0, 200.0, 300.0),
        "Thicknesses that those of a crystal are drawn from.",
        min_length=1,
    )
    thicknesses_each: int = setting(
        2, "Thicknesses at each energy, drawn without repeat; more cost little.", ge=1, le=100
    )
    keep_stacks: bool = setting(
        False,
        "Whether the stacks are kept as HDF5 files in `results/cbed/stacks`. A stack of three 512 "
        "x 512 patterns takes 3 MB, its features some kB: by default only these are kept.",
    )
    specimen: Specimen = setting(Specimen, "What the crystal structures do not say.")
    beams: BeamChoice = setting(
        lambda: BeamChoice(q_max_inv_A=2.0, max_strong=80, max_beams=300, max_directions_across=21),
        "The convergence rule of the simulation; coarser than that of `mlindex cbed simulate`.",
    )
    detector: Detector = setting(Detector, "What lies between calculated and measured patterns.")
    split: Literal["structure_type", "composition_family", "entry_id"] = setting(
        "structure_type",
        "What never stands in two parts: a structure type, a composition family, or a crystal.",
    )
    test_share: float = setting(0.2, "Share of the crystals to test on.", gt=0, lt=0.5)
    calibration_share: float = setting(
        0.1, "Share of the crystals to calibrate probabilities with.", gt=0, lt=0.25
    )
    validation_share: float = setting(
        0.1, "Share of the crystals to choose the learner by.", gt=0, lt=0.25
    )
    learners: tuple[str, ...] = setting(
        ("majority", "frequency", "extra_trees"),
        "Kinds of learners that are compared, as in `classifiers.learners`.",
        min_length=1,
    )
    trees: int = setting(50, "Trees of the learner that is kept.", gt=0, le=2000)
    studies: tuple[Literal["imbalance", "multitask"], ...] = setting(
        ("imbalance", "multitask"),
        "Studies that the page shows: means against imbalance, and further outputs; seeds and "
        "learner are those of `classifier_studies`.",
    )
    imbalance_levels: tuple[Literal["space_group", "point_group", "crystal_system"], ...] = setting(
        ("space_group", "point_group"), "Levels at which imbalance is studied."
    )
    learning: bool = setting(
        False,
        "Whether the page shows which crystals to simulate next (settings in `active_learning`), "
        "which takes long.",
    )
