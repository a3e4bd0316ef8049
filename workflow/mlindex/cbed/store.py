"""Files of stacks in the layout of the SMC 2019 challenge (DOI 10.13139/OLCF/1510313), HDF5.

Each group of the root is a sample: a dataset ``cbed_stack`` (zone, y, x) and attributes. The
attributes ``z_dirs`` and ``y_dirs`` have the odd shape (1, 3, zone) with directions as columns.
Ours also say ``thickness_A`` and ``pixel_inv_A``.

Nothing is trusted: links, shapes, types and sizes are looked at before anything is read, and a
sample that is wrong is a :class:`Refused` with its reason while the others are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mlindex.base.atomic import atomic_path
from mlindex.base.errors import MlindexError
from mlindex.cbed.orientation import LARGEST_INDEX
from mlindex.cbed.stack import Stack
from mlindex.crystal.cell import cell_volume

DATASET = "cbed_stack"
#: Bounds of what is read: zones of a stack, pixels across, items of an attribute, characters.
MOST_ZONES, MOST_PIXELS, _MOST_ITEMS, _MOST_TEXT = 16, 4096, 64, 500
#: Patterns of fewer pixels across show no disc.
_LEAST_PIXELS = 8
#: Filters that h5py decodes itself; others would load plug-ins.
_FILTERS = (None, "gzip", "lzf")
_NUMBERS = "iuf"
#: What h5py raises for damaged files.
_DAMAGED = (OSError, RuntimeError, LookupError, TypeError, ValueError, ArithmeticError, MemoryError)


@dataclass(frozen=True)
class Refused:
    """A sample that can't be used: what was seen, and what is wrong."""

    sample: str
    seen: str
    reason: str


class _WrongError(Exception):
    def __init__(self, seen: object, reason: str):
        super().__init__(reason)
        self.seen, self.reason = str(seen)[:_MOST_TEXT], reason


