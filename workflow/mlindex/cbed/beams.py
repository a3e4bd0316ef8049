"""Which beams are calculated, and how they couple."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np

from mlindex.cbed.laue_zones import with_distant_zones
from mlindex.cbed.orientation import Orientation
from mlindex.cbed.potential import Potential
from mlindex.cbed.settings import BeamChoice

#: Beams that the weights of the others are summed over.
_STRONGEST = 100
#: Beams nearer to the Ewald sphere than this are no small perturbation.
_NEAR_INV_A = 0.01
#: Thickness that thresholds of weights are stated for.
_STATED_A = 100.0
_NO_TILT = np.zeros(2)
#: Coefficients of 1/sqrt(1 + x) beyond 1.
_INVERSE_ROOT = (-1 / 2, 3 / 8, -5 / 16, 35 / 128)
#: Beams nearer to the plane of the zero Laue zone than this lie in it.
_IN_ZONE_INV_A = 1e-6
#: Least kinematic amplitude that is told from none.
_NOTHING = 1e-12


@dataclass(frozen=True)
class Beams:
    """The beams of a zone at one energy: ``n_strong`` that interact, then the weak ones.

    ``hkl`` (n, 3) with the direct beam first; ``q_inv_A`` (n, 3) their vectors; ``coupling``
    (n, n_strong) in 1/A, float or complex: the structure matrix without its diagonal. The wave of
    the strong beams is ``dressing`` (n_strong, n_strong) times what the matrix propagates, for
    the ``n_perturbing`` distant beams hold a share of it.
    ``normal`` (n,) is the component of each beam's wave vector along z over that of the direct
    beam's, ``wave_number_inv_A`` that of the wave in the crystal, ``weight`` (n,) its weight.
    """

    hkl: np.ndarray
    q_inv_A: np.ndarray
    coupling: np.ndarray
    dressing: np.ndarray
    n_perturbing: int
    normal: np.ndarray
    weight: np.ndarray
    n_strong: int
    wave_number_inv_A: float
    mean_potential_inv_A2: float


class Thresholds(NamedTuple):
    """Least weights of beams that interact, are scattered into, and perturb."""

    strong: float
    weak: float
    perturbing: float


def thresholds(choice: BeamChoice, thickness_A: float) -> Thresholds:
    """The least weights of :class:`BeamChoice` in a crystal of some thickness."""
    times = thickness_A / _STATED_A
    return Thresholds(
        choice.strong_weight / times**0.5, choice.weak_weight, choice.perturbing_weight / times
    )


def excitation_errors(
    q_inv_A: np.ndarray, transverse_inv_A: np.ndarray, wave_number_inv_A: float
) -> np.ndarray:
    """K² - (K + g)² over 2 K_z, shape (n, m), in 1/A: n beams, m directions.

    Args:
        q_inv_A: the beams' vectors g, shape (n, 3).
        transverse_inv_A: x and y components of the wave vectors K, shape (m, 2).
        wave_number_inv_A: the length of K.
    """
    along = np.sqrt(wave_number_inv_A**2 - np.sum(transverse_inv_A**2, axis=1))
    product = q_inv_A[:, :2] @ transverse_inv_A.T + q_inv_A[:, 2:] * along
    return -(2 * product + np.sum(q_inv_A**2, axis=1)[:, None]) / (2 * along)


def chosen_beams(
    potential: Potential,
    orientation: Orientation,
    wave_number_inv_A: float,
    relativistic: float,
    convergence_inv_A: float,
    thickness_A: float,
    choice: BeamChoice,
    tilt_inv_A: np.ndarray = _NO_TILT,
) -> Beams:
    """The beams of a zone by the rule of :class:`BeamChoice`.

    Args:
        potential: coefficients that it lacks count as 0, beams beyond them are left out.
        orientation: the zone axis.
        wave_number_inv_A: 1/wavelength in vacuum.
        relativistic: what the potential is multiplied by.
        convergence_inv_A: radius of the discs.
        thickness_A: the greatest thickness.
        choice: the rule.
        tilt_inv_A: x and y components of the wave vector at the centre of the disc, (2,).
    """
    mean = float(potential.table[tuple(potential.bounds)].real) * relativistic
    wave_number = float(np.sqrt(wave_number_inv_A**2 + mean))
    q_max = min(choice.q_max_inv_A, potential.reach_inv_A)
    hkl, q, error = _candidates(
        orientation, wave_number, convergence_inv_A, q_max, tilt_inv_A, choice
    )
    swing = np.linalg.norm(q[:, :2], axis=1) * convergence_inv_A / wave_number
    weight = _weights(potential, hkl, error, swing, 2 * wave_number / relativistic, thickness_A)
    strong, weak, far = _classes(weight, np.abs(error), thickness_A, choice)
    chosen = np.concatenate([strong, weak])
    n_strong = len(strong)
    normal = 1 + q[:, 2] / wave_number
    scale = relativistic / (2 * wave_number)
    table = with_distant_zones(
        potential, orientation, choice.perturbing_depth_inv_A, wave_number, relativistic
    )
    table *= scale

    def coupled(rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        found = _looked_up(values, potential.bounds, hkl[rows], hkl[columns])
        found /= np.sqrt(normal[rows, None] * normal[columns]).astype(found.real.dtype)
        return found

    coupling = coupled(chosen, strong, table)
    coupling[np.arange(n_strong), np.arange(n_strong)] = 0.0
    moved = np.abs(error) > _NEAR_INV_A + 2 * swing
    others = np.concatenate([weak, far])
    others = others[moved[others] & (np.abs(q[others, 2]) < _IN_ZONE_INV_A)]
    moved[strong] = False
    upper = _of_upper_zones(weight, error, q[:, 2], moved, thickness_A, choice)
    single = table.astype(np.float32 if potential.real else np.complex64)
    dressing = _perturbed(
        coupling,
        error[strong] / normal[strong],
        _Distant(coupled(others, strong, single), error[others] / normal[others]),
        coupled(others, others, single),
        _Distant(coupled(upper, strong, single), error[upper] / normal[upper]),
    )
    return Beams(
        hkl[chosen],
        q[chosen],
        coupling,
        dressing,
        len(others) + len(upper),
        normal[chosen],
        weight[chosen],
        n_strong,
        wave_number,
        mean,
    )


class _Distant(NamedTuple):
    """Coupling of f distant beams to n strong ones, (f, n), and their diagonal (f,), in 1/A."""

    detour: np.ndarray
    own: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """What they hold of the strong ones' wave, (f, n)."""
        return self.detour / self.own[:, None].astype(np.float32)


