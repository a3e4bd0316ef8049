"""Resident memory over the training of many groups: models compiled once against rebuilt ones.

Run: python benchmarks/training_memory.py [groups]

Each way trains the same made-up groups in a process of its own and prints its resident memory
after each. The plain way builds and compiles the models anew for every half of a cycle, weights
handed over, as one does when the frozen part and the loss change between halves.
"""

from __future__ import annotations

import subprocess
import sys
import time

import keras
import numpy as np

from mlindex.crystal.lattice import SYSTEMS
from mlindex.learning.lattices import n_peaks_of
from mlindex.method.regression import VarianceModels, build_models, train_group
from mlindex.method.settings import Regression
from mlindex.method.training_data import Samples

_SYSTEM = SYSTEMS["monoclinic"]
_SETTINGS = Regression(cycles=5, epochs=2)
_ENTRIES = 1000


def resident_MB() -> float:
    """Resident memory of this process in MB."""
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(x for x in status if x.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def samples(number: int) -> Samples:
    """A made-up group; groups differ in size, as real ones do."""
    rng = np.random.default_rng(number)
    count = _ENTRIES + 37 * (7 * number % 10)
    q2 = np.sort(rng.normal(size=(count, n_peaks_of(_SYSTEM))), axis=1).astype(np.float32)
    target = q2[:, : _SYSTEM.n_free] + rng.normal(0, 0.1, (count, _SYSTEM.n_free))
    held_out = np.arange(count) % 5 == 0
    target = target.astype(np.float32)
    return Samples(q2, target.astype(float), target, ~held_out, held_out, held_out)


def train_rebuilding(group: Samples) -> None:
    """The plain way: a fresh, compiled pair of Keras models for each half of each cycle."""
    weights: dict[str, list[np.ndarray]] = {}
    train, stop = group.train, group.stopping
    for _ in range(_SETTINGS.cycles):
        for half in ("mean", "variance"):
            models = build_models(n_peaks_of(_SYSTEM), _SYSTEM.n_free, _SETTINGS)
            trainers = {"mean": models.mean, "variance": models.variance}
            for key, values in weights.items():
                trainers[key].model.set_weights(values)
            learning = trainers[half]
            resting = trainers["variance" if half == "mean" else "mean"]
            frozen = resting.model.predict(group.q2_scaled, verbose=0)
            model, loss = learning.model, learning.loss
            width = group.free_scaled.shape[1]
            model.compile(
                optimizer=learning.optimizer,
                loss=lambda y, out, loss=loss, w=width: loss(out, y[:, :w], y[:, w:]),
                steps_per_execution=50,
                jit_compile=False,
            )
            packed = np.concatenate([group.free_scaled, frozen], axis=1)
            model.fit(
                group.q2_scaled[train],
                packed[train],
                batch_size=_SETTINGS.batch_size,
                epochs=_SETTINGS.epochs,
                validation_data=(group.q2_scaled[stop], packed[stop]),
                verbose=0,
            )
            weights = {key: t.model.get_weights() for key, t in trainers.items()}


def measure(way: str, groups: int) -> None:
    """Train the groups one way; prints resident memory and seconds after each."""
    keras.utils.set_random_seed(0)
    models: VarianceModels | None = None
    for number in range(groups):
        group, start = samples(number), time.perf_counter()
        if way == "once":
            models = models or build_models(n_peaks_of(_SYSTEM), _SYSTEM.n_free, _SETTINGS)
            train_group(models, group, f"group{number}", seed=0)
        else:
            train_rebuilding(group)
        print(f"{resident_MB():.1f} {time.perf_counter() - start:.2f}", flush=True)


def main() -> None:
    """Run both ways, each in its own process, and print the comparison."""
    groups = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    found = {}
    for way in ("once", "rebuilt"):
        command = [sys.executable, __file__, way, str(groups)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[way] = [tuple(map(float, x.split())) for x in done.stdout.splitlines()]
    print("group   compiled once          rebuilt each half cycle")
    for number, (once, rebuilt) in enumerate(zip(*found.values(), strict=True), start=1):
        print(
            f"{number:5d}  {once[0]:7.0f} MB {once[1]:5.1f} s   {rebuilt[0]:9.0f} MB "
            f"{rebuilt[1]:5.1f} s"
        )
    # The first group pays for graphs and libraries; growth is what the later ones add.
    growth = {way: (rows[-1][0] - rows[0][0]) / (groups - 1) for way, rows in found.items()}
    print(
        f"growth a group: {growth['once']:.2f} MB compiled once, {growth['rebuilt']:.2f} MB "
        f"rebuilt ({growth['rebuilt'] / max(growth['once'], 0.01):.0f} times as much)"
    )
    print(
        f"peak ratio: {max(r[0] for r in found['rebuilt']) / max(r[0] for r in found['once']):.2f}"
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        main()
