"""Numba's array functions are loaded without scipy, and products can still be compiled."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from mlindex.base.quick_start import load_numba
load_numba()
assert "numba.np.arraymath" in sys.modules
assert "scipy.linalg" not in sys.modules
from numba.np import arraymath, linalg
assert arraymath._HAVE_BLAS
linalg.ensure_blas()
assert "scipy.linalg.cython_blas" in sys.modules
"""


def test_scipy_is_imported_only_when_a_product_is_compiled() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True)