def write_stacks(
    path: str | Path, stacks: Iterable[tuple[str, Stack]], compressed: bool = False
) -> int:
    """Write named stacks to a file, which is there whole or not at all.

    Args:
        path: the file.
        stacks: names of the groups, and what they hold; taken one by one.
        compressed: in chunks of a pattern with gzip, or as the challenge's: contiguous.

    Returns:
        How many there were.

    Raises:
        MlindexError: the file can't be written, or a name comes twice.
    """
    count = 0
    with atomic_path(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        for name, stack in stacks:
            if name in file:
                raise MlindexError(f"{path}: two samples are called {name!r}")
            _write(file.create_group(name, track_order=True), stack, compressed)
            count += 1
    return count


def _write(group: h5py.Group, stack: Stack, compressed: bool) -> None:
    patterns = np.ascontiguousarray(stack.patterns, dtype=np.float32)
    how: dict[str, Any] = {"track_times": False}
    if compressed:
        how |= {"chunks": (1, *patterns.shape[1:]), "compression": "gzip", "shuffle": True}
    group.create_dataset(DATASET, data=patterns, **how)
    attributes: dict[str, Any] = {
        "space_group": None if stack.space_group is None else np.bytes_(str(stack.space_group)),
        "material": np.bytes_(stack.material.encode()),
        "energy_keV": _whole(stack.energy_keV),
        "z_dirs": np.asarray(stack.zones, dtype=np.int64).T[None],
        "y_dirs": np.asarray(stack.y_uvw, dtype=np.float64).T[None],
        "semi_angles_rad": np.asarray(stack.semi_angle_rad, dtype=np.float64),
        "d_hkls_angstrom": np.asarray(stack.d_A, dtype=np.float64),
        "abc_angstrom": np.asarray(stack.cell[:3], dtype=np.float64),
        "angles_degree": np.asarray(stack.cell[3:], dtype=np.float64),
        "formula": stack.formula,
        "thickness_A": stack.thickness_A,
        "pixel_inv_A": stack.pixel_inv_A,
    }
    for name, value in attributes.items():
        if value is not None:
            group.attrs[name] = value


def _whole(energy_keV: float) -> int | float:
    return int(energy_keV) if float(energy_keV).is_integer() else float(energy_keV)


def read_stacks(path: str | Path) -> Iterator[tuple[str, Stack | Refused]]:
    """Each sample of a file, in the order of their names, one in memory at a time.

    Raises:
        MlindexError: the file can't be opened as HDF5, or holds no samples.
    """
    path = Path(path)
    if not path.is_file():
        raise MlindexError(f"{path}: no such file, or no regular one")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise MlindexError(f"{path}: is no HDF5 file, or is cut short ({error})") from None
    with file:
        try:
            names = sorted(file)
        except _DAMAGED as error:
            raise MlindexError(f"{path}: the file is damaged ({error})") from None
        if not names:
            raise MlindexError(f"{path}: holds no samples")
        for name in names:
            try:
                yield name, _read(file, name)
            except _WrongError as wrong:
                yield name, Refused(name, wrong.seen, wrong.reason)
            except _DAMAGED as error:
                seen = f"{type(error).__name__}: {error}"[:_MOST_TEXT]
                yield name, Refused(name, seen, "the sample can't be read: the file is damaged")


def _read(file: h5py.File, name: str) -> Stack:
    group = _inside(file, name, h5py.Group)
    patterns = _patterns(group)
    n = len(patterns)
    zones = _columns(group, "z_dirs", n)
    if not np.array_equal(zones, np.rint(zones)) or np.abs(zones).max() > LARGEST_INDEX:
        raise _WrongError(zones.tolist(), f"z_dirs: whole numbers up to {LARGEST_INDEX} expected")
    if not np.all(np.any(zones != 0, axis=1)):
        raise _WrongError(zones.tolist(), "z_dirs: a direction is zero")
    cell = np.concatenate([_numbers(group, "abc_angstrom", 3), _numbers(group, "angles_degree", 3)])
    if not (np.all(cell > 0) and np.all(cell[3:] < 180) and cell_volume(cell) > 0):
        raise _WrongError(cell.tolist(), "abc_angstrom, angles_degree: are no cell")
    angles = _numbers(group, "semi_angles_rad", n)
    if not np.all((angles > 0) & (angles < 0.2)):
        raise _WrongError(angles.tolist(), "semi_angles_rad: angles from 0 to 0.2 rad expected")
    energy = float(_numbers(group, "energy_keV", 1)[0])
    if not 1 <= energy <= 10_000:
        raise _WrongError(energy, "energy_keV: 1 to 10,000 keV expected")
    return Stack(
        patterns=patterns,
        zones=zones.astype(np.int64),
        y_uvw=_columns(group, "y_dirs", n),
        semi_angle_rad=angles,
        d_A=_numbers(group, "d_hkls_angstrom", n),
        cell=cell,
        energy_keV=energy,
        space_group=_space_group(group),
        material=_text(group, "material"),
        formula=_text(group, "formula"),
        thickness_A=_optional(group, "thickness_A"),
        pixel_inv_A=_optional(group, "pixel_inv_A"),
    )


def _inside(parent: h5py.Group, name: str, kind: type) -> Any:
    """A member of the file itself: links lead anywhere."""
    link = parent.get(name, getlink=True)
    if link is None:
        raise _WrongError("nothing of that name", f"there is no {name}")
    if not isinstance(link, h5py.HardLink):
        raise _WrongError(name, "it is a link, which may lead out of the file")
    found = parent[name]
    if not isinstance(found, kind):
        raise _WrongError(type(found).__name__, f"{name} is no {kind.__name__.lower()}")
    return found


def _patterns(group: h5py.Group) -> np.ndarray:
    data = _inside(group, DATASET, h5py.Dataset)
    # Looked at before anything is read: a file of some bytes may declare 100 GB.
    shape = data.shape
    if shape is None or len(shape) != 3 or not (1 <= shape[0] <= MOST_ZONES):
        raise _WrongError(shape, f"{DATASET}: (zone, y, x) with 1 to {MOST_ZONES} zones expected")
    if not all(_LEAST_PIXELS <= n <= MOST_PIXELS for n in shape[1:]) or shape[1] != shape[2]:
        size = f"{_LEAST_PIXELS} to {MOST_PIXELS}"
        raise _WrongError(shape, f"{DATASET}: square patterns of {size} pixels expected")
    if data.dtype.kind not in _NUMBERS or data.dtype.itemsize > 8:
        raise _WrongError(data.dtype, f"{DATASET}: real numbers expected")
    if data.external or data.is_virtual:
        raise _WrongError(DATASET, "its values lie in other files")
    if data.compression not in _FILTERS or data.scaleoffset is not None:
        raise _WrongError(data.compression, f"{DATASET}: compressed in a way that is not known")
    if data.chunks and np.prod(data.chunks, dtype=float) > MOST_ZONES * MOST_PIXELS**2:
        raise _WrongError(data.chunks, f"{DATASET}: its chunks are too large")
    if not data.id.get_storage_size():
        raise _WrongError(0, f"{DATASET}: declared, but never written")
    patterns = np.asarray(data[...], dtype=np.float32)
    if not np.isfinite(patterns).all():
        bad = ", ".join(str(i + 1) for i, one in enumerate(patterns) if not np.isfinite(one).all())
        raise _WrongError("NaN or infinite", f"{DATASET}: pattern {bad} holds what is no number")
    if patterns.min() < 0:
        raise _WrongError(float(patterns.min()), f"{DATASET}: holds negative intensities")
    if not np.all(patterns.max(axis=(1, 2)) > 0):
        raise _WrongError(0, f"{DATASET}: a pattern is empty")
    return patterns


def _attribute(group: h5py.Group, name: str) -> Any:
    if name not in group.attrs:
        raise _WrongError(name, f"the attribute {name} is missing")
    about = group.attrs.get_id(name)
    if about.shape is not None and np.prod(about.shape, dtype=float) > _MOST_ITEMS * MOST_ZONES:
        raise _WrongError(about.shape, f"{name}: too many items")
    return group.attrs[name]


def _numbers(group: h5py.Group, name: str, n: int) -> np.ndarray:
    value = np.asarray(_attribute(group, name))
    if value.dtype.kind not in _NUMBERS or value.size != n:
        seen = f"{value.size} of type {value.dtype.name}"
        raise _WrongError(seen, f"{name}: {n} {'number' if n == 1 else 'numbers'} expected")
    value = value.astype(float).reshape(n)
    if not np.isfinite(value).all():
        raise _WrongError(value.tolist(), f"{name}: holds what is no number")
    return value


def _columns(group: h5py.Group, name: str, n: int) -> np.ndarray:
    """Directions (n, 3) that the file keeps as the columns of (1, 3, n)."""
    shape = np.shape(_attribute(group, name))
    if shape not in ((1, 3, n), (3, n)):
        raise _WrongError(shape, f"{name}: the shape (1, 3, {n}) expected")
    return _numbers(group, name, 3 * n).reshape(3, n).T


def _optional(group: h5py.Group, name: str) -> float | None:
    return float(_numbers(group, name, 1)[0]) if name in group.attrs else None


def _space_group(group: h5py.Group) -> int | None:
    """Its number; None where the file doesn't tell, as one to be classified."""
    if "space_group" not in group.attrs:
        return None
    text = _text(group, "space_group")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 230):
        raise _WrongError(text, "space_group: a number from 1 to 230 expected")
    return int(text)


def _text(group: h5py.Group, name: str) -> str:
    value = _attribute(group, name)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(())[()]
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        seen = "an array" if isinstance(value, np.ndarray) else type(value).__name__
        raise _WrongError(seen, f"{name}: text expected")
    if len(value) > _MOST_TEXT:
        raise _WrongError(f"{len(value)} characters", f"{name}: too long")
    return value
