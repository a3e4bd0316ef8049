"""Symmetry by a search for the cell and by the lines alone, joined.

A search says which lattices explain the lines; a classifier says what lines of each lattice look
like, also where the search finds none. A small model weighs the two: a conditional logit (McFadden
1974, in Frontiers in Econometrics, 105) whose few weights all 14 Bravais lattices share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlindex.crystal.group_shares import log_weights
from mlindex.crystal.symmetry_classes import N_GROUPS, classes_of, prior_of_groups
from mlindex.learning.labels import at_level
from mlindex.learning.learner import Learner
from mlindex.learning.learners.common import floats, require, softmax_rows

#: The file of the model in its folder.
FILE = "joined.npz"
#: What each lattice of a list is judged by, in the order of the weights.
FEATURES = {
    "classifier": "ln of the probability by the classifier",
    "search": "ln of that by the search, which leaves to the classifier what it gives no lattice",
    "evidence": "Log-evidence of its best cell behind that of the best of all / 10, at least -2",
    "convincing": "1 if a convincing cell has this lattice",
}
#: What each extinction symbol of a lattice is judged by, where a cell of that lattice was found.
SYMBOL_FEATURES = {
    "classifier": "ln of the probability within the lattice by the classifier",
    "search": "ln of that by the lines that the best cell of the lattice has and lacks",
    "prior": "ln of how often the symbol is met within the lattice",
}
#: Smaller probabilities count as this one: neither side may rule out a class alone.
_LEAST = 1e-4
_EVIDENCE_UNIT, _FAR = 10.0, -2.0
#: The lattice of a convincing cell is ahead by this at least: two of 84 such lists would be worse.
_AHEAD = 1e-6
#: The level of the symbols.
SYMBOL = "extinction_symbol"
_WHAT = "model that joins search and classifier"


class SearchEvidence(NamedTuple):
    """What searches for the cell found for n lists, in the order of the classes of each level.

    ``probability`` (n, 14) of each Bravais lattice; what is lacking of 1 is for none that was
    found. ``log_evidence`` (n, 14) of its best cell, NaN where none was found. ``convincing``
    (n, 14) is true for the lattice of a convincing cell. ``volume_A3`` (n, 14) is that of its best
    primitive cell, NaN where none was found. ``symbols`` (n, k) are probabilities of the
    extinction symbols within a lattice, NaN where they are not known.
    """

    probability: np.ndarray
    log_evidence: np.ndarray
    convincing: np.ndarray
    volume_A3: np.ndarray
    symbols: np.ndarray


def require_evidence(evidence: SearchEvidence) -> None:
    """Refuse what can't be the evidence of searches.

    Raises:
        ValueError: a shape is another, or a probability is none.
    """
    n, widths = len(evidence.probability), (14, 14, 14, 14, len(classes_of("extinction_symbol")))
    for (name, array), width in zip(evidence._asdict().items(), widths, strict=True):
        if np.shape(array) != (n, width):
            raise ValueError(f"{name} has shape {np.shape(array)}, expected ({n}, {width})")
    for name in ("probability", "symbols"):
        values = getattr(evidence, name)
        known = values if name == "probability" else values[~np.isnan(values)]
        if not np.all((known >= 0) & (known <= 1 + 1e-6)):
            raise ValueError(f"{name} holds {known.min()} to {known.max()}: no probabilities")
    if np.isinf(evidence.log_evidence).any():
        raise ValueError("a log-evidence is infinite; NaN stands for a lattice that was not found")


def features_of(lattices: np.ndarray, evidence: SearchEvidence) -> np.ndarray:
    """Features (n, 14, 4) of each lattice, see :data:`FEATURES`.

    Args:
        lattices: probability by the classifier (n, 14).
        evidence: of the same lists.

    Raises:
        ValueError: the evidence is none, or of other lists.
    """
    require_evidence(evidence)
    if np.shape(lattices) != np.shape(evidence.probability):
        raise ValueError(f"{np.shape(lattices)} probabilities for {len(evidence.probability)}")
    open_share = np.maximum(1 - evidence.probability.sum(axis=1, keepdims=True), 0.0)
    search = evidence.probability + open_share * lattices
    found = np.isfinite(evidence.log_evidence)
    known = np.where(found, evidence.log_evidence, -np.inf)
    best = np.where(found.any(axis=1), known.max(axis=1), 0.0)[:, None]
    behind = np.maximum((known - best) / _EVIDENCE_UNIT, _FAR)
    columns = (_log(lattices), _log(search), behind, evidence.convincing.astype(float))
    return np.stack(columns, axis=2)


def symbol_features(symbols: np.ndarray, evidence: SearchEvidence) -> np.ndarray:
    """Features (n, k, 3) of each extinction symbol within its lattice, see
    :data:`SYMBOL_FEATURES`; NaN for the search where it says nothing.

    Args:
        symbols: probability by the classifier within the lattice (n, k).
        evidence: of the same lists.
    """
    share = np.broadcast_to(_log(_prior_within()), np.shape(symbols))
    known = np.isfinite(evidence.symbols)
    search = np.where(known, _log(np.where(known, evidence.symbols, 1.0)), np.nan)
    return np.stack([_log(symbols), search, share], axis=2)


def within_lattice(symbols: np.ndarray) -> np.ndarray:
    """Probability of each extinction symbol within its lattice (n, k); the prior where the lattice
    has none.

    Args:
        symbols: probability of each symbol (n, k), of all lattices together.
    """
    of = lattice_of_symbol()
    summed = np.zeros((len(symbols), len(classes_of("bravais"))))
    np.add.at(summed.T, of, symbols.T)
    total = summed[:, of]
    return np.where(total > 0, symbols / np.where(total > 0, total, 1.0), _prior_within())


@dataclass(frozen=True)
class Joined(Learner):
    """Weights (4,) of :data:`FEATURES` and (3,) of :data:`SYMBOL_FEATURES`.

    Those of the symbols are for lists in which each symbol of a lattice is met equally often;
    prediction multiplies by how often it is.
    """

    lattice_weights: np.ndarray
    symbol_weights: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Joined:
        """The model with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they make no model.
        """
        lattices, symbols = arrays["lattice_weights"], arrays["symbol_weights"]
        sound = floats(lattices, len(FEATURES)) and floats(symbols, len(SYMBOL_FEATURES))
        require(sound, arrays, _WHAT)
        return cls(lattices, symbols)

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return {"lattice_weights": self.lattice_weights, "symbol_weights": self.symbol_weights}

    def predict_proba(self, probability: np.ndarray, evidence: SearchEvidence) -> np.ndarray:
        """Probability of each space group, shape (n, 230).

        No lattice is more probable than that of a convincing cell.

        Args:
            probability: by the classifier (n, 230).
            evidence: of searches of the same lists.

        Raises:
            ValueError: shapes do not agree, or something is no probability.
        """
        if np.ndim(probability) != 2 or np.shape(probability)[1] != N_GROUPS:
            raise ValueError(f"expected {N_GROUPS} probabilities, got {np.shape(probability)}")
        x = features_of(at_level(probability, "bravais"), evidence)
        scores = x @ self.lattice_weights
        rows, columns = np.nonzero(evidence.convincing)
        scores[rows, columns] = np.maximum(scores[rows, columns], scores[rows].max(axis=1) + _AHEAD)
        of_lattice = softmax_rows(scores)
        of_symbol = self._symbols(within_lattice(at_level(probability, SYMBOL)), evidence)
        return groups_of(of_lattice, of_symbol, evidence.volume_A3)

    def _symbols(self, symbols: np.ndarray, evidence: SearchEvidence) -> np.ndarray:
        """Probability of each symbol (n, k) within its lattice; the classifier's where no cell of
        the lattice tells."""
        x = symbol_features(symbols, evidence)
        weights = self.symbol_weights + np.array([0.0, 0.0, 1.0])
        scores = np.where(np.isnan(x[:, :, 1]), x[:, :, 0], x @ weights)
        return softmax_within(scores)


def groups_of(lattices: np.ndarray, symbols: np.ndarray, volume_A3: np.ndarray) -> np.ndarray:
    """Probability of each space group (n, 230) from that of each lattice (n, 14), of each symbol
    within its lattice (n, k), and how often the groups of a symbol are met in primitive cells of
    these volumes (n, 14), NaN where none is known."""
    bravais, symbol = (classes_of(level).of_group for level in ("bravais", SYMBOL))
    met = np.exp(log_weights(volume_A3[:, bravais]))
    within = met / at_level(met, SYMBOL)[:, symbol]
    return lattices[:, bravais] * symbols[:, symbol] * within


def softmax_within(scores: np.ndarray) -> np.ndarray:
    """Probabilities (n, k) of the symbols of each lattice from their scores (n, k)."""
    of, found = lattice_of_symbol(), np.empty(np.shape(scores))
    for lattice in range(len(classes_of("bravais"))):
        found[:, of == lattice] = softmax_rows(scores[:, of == lattice])
    return found


def lattice_of_symbol() -> np.ndarray:
    """The Bravais lattice (k,) of each extinction symbol."""
    bravais, symbols = classes_of("bravais"), classes_of(SYMBOL)
    found = np.empty(len(symbols), dtype=np.int64)
    found[symbols.of_group] = bravais.of_group
    return found


def _prior_within() -> np.ndarray:
    """How often each symbol (k,) is met among those of its lattice."""
    prior = prior_of_groups()[None]
    lattices = at_level(prior, "bravais")[0]
    return at_level(prior, SYMBOL)[0] / lattices[lattice_of_symbol()]


def _log(probability: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probability, _LEAST))
