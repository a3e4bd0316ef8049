"""A convolutional network over a pattern on a grid of log q, in numpy.

On a logarithmic grid a cell of another size moves the whole pattern along, which changes little in
what convolution and global pooling see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlindex.learning.learners.common import (
    floats,
    logits_make_sense,
    require,
    softmax_rows,
    standard,
    standardizes,
)
from mlindex.learning.learners.contract import Classifier, Inputs
from mlindex.learning.networks import HiddenLayer, gelu, hidden_layers, layer_arrays, through

#: Patterns that are taken at a time, so that memory does not grow with their number.
_BLOCK = 32
_WHAT = "convolutional network"


@dataclass(frozen=True)
class Convolution:
    """Convolution along the grid, the greatest of ``pool`` neighbours, GELU.

    ``kernel`` (w, n_in, n_out), w odd, and ``bias`` (n_out,) hold the normalization too.
    """

    kernel: np.ndarray
    bias: np.ndarray

    def __call__(self, x: np.ndarray, pool: int) -> np.ndarray:
        """Output (n, g // pool, n_out) for input (n, g, n_in)."""
        width, n_in, n_out = self.kernel.shape
        n, g = x.shape[:2]
        padded = np.pad(x, ((0, 0), (width // 2, width // 2), (0, 0)))
        seen = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
        seen = seen.transpose(0, 1, 3, 2).reshape(n * g, width * n_in)
        found = (seen @ self.kernel.reshape(-1, n_out)).reshape(n, g, n_out)
        kept = found[:, : g // pool * pool].reshape(n, g // pool, pool, n_out)
        return gelu(kept.max(axis=2) + self.bias)

    def sound(self, n_in: int) -> bool:
        """Whether it takes ``n_in`` channels."""
        fits = self.kernel.ndim == 3 and self.kernel.shape[1] == n_in
        odd = fits and self.kernel.shape[0] % 2 == 1
        return bool(
            odd
            and _single(self.kernel, *self.kernel.shape)
            and _single(self.bias, self.kernel.shape[2])
        )


@dataclass(frozen=True)
class ConvolutionalNetwork(Classifier):
    """Convolutions, their mean and maximum along the grid, the features beside, hidden layers.

    ``blocks`` pool by ``pool``; ``mean``, ``scale`` (m,) standardize the features, of which there
    may be none; ``layers`` and ``kernel`` (n_in, k), ``bias`` (k,) give the logits. A class without
    rows has the bias -inf. ``n_grid`` is the number of grid points.
    """

    sees_grid = True

    blocks: tuple[Convolution, ...]
    pool: np.ndarray
    n_grid: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    layers: tuple[HiddenLayer, ...]
    kernel: np.ndarray
    bias: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ConvolutionalNetwork:
        """The network with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they are no such network.
        """
        depth = arrays["depth"]
        numbers = depth.shape == (2,) and np.issubdtype(depth.dtype, np.integer)
        require(numbers, arrays, _WHAT)
        stems = [f"convolution/{number}" for number in range(depth[0])]
        made = cls(
            tuple(Convolution(arrays[f"{s}/kernel"], arrays[f"{s}/bias"]) for s in stems),
            *(arrays[name] for name in ("pool", "n_grid", "mean", "scale")),
            hidden_layers(arrays, "hidden"),
            arrays["output/kernel"],
            arrays["output/bias"],
        )
        require(len(made.layers) == depth[1] and made._sound(), arrays, _WHAT)
        return made

    def _sound(self) -> bool:
        numbers = (self.pool, self.n_grid)
        if not all(a.shape == () and np.issubdtype(a.dtype, np.integer) for a in numbers):
            return False
        if not self.blocks or self.pool < 1 or self.n_grid < int(self.pool) ** len(self.blocks):
            return False
        channels = 1
        for block in self.blocks:
            if not block.sound(channels):
                return False
            channels = len(block.bias)
        width = 2 * channels + self.mean.size
        for layer in self.layers:
            n_out = layer.bias.size
            rest = (layer.bias, layer.gamma, layer.beta)
            if not (_single(layer.kernel, width, n_out) and all(_single(a, n_out) for a in rest)):
                return False
            width = n_out
        output = logits_make_sense(self.bias) and floats(self.kernel, width, len(self.bias))
        return output and standardizes(self.mean, self.scale)

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        found = {name: getattr(self, name) for name in ("pool", "n_grid", "mean", "scale")}
        found["depth"] = np.array([len(self.blocks), len(self.layers)])
        for number, block in enumerate(self.blocks):
            found[f"convolution/{number}/kernel"] = block.kernel
            found[f"convolution/{number}/bias"] = block.bias
        output = {"output/kernel": self.kernel, "output/bias": self.bias}
        return found | layer_arrays(self.layers, "hidden") | output

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """Probability of each class (n, k).

        Raises:
            ValueError: the features or the grid have other widths than in training.
        """
        x = standard(inputs.x, self.mean, self.scale)
        grid = checked_grid(inputs.grid, len(x), int(self.n_grid))
        starts = range(0, len(x), _BLOCK)
        parts = [self._logits(x[s : s + _BLOCK], grid[s : s + _BLOCK]) for s in starts]
        return softmax_rows(np.concatenate([np.empty((0, len(self.bias))), *parts]))

    def _logits(self, x: np.ndarray, grid: np.ndarray) -> np.ndarray:
        seen = grid[..., None]
        for block in self.blocks:
            seen = block(seen, int(self.pool))
        joined = np.concatenate([seen.mean(axis=1), seen.max(axis=1), x], axis=1)
        return through(self.layers, joined) @ self.kernel + self.bias


def checked_grid(grid: np.ndarray | None, n: int, width: int | None = None) -> np.ndarray:
    """Patterns on a grid (n, width) as float32; None allows any width.

    Raises:
        ValueError: there are none, they have another shape, or an intensity is no number.
    """
    if grid is None:
        raise ValueError(f"{n} patterns without intensities on a grid, which are needed")
    shape = np.shape(grid)
    if len(shape) != 2 or shape[0] != n or (width is not None and shape[1] != width):
        points = "any number of" if width is None else width
        raise ValueError(f"expected {n} patterns of {points} points, got the shape {shape}")
    grid = np.asarray(grid, dtype=np.float32)
    if not np.all(np.isfinite(grid)):
        raise ValueError("an intensity on the grid is no finite number in 32 bits: put 0")
    return grid


def _single(array: np.ndarray, *shape: int) -> bool:
    return array.dtype == np.float32 and floats(array, *shape)
