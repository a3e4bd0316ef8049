"""Files of stacks: the challenge's layout to the last attribute, and hostile ones."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.cbed.stack import Stack
from mlindex.cbed.store import Refused, read_stacks, write_stacks


def stack(**changed):
    rng = np.random.default_rng(1)
    values = {
        "patterns": rng.random((3, 32, 32)).astype(np.float32),
        "zones": np.array([[1, 1, 0], [0, -1, 2], [1, 0, 1]]),
        "y_uvw": rng.random((3, 3)),
        "semi_angle_rad": np.array([0.00277, 0.003, 0.004]),
        "d_A": np.array([3.343, 2.9, 2.1]),
        "cell": np.array([5.0, 6, 7, 90, 95, 90]),
        "energy_keV": 100.0,
        "space_group": 14,
        "material": "mp-763064",
        "formula": "Fe8 O14 F2",
    }
    return Stack(**{**values, **changed})


def test_the_layout_is_that_of_the_challenge(tmp_path):
    one = stack()
    assert write_stacks(tmp_path / "a.h5", [("sample_0_0", one)]) == 1
    with h5py.File(tmp_path / "a.h5") as file:
        assert not file.attrs.keys()
        group = file["sample_0_0"]
        data, said = group["cbed_stack"], dict(group.attrs)
        assert (data.dtype, data.shape, data.chunks) == (np.float32, (3, 32, 32), None)
        assert said["space_group"] == b"14"
        assert said["material"] == b"mp-763064"
        assert said["energy_keV"] == 100
        assert np.issubdtype(said["energy_keV"].dtype, np.integer)
        # The columns are the directions: [0, component, zone].
        assert said["z_dirs"].shape == (1, 3, 3)
        np.testing.assert_array_equal(said["z_dirs"][0, :, 1], [0, -1, 2])
        np.testing.assert_allclose(said["y_dirs"][0, :, 2], one.y_uvw[2])
        assert said["formula"] == "Fe8 O14 F2"
        np.testing.assert_allclose(said["abc_angstrom"], [5, 6, 7])
        np.testing.assert_allclose(said["angles_degree"], [90, 95, 90])


@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_written_is_read_and_the_same_bytes_come_twice(tmp_path, compressed):
    one = stack(thickness_A=120.0, pixel_inv_A=0.01)
    for name in ("a.h5", "b.h5"):
        write_stacks(tmp_path / name, [("x", one)], compressed)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    ((name, found),) = read_stacks(tmp_path / "a.h5")
    assert name == "x"
    for field, value in vars(one).items():
        np.testing.assert_array_equal(getattr(found, field), value, err_msg=field)


def without(name):
    return lambda group: group.attrs.__delitem__(name)


def saying(name, value):
    return lambda group: group.attrs.__setitem__(name, value)


def data(value=None, **how):
    def put(group):
        del group["cbed_stack"]
        group.create_dataset("cbed_stack", data=value, **how)

    return put


def linked(link):
    def put(group):
        del group["cbed_stack"]
        group["cbed_stack"] = link

    return put


NOT_A_NUMBER = np.full((3, 8, 8), np.nan, np.float32)
HOSTILE = {
    "no zones": (without("z_dirs"), "z_dirs is missing"),
    "no cell": (without("abc_angstrom"), "abc_angstrom is missing"),
    "rows for columns": (saying("z_dirs", np.ones((3, 1, 3), int)), "the shape"),
    "no direction": (saying("z_dirs", np.zeros((1, 3, 3), int)), "a direction is zero"),
    "half an index": (saying("z_dirs", np.full((1, 3, 3), 0.5)), "whole numbers"),
    "group 231": (saying("space_group", b"231"), "1 to 230"),
    "group in words": (saying("space_group", "P 1"), "1 to 230"),
    "cell of nothing": (saying("abc_angstrom", np.zeros(3)), "are no cell"),
    "impossible cell": (saying("angles_degree", np.array([10.0, 10, 170])), "are no cell"),
    "cell of NaN": (saying("abc_angstrom", np.full(3, np.nan)), "no number"),
    "long attribute": (saying("d_hkls_angstrom", np.ones(5000)), "too many items"),
    "long text": (saying("formula", "C" * 5000), "too long"),
    "NaN": (data(NOT_A_NUMBER), "no number"),
    "negative": (data(np.full((3, 8, 8), -1.0)), "negative"),
    "empty": (data(np.zeros((3, 8, 8))), "empty"),
    "flat": (data(np.ones((8, 8))), "(zone, y, x)"),
    "small": (data(np.ones((3, 1, 1))), "square patterns of 8"),
    "oblong": (data(np.ones((3, 8, 9))), "square"),
    "words": (data(np.full((3, 8, 8), b"a")), "real numbers"),
    "100 GB": (data(None, shape=(3, 90000, 90000), dtype="f4", chunks=(1, 90, 90)), "square"),
    "unwritten": (data(None, shape=(3, 64, 64), dtype="f4", chunks=(1, 64, 64)), "never written"),
    "outer link": (linked(h5py.ExternalLink("other.h5", "/x")), "link"),
    "soft link": (linked(h5py.SoftLink("/x/cbed_stack")), "link"),
    "outer values": (
        data(None, shape=(3, 8, 8), dtype="f4", external=[("other.bin", 0, 768)]),
        "other files",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_samples_are_refused_with_a_reason_and_the_others_read(tmp_path, case):
    spoil, reason = HOSTILE[case]
    write_stacks(tmp_path / "a.h5", [("bad", stack()), ("good", stack())])
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        spoil(file["bad"])
    found = dict(read_stacks(tmp_path / "a.h5"))
    assert isinstance(found["bad"], Refused)
    assert reason in found["bad"].reason
    assert isinstance(found["good"], Stack)


def test_files_that_are_cut_short_or_no_hdf5_are_refused(tmp_path):
    write_stacks(tmp_path / "a.h5", [(f"s{i}", stack()) for i in range(3)])
    whole = (tmp_path / "a.h5").read_bytes()
    for size in (0, 7, 500, len(whole) // 2, len(whole) - 1):
        (tmp_path / "b.h5").write_bytes(whole[:size])
        with pytest.raises(MlindexError, match="cut short"):
            list(read_stacks(tmp_path / "b.h5"))
    with pytest.raises(MlindexError, match="no such file"):
        list(read_stacks(Path("/dev/zero")))


def test_scrambled_bytes_never_crash(tmp_path):
    write_stacks(tmp_path / "a.h5", [("s", stack())])
    whole = bytearray((tmp_path / "a.h5").read_bytes())
    rng = np.random.default_rng(5)
    for _ in range(60):
        broken = bytearray(whole)
        for place in rng.integers(0, 3000, 6):
            broken[place] = rng.integers(256)
        (tmp_path / "b.h5").write_bytes(broken)
        try:
            for _, found in read_stacks(tmp_path / "b.h5"):
                assert isinstance(found, Stack | Refused)
        except MlindexError:
            pass


def test_two_samples_of_one_name_leave_no_file(tmp_path):
    with pytest.raises(MlindexError, match="two samples"):
        write_stacks(tmp_path / "a.h5", [("s", stack()), ("s", stack())])
    assert list(tmp_path.iterdir()) == []
