"""Compiled functions without scipy: numba imports it as it loads the first of them.

It does so to know whether products of matrices can be compiled, which it looks up again when it
compiles one. None of the searches has any, and the import takes as long as half of them to load.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec


def load_numba() -> None:
    """Load numba's array functions, if they are not loaded, without importing scipy."""
    if "numba.np.arraymath" in sys.modules or "scipy.linalg" in sys.modules:
        return
    from numba.np import linalg

    # What the question is asked with; newer versions may have another name for it.
    ask = getattr(linalg, "ensure_blas", None)
    if ask is None:
        return
    linalg.ensure_blas = lambda: None
    try:
        from numba.np import arraymath
    finally:
        linalg.ensure_blas = ask
    arraymath._HAVE_BLAS = find_spec("scipy") is not None