def _perturbed(
    coupling: np.ndarray, error: np.ndarray, others: _Distant, among: np.ndarray, upper: _Distant
) -> np.ndarray:
    """What distant beams do to the strong ones, added to ``coupling``; the dressing (n, n).

    Those of the zero zone by Lowdin's partitioning to third order (J. Chem. Phys. 19 (1951) 1396),
    with energies to first order. Bethe's potentials are its second order. The two further terms,
    that a distant beam couples to other distant ones and that it holds a share of the wave,
    cancel in part: either one alone is worse than none.

    Those of upper zones couple to one another by the same potential as the strong ones do, so that
    of them the two terms cancel wholly but for excitation errors, if all beams are there. As they
    never are, they are left out: what remains is the second order at the mean excitation error of
    the two strong beams. What upper zones hold of the wave depends on where in the cell the
    crystal ends, and no surface is so flat: its mean isn't told from none.

    Args:
        coupling: (n + m, n) of n strong and m weak beams, changed in place.
        error: the diagonal of the strong beams, (n,).
        others: distant beams of the zero zone.
        among: the coupling among these, (f, f); its diagonal isn't used.
        upper: distant beams of upper zones.
    """
    n_strong = len(error)
    np.fill_diagonal(among, 0)
    share = others.share
    back = share.conj().T
    full = coupling[:n_strong] - others.detour.conj().T @ share + back @ (among @ share)
    above = upper.share
    full -= upper.detour.conj().T @ above
    full -= (above.conj().T @ above) * ((error[:, None] + error) / 2).astype(np.float32)
    full[np.arange(n_strong), np.arange(n_strong)] += error
    held = back @ share
    dressing, power = np.eye(n_strong, dtype=held.dtype), np.eye(n_strong, dtype=held.dtype)
    for factor in _INVERSE_ROOT:
        power = power @ held
        dressing += factor * power
    full = dressing @ full @ dressing
    full[np.arange(n_strong), np.arange(n_strong)] -= error
    coupling[:n_strong] = (full + full.conj().T) / 2
    coupling[n_strong:] = coupling[n_strong:] @ dressing
    return dressing


