"""The series of the exponential against eigenvectors and the analytic solution of two beams."""

import numpy as np
import pytest

from mlindex.cbed.propagation import StructureMatrix, intensities, series_terms, spectrum_bounds

THICKNESS_A = np.array([40.0, 150.0, 700.0])


def hermitian(rng, n, size=0.01):
    matrix = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    np.fill_diagonal(matrix, 0)
    return size * (matrix + matrix.conj().T) / 2


def by_eigenvectors(diagonal, square, thickness):
    """|exp(2 pi i M t) e0|² (n, m): slow and plain."""
    found = []
    for column in diagonal.T:
        values, vectors = np.linalg.eig(np.diag(column) + square)
        first = np.linalg.solve(vectors, np.eye(len(column))[0])
        found.append(np.abs(vectors @ (np.exp(2j * np.pi * values * thickness) * first)) ** 2)
    return np.array(found).T


def test_two_beams_swing_as_the_analytic_solution_says():
    # Reimer & Kohl, Transmission Electron Microscopy, section 7.3: extinction distance 1 / 2|U|.
    errors = np.linspace(-0.01, 0.01, 21)
    coupling = 0.002 * np.exp(0.7j)
    matrix = np.array([[0, coupling.conj()], [coupling, 0]])
    found, _ = intensities(
        StructureMatrix(np.array([np.zeros(21), errors]), matrix, 0.0, 0.0), THICKNESS_A
    )
    effective = np.sqrt(errors**2 + (2 * abs(coupling)) ** 2)
    swing = np.sin(np.pi * THICKNESS_A[:, None] * effective) ** 2
    np.testing.assert_allclose(found[:, 1], (2 * abs(coupling) / effective) ** 2 * swing, atol=2e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=2e-5)


@pytest.mark.parametrize("absorption", [0.0, 0.1])
@pytest.mark.parametrize("real", [True, False])
def test_many_beams_agree_with_eigenvectors(absorption, real):
    rng = np.random.default_rng(3)
    square = hermitian(rng, 30)
    square = square.real if real else square
    diagonal = -rng.uniform(0, 0.1, size=(30, 5))
    found, products = intensities(StructureMatrix(diagonal, square, absorption, 0.0), THICKNESS_A)
    for i, thickness in enumerate(THICKNESS_A):
        wanted = by_eigenvectors(diagonal, square * (1 + 1j * absorption), thickness)
        np.testing.assert_allclose(found[i], wanted, atol=3e-4 * wanted.max())
    assert products > 0


def test_weak_beams_take_and_give_nothing_back():
    rng = np.random.default_rng(4)
    square = hermitian(rng, 20)
    diagonal = -rng.uniform(0, 0.1, size=(20, 4))
    found, _ = intensities(StructureMatrix(diagonal, square[:, :8], 0.0, 0.0), THICKNESS_A)
    one_way = square.copy()
    one_way[:, 8:] = 0
    wanted = by_eigenvectors(diagonal, one_way, THICKNESS_A[1])
    np.testing.assert_allclose(found[1], wanted, atol=1e-4)
    np.testing.assert_allclose(found[:, :8].sum(axis=1), 1, atol=1e-4)


def test_mean_absorption_dims_all_beams_alike():
    diagonal = np.zeros((1, 1))
    found, _ = intensities(
        StructureMatrix(diagonal, np.zeros((1, 1)), 0.1, 0.001), np.array([500.0])
    )
    assert found[0, 0, 0] == pytest.approx(np.exp(-4 * np.pi * 0.1 * 0.001 * 500), rel=1e-5)


@pytest.mark.parametrize("n", [2, 17, 60])
def test_the_spectrum_lies_within_its_bounds(n):
    matrix = hermitian(np.random.default_rng(n), n)
    values = np.linalg.eigvalsh(matrix)
    low, high = spectrum_bounds(matrix.astype(np.complex64))
    assert low <= values[0]
    assert high >= values[-1]
    assert high - low < 1.5 * np.ptp(values)


@pytest.mark.parametrize("argument", [0.0, 0.3, 12.0, 200.0])
def test_the_series_is_the_exponential(argument):
    x = np.linspace(-1, 1, 101)
    terms = series_terms(argument)
    series = sum(term * np.cos(k * np.arccos(x)) for k, term in enumerate(terms))
    np.testing.assert_allclose(series, np.exp(1j * argument * x), atol=3e-5)
