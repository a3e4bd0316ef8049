"""The walk through reciprocal space: every hkl with q² up to a limit, and none beyond.

q² = A h² + B k² + C l² + D kl + E hl + F hk is completed to squares,

    q² = C (l + (D k + E h) / 2C)² + b (k + f h / 2b)² + a h²,

so that each index has its limits when those before it are chosen. A walk is three loops with the
limits from here. A :class:`Region` leaves out what is the same line or absent by centring.

All lattices but triclinic ones have an axis at right angles to the others. With l along it, the
rows of l begin at 0 and can be followed up to the limit, which takes no root for each of them:
:func:`upright` and :func:`upright_row`. Of cubic lattices, whose l goes up to k only, this isn't
made use of.
"""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.crystal.lattice import centring_rules, centrings_renamed

#: By centring code: present are hkl with h + k a multiple of the first number, and with
#: l - (third h + fourth k) a multiple of the second.
_RULES = centring_rules()
#: By centring code: the code when k and l change places, and whether no renaming changes it.
_EXCHANGED = centrings_renamed((0, 2, 1))
_ANY_ORDER = np.all(
    [centrings_renamed(axes) == np.arange(len(_RULES)) for axes in permutations(range(3))], axis=0
)


class Form(NamedTuple):
    """The coefficients of q² and what its squares need; ``a`` is 0 where it is no lattice.

    The middles of k and l are ``k_h`` h and ``l_k`` k + ``l_h`` h; ``per_b`` is 1/b, ``per_C``
    1/C.
    """

    A: float
    B: float
    C: float
    D: float
    E: float
    F: float
    a: float
    b: float
    k_h: float
    l_k: float
    l_h: float
    per_b: float
    per_C: float


class Region(NamedTuple):
    """Which reflections stand for all: a domain and a centring code.

    The domain is that of :class:`mlindex.indexing.search.walked.WalkedSystem`.

    Numbers only, as in all tuples of the loops: compiled code counts references of arrays.
    """

    signed_k: int
    signed_l: int
    order: int
    centring: int


@njit(cache=True, nogil=True, inline="always")
def form_of(x6: np.ndarray) -> Form:
    """The form of reciprocal parameters (6,): hh, kk, ll, kl, hl, hk."""
    return _form(x6[0], x6[1], x6[2], x6[3], x6[4], x6[5])


@njit(cache=True, nogil=True, inline="always")
def _form(A: float, B: float, C: float, D: float, E: float, F: float) -> Form:
    a = b = k_h = l_k = l_h = per_b = per_C = 0.0
    if C > 0.0:
        per_C = 1.0 / C
        l_k, l_h = -0.5 * D * per_C, -0.5 * E * per_C
        b = B + 0.5 * D * l_k
        f = F + D * l_h
        if b > 0.0:
            per_b = 1.0 / b
            k_h = -0.5 * f * per_b
            a = A + 0.5 * E * l_h + 0.5 * f * k_h
    return Form(A, B, C, D, E, F, a, b, k_h, l_k, l_h, per_b, per_C)


@njit(cache=True, nogil=True, inline="always")
def last_h(form: Form, q2_max: float) -> int:
    """The greatest h of a lattice, with ``form.a`` above 0."""
    return int(np.sqrt(q2_max / form.a))


@njit(cache=True, nogil=True, inline="always")
def k_range(form: Form, region: Region, h: int, q2_max: float) -> tuple[int, int]:
    """The least and the greatest k for that h."""
    middle = form.k_h * h
    half = np.sqrt(max(q2_max - form.a * h * h, 0.0) * form.per_b)
    low, high = int(np.ceil(middle - half)), int(np.floor(middle + half))
    if not region.signed_k or h == 0:
        low = max(low, 0)
    if region.order >= 1:
        high = min(high, h)
    return low, high


@njit(cache=True, nogil=True, inline="always")
def l_row(form: Form, region: Region, h: int, k: int, q2_max: float) -> tuple[int, int, int]:
    """The least l for that h and k, how many there are, and the step from one to the next."""
    if _RULES[region.centring, 0] == 2 and (h + k) & 1:
        return 0, 0, 1
    off = k - form.k_h * h
    rest = q2_max - form.a * h * h - form.b * off * off
    if rest < 0.0:
        return 0, 0, 1
    middle, half = form.l_k * k + form.l_h * h, np.sqrt(rest * form.per_C)
    low, high = int(np.ceil(middle - half)), int(np.floor(middle + half))
    if (
        not region.signed_l
        or (h == 0 and (k == 0 or not region.signed_k))
        or (region.order == 1 and h == k)
    ):
        low = max(low, 0)
    if h == 0 and k == 0:
        low = max(low, 1)
    if region.order == 2:
        high = min(high, k)
    step = _RULES[region.centring, 1]
    # Each step by itself: a division by a number that is not known beforehand takes long.
    if step == 1:
        return low, max(high - low + 1, 0), 1
    place = _RULES[region.centring, 2] * h + _RULES[region.centring, 3] * k
    if step == 2:
        low += (place - low) & 1
        return low, max((high - low + 2) >> 1, 0), 2
    if region.order == 1 and place % 3 == 0:
        # l and -l are both present, and one line.
        low = max(low, 0)
    low += (place - low) % 3
    return low, max((high - low + 3) // 3, 0), 3


@njit(cache=True, nogil=True, inline="always")
def upright(x6: np.ndarray, region: Region) -> tuple[Form, Region]:
    """Form and region of a lattice, neither triclinic nor cubic, with axes renamed so that l is at
    right angles to h and k.

    That is the k of monoclinic lattices, whose region has signed l in no order. Where no axis is
    unlike the others, l is the longest: fewest rows.
    """
    A, B, C, F = x6[0], x6[1], x6[2], x6[5]
    centring = region.centring
    if region.order == 0 and region.signed_l:
        return _form(A, C, B, 0.0, 0.0, x6[4]), Region(1, 0, 0, _EXCHANGED[centring])
    if region.order == 0 and _ANY_ORDER[centring]:
        if A < C:
            A, C = C, A
        if B < C:
            B, C = C, B
    return _form(A, B, C, 0.0, 0.0, F), Region(0, region.signed_l, region.order, centring)


@njit(cache=True, nogil=True, inline="always")
def upright_row(region: Region, h: int, k: int) -> tuple[int, int, int]:
    """The row of l of :func:`upright` with that h and k.

    Returns:
        the least l, the least -l of the lines that only l below 0 give, and the step of both; a
        number below 0 where there are none.
    """
    if _RULES[region.centring, 0] == 2 and (h + k) & 1:
        return -1, -1, 1
    step = _RULES[region.centring, 1]
    place = _RULES[region.centring, 2] * h + _RULES[region.centring, 3] * k
    first, mirrored = 0, -1
    if step == 2:
        first = place & 1
    elif step == 3:
        first = place % 3
        if first > 0:
            mirrored = 3 - first
    if h == 0 and k == 0 and first == 0:
        first = step
    return first, mirrored, step


@njit(cache=True, nogil=True)
def present(h: int, k: int, l: int, centring: int) -> bool:
    """Whether a centring, by its code in ``CENTRING_CODES``, leaves the reflection."""
    if (h + k) % _RULES[centring, 0]:
        return False
    return (_RULES[centring, 2] * h + _RULES[centring, 3] * k - l) % _RULES[centring, 1] == 0


@njit(cache=True, nogil=True, inline="always")
def q2_of(form: Form, h: int, k: int, l: int) -> float:
    """q² of a reflection."""
    base = form.A * h * h + form.B * k * k + form.F * h * k
    return base + (form.D * k + form.E * h + form.C * l) * l