def _of_upper_zones(
    weight: np.ndarray,
    error: np.ndarray,
    height: np.ndarray,
    allowed: np.ndarray,
    thickness_A: float,
    choice: BeamChoice,
) -> np.ndarray:
    """Rows of the beams of upper zones that perturb.

    What zones on the two sides do nearly cancels, so that beams are taken in pairs: by the weight
    that they would have at the height of their zone.
    """
    height = np.abs(height)
    paired = np.minimum(weight, 1.0) * np.abs(error) / np.maximum(height, _IN_ZONE_INV_A)
    near = allowed & (height >= _IN_ZONE_INV_A) & (height <= choice.perturbing_depth_inv_A)
    rows = np.flatnonzero(near & (paired >= thresholds(choice, thickness_A).perturbing))
    rows = rows[np.argsort(-_rounded(paired[rows]), kind="stable")]
    return _whole_class(rows, paired, 2 * choice.max_beams)


def _weights(
    potential: Potential,
    hkl: np.ndarray,
    error: np.ndarray,
    swing: np.ndarray,
    scale: float,
    thickness_A: float,
) -> np.ndarray:
    """The weight of each beam (n,), infinite for the direct one.

    Args:
        potential, hkl: the coefficients, and the indices.
        error: excitation errors at the centre of the disc, in 1/A.
        swing: what they change by from there to the rim, in 1/A.
        scale: twice the wave number over the relativistic factor, in 1/A.
        thickness_A: within it a beam of no excitation error grows as 2 pi t |U| / 2K.
    """
    nearest = np.maximum(np.abs(error) - swing, 1 / (2 * np.pi * thickness_A)) * scale
    direct = np.abs(_looked_up(potential.table, potential.bounds, hkl, hkl[:1])[:, 0])
    kinematic = np.minimum(direct / nearest, 1.0)
    kinematic[0] = 1.0
    leading = np.argsort(-_rounded(np.maximum(kinematic, _NOTHING)), kind="stable")
    leading = _whole_class(leading, np.maximum(kinematic, _NOTHING), _STRONGEST)
    pulls = np.abs(_looked_up(potential.table, potential.bounds, hkl, hkl[leading]))
    weight = np.maximum(pulls @ kinematic[leading] / nearest, _NOTHING)
    weight[0] = np.inf
    return weight


