"""Reduction of plane lattices: the shortest vectors, and the same ones in each way of reducing."""

import numpy as np
import pytest

from mlindex.crystal.plane import reduce_plane, reduce_planes, shortest_plane_vectors
from mlindex.crystal.reduction_kernels import reduce_form


def _planes(seed):
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(3, 20, (300, 2))
    product = lengths.prod(axis=1) * np.cos(np.radians(rng.uniform(8, 172, 300)))
    return lengths[:, 0] ** 2, product, lengths[:, 1] ** 2


def test_shortest_plane_vectors_against_search():
    vv, vw, ww = _planes(2)
    change = shortest_plane_vectors(vv, vw, ww, 1e-9)
    np.testing.assert_allclose(np.abs(np.linalg.det(change)), 1)
    steps = np.indices((81, 81)).reshape(2, -1).T - 40
    for i in range(300):
        metric = np.array([[vv[i], vw[i]], [vw[i], ww[i]]])
        reduced = change[i].T @ metric @ change[i]
        squares = np.sort(np.einsum("ni,ij,nj->n", steps, metric, steps))
        # Place 0 is the null vector; each vector and its opposite are as long.
        assert reduced[0, 0] == pytest.approx(squares[1])
        assert reduced[1, 1] >= reduced[0, 0] - 1e-9
        assert -reduced[0, 0] / 2 - 1e-9 <= reduced[0, 1] <= 1e-9


def test_one_many_and_compiled_reductions_agree():
    vv, vw, ww = _planes(3)
    many = reduce_planes(vv, vw, ww)
    for i in range(300):
        one = reduce_plane(vv[i], vw[i], ww[i])
        assert (one.pp, one.pq, one.qq) == (many.vv[i], many.vw[i], many.ww[i])
        np.testing.assert_array_equal(np.transpose([one.p, one.q]), many.change[i])
        form = reduce_form(vv[i], ww[i], 2 * vw[i])
        np.testing.assert_allclose(form, (one.pp, one.qq, 2 * abs(one.pq)), rtol=1e-12, atol=1e-9)


def test_ties_are_not_decided_by_rounding():
    change = shortest_plane_vectors(
        np.array([1.0 + 1e-12]), np.array([-0.5 - 1e-12]), np.array([1.0]), 1e-9
    )
    np.testing.assert_array_equal(change[0], np.eye(2))
