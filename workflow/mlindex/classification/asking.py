"""Symmetry from a list or pattern as a function, :func:`mlindex.symmetry`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from mlindex.base.clock import running
from mlindex.base.errors import MlindexError
from mlindex.base.quick_start import load_numba
from mlindex.classification.answer import Answer
from mlindex.classification.classifier import SymmetryClassifier
from mlindex.classification.features import inputs_of
from mlindex.classification.settings import SymmetryExamples
from mlindex.classification.shipped import shipped
from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.learning.labels import at_level
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList

#: Lists of lines at random places that an answer is held against, see
#: :attr:`.answer.Answer.above_chance`, and the seed of their places.
_BY_CHANCE, _SEED = 19, 20
#: Lines to look at: as many as an example of training has.
_LINES = int(SymmetryExamples().lines)


def symmetry(
    peaks: PeakList | MeasuredPattern,
    model: SymmetryClassifier | str | Path | None = None,
    *,
    time_limit_s: float = 60.0,
    stopped: Callable[[], bool] = lambda: False,
) -> Answer:
    """Rank Bravais lattices, extinction symbols and space groups by the lines of a pattern.

    No cell is searched for. The same lines and classifier give the same answer.

    Args:
        peaks: a peak list, or a pattern, whose peaks are searched for first.
        model: a classifier, or the file or folder that holds one; the one that comes with mlindex
            if None.
        time_limit_s: seconds that the peak search may take.
        stopped: asked often; the peak search ends when it says True.

    Raises:
        MlindexError: there are no lines, or no classifier.
    """
    if not isinstance(peaks, (PeakList, MeasuredPattern)):
        raise MlindexError(
            f"a peak list or pattern is needed, not a {type(peaks).__name__}: give "
            "mlindex.read(path), or mlindex.peaks_from_columns(name, 'd', values, None) for values "
            "of d in A"
        )
    # Before anything compiled is loaded.
    load_numba()
    classifier = model if isinstance(model, SymmetryClassifier) else classifier_at(model)
    if isinstance(peaks, PeakList):
        end = float(peaks.q2_inv_A2[-1]) if len(peaks) else 0.0
    else:
        peaks, end = _found(peaks, time_limit_s, stopped)
    if not len(peaks):
        raise MlindexError(f"{peaks.name}: holds no lines; give a list or pattern that has some")
    return _answer(peaks, end, classifier)


def probability_of(peaks: PeakList, end: float, classifier: SymmetryClassifier) -> np.ndarray:
    """Probability of each space group (230,) by the lines of a list alone.

    Args:
        peaks: a line at least.
        end: q² where its pattern ends, in 1/A².
        classifier: of symmetry.
    """
    lines, intensity = _looked_at(peaks)
    inputs = inputs_of([lines.q2_inv_A2], [intensity], [end], classifier.sees_grid)
    return classifier.predict_proba(inputs)[0]


def classifier_at(place: str | Path | None) -> SymmetryClassifier:
    """The classifier in a file or folder, or the shipped one, tried on a list of lines.

    Raises:
        MlindexError: there is none, it was damaged, or it takes other features than this version
            of mlindex calculates; the message names the file.
    """
    if place is None:
        return shipped()
    if not Path(place).exists():
        raise MlindexError(
            f"{place}: no such file or folder; give one that holds a classifier, such as "
            "results/classifiers/bravais"
        )
    load_numba()
    classifier = SymmetryClassifier.load(place)
    try:
        lines, grid = np.arange(1.0, 9.0), classifier.sees_grid
        classifier.predict_proba(inputs_of([lines], [None], [9.0], grid))
    except ValueError as error:
        raise MlindexError(
            f"{place}: is no classifier for this version of mlindex ({error}); make it again"
        ) from error
    return classifier


def _found(
    pattern: MeasuredPattern, time_limit_s: float, stopped: Callable[[], bool]
) -> tuple[PeakList, float]:
    """The peaks of a pattern, and q² of its end in 1/A².

    Raises:
        MlindexError: there are no peaks, or no wavelength.
    """
    from mlindex.patterns.peaksearch import find_peaks, nothing_found

    clock = running(stopped, time_limit_s)
    found = find_peaks(pattern, over=clock)
    if not len(found.peaks):
        if clock():
            raise MlindexError(
                f"{pattern.name}: the peak search was not finished. {clock.advice()}"
            )
        raise nothing_found(pattern)
    notes = tuple(dict.fromkeys((*pattern.notes, *found.peaks.notes, *found.notes)))
    return replace(found.peaks, notes=notes), end_of(pattern)


def end_of(pattern: MeasuredPattern) -> float:
    """q² where a pattern with a known wavelength ends, in 1/A²."""
    angles = pattern.two_theta_deg
    last = np.array([angles[angles < 180.0][-1]])
    return float(q2_from_two_theta(last, pattern.scale_A)[0])


def _looked_at(peaks: PeakList) -> tuple[PeakList, np.ndarray | None]:
    """The first lines of a list, and their intensities where they can be used."""
    lines = peaks.only(np.arange(min(len(peaks), _LINES)))
    intensity = lines.intensity
    if intensity is not None and not (np.isfinite(intensity).all() and intensity.max() > 0):
        intensity = None
    return lines, intensity


def _answer(peaks: PeakList, end: float, classifier: SymmetryClassifier) -> Answer:
    """The answer for a list with lines; ``end`` is q² where its pattern ends."""
    lines, intensity = _looked_at(peaks)
    q2, grid = lines.q2_inv_A2, classifier.sees_grid
    probability = classifier.predict_proba(inputs_of([q2], [intensity], [end], grid))
    best = int(np.argmax(at_level(probability, "bravais")[0]))
    random = inputs_of(*_at_random(q2, intensity, end), [end] * _BY_CHANCE, grid)
    by_chance = float(classifier.lattices(random)[:, best].max())
    return Answer(peaks.name, probability[0], by_chance, classifier.levels, len(lines), peaks.notes)


def _at_random(
    q2: np.ndarray, intensity: np.ndarray | None, end: float
) -> tuple[list[np.ndarray], list[np.ndarray | None]]:
    """q² and intensities of lists of as many lines at random places, evenly in q.

    The first line stays where it is: it only says how large the cell is.
    """
    rng = np.random.default_rng(_SEED)
    first, last = np.sqrt(q2[0]), np.sqrt(max(end, q2[-1]))
    places, heights = [], []
    for _ in range(_BY_CHANCE):
        q = np.sort(rng.uniform(first, last, len(q2)))
        q[0] = first
        places.append(q**2)
        heights.append(None if intensity is None else rng.permutation(intensity))
    return places, heights