def _classes(
    weight: np.ndarray, error: np.ndarray, thickness_A: float, choice: BeamChoice
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of strong, weak and only perturbing beams, each by falling weight."""
    near = error <= choice.excitation_max_inv_A
    least = thresholds(choice, thickness_A)
    order = np.argsort(-_rounded(weight), kind="stable")
    order = order[weight[order] >= least.perturbing]
    strong = order[near[order] & (weight[order] >= least.strong)]
    strong = _whole_class(strong, weight, choice.max_strong)
    others = order[~np.isin(order, strong)]
    weak = others[near[others] & (weight[others] >= least.weak)]
    weak = _whole_class(weak, weight, choice.max_beams)
    far = others[~np.isin(others, weak)]
    return strong, weak, _whole_class(far, weight, choice.max_beams)


def _rounded(weight: np.ndarray) -> np.ndarray:
    return np.round(np.log(weight), 6)


def _whole_class(order: np.ndarray, weight: np.ndarray, most: int) -> np.ndarray:
    """The first ones, at most so many; of beams of equal weight all or none."""
    if len(order) <= most:
        return order
    larger = _rounded(weight[order[:most]]) > _rounded(weight[order[most]])
    return order[:most][larger] if larger.any() else order[:most]


def _candidates(
    orientation: Orientation,
    wave_number: float,
    convergence: float,
    q_max: float,
    tilt: np.ndarray,
    choice: BeamChoice,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices, vectors and excitation errors (1/A) at the disc's centre; the direct beam first."""
    # Nothing near the Ewald sphere lies deeper than its cap and the tolerance.
    centre = np.array([*-tilt, 0.0])
    farthest = q_max + np.linalg.norm(tilt)
    depth = farthest**2 / wave_number + 2 * choice.excitation_max_inv_A
    reach = np.hypot(farthest, max(depth, choice.perturbing_depth_inv_A))
    basis = np.linalg.inv(orientation.reciprocal_inv_A)
    bounds = np.floor(np.linalg.norm(basis, axis=0) * reach).astype(np.int64)
    hkl = _near_sphere(
        bounds,
        orientation.reciprocal_inv_A,
        q_max,
        centre,
        wave_number,
        convergence,
        choice.excitation_max_inv_A,
        choice.perturbing_depth_inv_A,
    )
    q = orientation.positions(hkl)
    return hkl, q, excitation_errors(q, tilt[None], wave_number)[:, 0]


@numba.njit(cache=True)
def _near_sphere(bounds, reciprocal, q_max, centre, wave_number, convergence, tolerance, depth):
    """Indices (n, 3) of points near the Ewald sphere or the zero Laue zone; (0, 0, 0) first.

    They lie within q_max of the centre of the Laue circle, across the beam.
    """
    along = np.sqrt(wave_number**2 - centre[0] ** 2 - centre[1] ** 2)
    found = [(0, 0, 0)]
    for h in range(-bounds[0], bounds[0] + 1):
        for k in range(-bounds[1], bounds[1] + 1):
            for l in range(-bounds[2], bounds[2] + 1):
                x = h * reciprocal[0, 0] + k * reciprocal[1, 0] + l * reciprocal[2, 0]
                y = h * reciprocal[0, 1] + k * reciprocal[1, 1] + l * reciprocal[2, 1]
                z = h * reciprocal[0, 2] + k * reciprocal[1, 2] + l * reciprocal[2, 2]
                across = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
                if across > q_max * q_max or (h == 0 and k == 0 and l == 0):
                    continue
                inside = 2 * (z * along - x * centre[0] - y * centre[1])
                error = abs(inside + x * x + y * y + z * z) / (2 * along)
                swing = np.sqrt(x * x + y * y) * convergence / wave_number
                if abs(z) <= depth or error <= tolerance + swing:
                    found.append((h, k, l))
    hkl = np.empty((len(found), 3), np.int64)
    for row in range(len(found)):
        hkl[row] = found[row]
    return hkl


@numba.njit(cache=True)
def _looked_up(table, bounds, rows, columns):
    """The coefficients (n, m) of the differences of n and m indices."""
    out = np.zeros((len(rows), len(columns)), table.dtype)
    H, K, L = bounds[0], bounds[1], bounds[2]
    for i in range(len(rows)):
        for j in range(len(columns)):
            h = rows[i, 0] - columns[j, 0]
            k = rows[i, 1] - columns[j, 1]
            l = rows[i, 2] - columns[j, 2]
            if abs(h) <= H and abs(k) <= K and abs(l) <= L:
                out[i, j] = table[h + H, k + K, l + L]
    return out
