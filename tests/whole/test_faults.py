"""Killed, out of room, without rights, with files that go: nothing half, a clear word, and on."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import signal
import time
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from helpers.cif_texts import CORUNDUM
from helpers.faults.kill import Series, jobs
from helpers.faults.mounts import script, unshare
from helpers.faults.outputs import comparable, finished
from helpers.faults.processes import Run
from helpers.faults.stepwise import killed_before_each_step
from helpers.small_workflow import snakemake
from mlindex.base.atomic import atomic_directory
from mlindex.base.errors import MlindexError
from mlindex.base.schema import FLOAT64, Column, Table, read_table, write_table
from mlindex.base.stage import Stage
from mlindex.learning.arrays import read_arrays, write_arrays
from mlindex.structures.manifest import known_shards, update_manifest
from mlindex.structures.quality import check_shard
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource, Shards
from mlindex.structures.tables import FILES

NUMBERS = Table("numbers", "a number", (Column("x", FLOAT64, "a number"),))
#: Four jobs: quality control and reduction of two shards.
TARGETS = ("results/cells/lab/000.parquet", "results/cells/lab/001.parquet")
SHARDS = Shards(files_per_shard=4, max_shards=4)


def numbers(count, seed):
    return {"x": np.random.default_rng(seed).random(count)}


def hidden(folder):
    return [p.name for p in folder.rglob(".*") if p.name != ".state.parquet"]


# --- killed at any step -------------------------------------------------------------------------


def test_a_table_is_the_old_or_the_new_one_before_every_step(tmp_path):
    path = tmp_path / "results/table.parquet"
    write_table(path, NUMBERS, numbers(3000, 1))
    old = path.read_bytes()
    write_table(path, NUMBERS, numbers(3000, 2))
    new = path.read_bytes()
    seen = []
    path.write_bytes(old)
    for _ in killed_before_each_step(lambda: write_table(path, NUMBERS, numbers(3000, 2))):
        seen.append(path.read_bytes())
        assert seen[-1] in (old, new)
    assert len(seen) >= 3
    assert seen[0] == old
    assert path.read_bytes() == new


def write_folder(path, seed):
    with atomic_directory(path) as folder:
        for name in "abc":
            write_arrays(folder / f"{name}.npz", {"x": np.full(1000, seed)})


def content(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.exists() else None


def test_a_folder_is_the_old_one_the_new_one_or_none_before_every_step(tmp_path):
    path = tmp_path / "models"
    write_folder(path, 2)
    new = content(path)
    write_folder(path, 1)
    old = content(path)
    seen = []
    for _ in killed_before_each_step(lambda: write_folder(path, 2)):
        seen.append(content(path))
        assert seen[-1] in (old, new, None)
    assert seen[0] == old
    assert content(path) == new
    assert len(seen) > 10


def test_a_scan_that_is_killed_is_done_by_the_next(tmp_path):
    cifs, lists = tmp_path / "cifs", tmp_path / "lists"
    cifs.mkdir()
    for number in range(3):
        (cifs / f"{number}.cif").write_text(f"data_{number}\n")
    source = FolderSource(name="s", path=str(cifs))
    update_manifest(source, SHARDS, lists)
    for number in range(2, 6):
        (cifs / f"{number}.cif").write_text(f"data_new_{number}\n")
    expected = tmp_path / "expected"
    shutil.copytree(lists, expected)
    update_manifest(source, SHARDS, expected)
    before = tmp_path / "before"
    shutil.copytree(lists, before)

    steps = 0
    for _ in killed_before_each_step(lambda: update_manifest(source, SHARDS, lists)):
        for path in lists.glob("*.files.parquet"):
            read_table(path, FILES)
        update_manifest(source, SHARDS, lists)
        assert comparable_lists(lists) == comparable_lists(expected)
        shutil.rmtree(lists)
        shutil.copytree(before, lists)
        steps += 1
    assert steps > 10


def comparable_lists(folder):
    return {name: (folder / f"{name}.files.parquet").read_bytes() for name in known_shards(folder)}


# --- no room, no right --------------------------------------------------------------------------


def in_child(work):
    """What a MlindexError raised in a forked child says."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()
        except MlindexError as error:
            os.write(sender, str(error).encode())
        finally:
            os._exit(0)
    os.close(sender)
    os.waitpid(child, 0)
    with os.fdopen(receiver) as stream:
        return stream.read()


def without_room(work):
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        work()

    return in_child(limited)


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("table", lambda path: write_table(path, NUMBERS, numbers(100_000, 2))),
        ("arrays", lambda path: write_arrays(path, {"x": np.ones(100_000)})),
    ],
)
def test_a_file_that_finds_no_room_leaves_the_old_one(tmp_path, name, work):
    path = tmp_path / name
    path.write_text("old")
    said = without_room(lambda: work(path))
    assert said.startswith(f"{path} can't be written: File too large; raise the limit")
    assert path.read_text() == "old"
    assert hidden(tmp_path) == []


def test_a_folder_that_finds_no_room_leaves_the_old_one(tmp_path):
    path = tmp_path / "models"
    write_folder(path, 1)
    old = content(path)
    said = without_room(lambda: write_folder(path, 2))
    assert "can't be written: File too large" in said
    assert content(path) == old
    assert hidden(tmp_path) == []
    assert list(read_arrays(path / "a.npz")["x"][:1]) == [1]


def test_a_folder_that_nobody_may_write_is_named(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("the superuser may write anywhere")
    tmp_path.chmod(0o555)
    with pytest.raises(MlindexError, match=r"a\.parquet can't be written: Permission denied; give"):
        write_table(tmp_path / "a.parquet", NUMBERS, numbers(3, 1))


def job(tmp_path, work):
    """Do work in a Stage in a forked child; its exit status and its log."""
    fields = {"input": [], "output": [], "wildcards": {}, "params": {}, "threads": 1}
    path = tmp_path / "logs/a.log"
    child = os.fork()
    if child == 0:
        status = 0
        os.dup2(os.open(tmp_path / "stderr", os.O_CREAT | os.O_WRONLY), 2)
        try:
            with Stage(SimpleNamespace(**fields, rule="a", log=[path])):
                work()
        except SystemExit as ended:
            os.write(2, str(ended).encode())
            status = 3
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), path.read_text()


def test_the_log_of_a_killed_job_says_so(tmp_path):
    status, log = job(tmp_path, lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert status == -signal.SIGKILL
    assert log.endswith("killed from outside, perhaps for lack of memory\n")


def unreadable():
    raise OSError(errno.EIO, "made for the test", "tape.cif")


def hungry():
    return bytearray(10**15)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (unreadable, "a: Input/output error (tape.cif); see whether the disk"),
        (hungry, "a: out of memory; give the job more, or let fewer jobs run"),
    ],
)
def test_a_problem_of_the_machine_ends_a_job_with_what_to_do(tmp_path, work, words):
    status, log = job(tmp_path, work)
    assert status == 3
    assert (tmp_path / "stderr").read_text().startswith(words)
    assert f"ERROR mlindex.{words}" in log.splitlines()[-1]
    assert work.__name__ in log


def test_a_log_that_has_no_room_does_not_hide_what_happened(tmp_path):
    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
        write_table(tmp_path / "a.parquet", NUMBERS, numbers(1000, 1))

    status, log = job(tmp_path, fill)
    assert status == 3
    assert len(log) <= 200
    assert (tmp_path / "stderr").read_text().startswith(f"a: {tmp_path}/a.parquet can't be written")


# --- sources that change ------------------------------------------------------------------------


@pytest.fixture
def listed(tmp_path):
    """A folder of ten crystals and its list."""
    cifs = tmp_path / "cifs"
    for number in range(10):
        path = cifs / f"{number % 2}" / f"{number}.cif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CORUNDUM.replace("data_corundum", f"data_{number}"))
    source = FolderSource(name="lab", path=str(cifs))
    update_manifest(source, Shards(), tmp_path / "lists")
    return source, cifs, read_table(tmp_path / "lists/000.files.parquet", FILES)


def check(source, cifs, files, **settings):
    return check_shard(files, cifs, source, Quality(**settings))


def test_files_as_listed_are_read(listed):
    assert len(check(*listed).entries) == 10


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text(path.read_text() + "# more\n"),
        lambda path: path.write_text(path.read_text().replace("4.7606", "4.7607")),
        lambda path: path.write_text(path.read_text()[:300]),
    ],
    ids=["gone", "longer", "same size", "cut"],
)
def test_a_file_that_changed_since_it_was_listed_is_no_reject(listed, change):
    source, cifs, _ = listed
    change(cifs / "1/3.cif")
    with pytest.raises(
        MlindexError, match=r"'1/3\.cif' below .* changed or disappeared .* start again"
    ):
        check(*listed)
    update_manifest(source, Shards(), cifs.parent / "lists")
    again = read_table(cifs.parent / "lists/000.files.parquet", FILES)
    checked = check(source, cifs, again)
    assert len(checked.entries) + len(checked.rejects) == len(again) >= 9


def test_a_folder_below_that_goes_is_told_once(listed):
    _, cifs, _ = listed
    shutil.move(cifs / "1", cifs.parent / "away")
    with pytest.raises(MlindexError, match=r"'1/1\.cif' and 4 more below"):
        check(*listed)
    shutil.move(cifs.parent / "away", cifs / "1")
    assert len(check(*listed).entries) == 10


def test_a_file_that_is_too_large_is_rejected_without_being_read_to_its_end(listed):
    _, cifs, files = listed
    big = cifs / "1/3.cif"
    with big.open("ab") as stream:
        stream.truncate(10**10)
    files.loc[files["path"] == "1/3.cif", "size_bytes"] = 10**10
    checked = check(*listed, max_entry_s=2)
    assert checked.rejects["path"].tolist() == ["1/3.cif"]
    assert "larger than" in checked.rejects["reason"][0]


def test_what_could_not_be_read_is_looked_at_again(tmp_path):
    cifs = tmp_path / "cifs"
    cifs.mkdir()
    (cifs / "a.cif").write_text(CORUNDUM)
    (cifs / "b.cif").symlink_to(tmp_path / "elsewhere.cif")
    source, lists = FolderSource(name="s", path=str(cifs)), tmp_path / "lists"
    update_manifest(source, Shards(), lists)
    digests = read_table(lists / "000.files.parquet", FILES).set_index("path")["digest"]
    assert digests["b.cif"].startswith("unreadable")
    # An empty file of no date is what a link that leads nowhere looks like.
    (tmp_path / "elsewhere.cif").touch()
    os.utime(tmp_path / "elsewhere.cif", ns=(0, 0))
    update_manifest(source, Shards(), lists)
    digests = read_table(lists / "000.files.parquet", FILES).set_index("path")["digest"]
    assert not digests["b.cif"].startswith("unreadable")


# --- the workflow -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Kills at random moments, and before them a run that nothing happens to."""
    series = Series(tmp_path_factory.mktemp("series"), TARGETS, 3, lambda _: None)
    series.undisturbed()
    return series


@pytest.fixture
def undisturbed(series):
    """The digests of that run."""
    return series.expected


@pytest.fixture
def project(series, request):
    return series.project(request.node.name)


def ends_well(project, undisturbed, output):
    assert "(100%) done" in output, output[-3000:]
    assert comparable(project) == undisturbed


def said(output):
    """What a person reads: a word on the cause, and no traceback."""
    assert "Traceback" not in output
    assert not re.search(r'^\s+File ".*", line \d+', output, re.MULTILINE)
    return output


needs_mounts = pytest.mark.skipif(not unshare(), reason="no file system can be mounted here")


@needs_mounts
def test_a_full_disk_is_named_and_the_next_start_goes_on(project, undisturbed):
    (project / "results").mkdir()
    run = f"$SNAKEMAKE {' '.join(TARGETS)}"
    _, full, _, _, after, _ = script(
        project,
        # The first table of 28k does not fit; where it just does, Snakemake's next write fails.
        "mount -t tmpfs -o size=48k x results",
        run,
        "find results -name '.*' -not -name .state.parquet > hidden",
        "mount -o remount,size=100m results",
        run,
        "mkdir kept && cp -r results kept/results",
    )
    full_disk = r"\w+: results/\S+ can't be written: No space left on device; free"
    assert re.search(full_disk, full), full
    assert "mlindex" not in said(full).rpartition("Exiting because")[2]
    assert (project / "hidden").read_text() == ""
    ends_well(project / "kept", undisturbed, after)


@needs_mounts
def test_results_that_can_not_be_written_are_named(project, undisturbed):
    snakemake(project, "results/entries/lab/000.parquet")
    before = finished(project)
    run = f"$SNAKEMAKE {' '.join(TARGETS)}"
    added = project / "cifs/added.cif"
    _, first, forced, _, changed, _ = script(
        project,
        "mount --bind results results && mount -o remount,bind,ro results",
        run,
        f"{run} --forceall",
        f"cp {next(project.glob('cifs/*/*.cif'))} {added}",
        run,
        f"rm {added}",
    )
    assert "mlindex: results can't be written: Read-only file system; make" in said(first)
    assert "Write-protected output files" in said(forced)
    assert "files.parquet can't be written: Read-only file system; make it" in said(changed)
    ends_well(project, undisturbed, snakemake(project, *TARGETS))
    assert {name: finished(project)[name] for name in before} == before


def test_a_source_that_goes_half_way_is_asked_back(project, undisturbed):
    run = Run(project, *TARGETS, cores=1)
    run.wait_for("Finished jobid")
    shutil.move(project / "cifs", project / "away")
    assert run.ended_within(300)
    assert run.process.returncode == 1
    assert "the folder cifs is gone; bring it back and start again" in said(run.output)
    before = finished(project)
    assert any("entries" in name for name in before)
    missing = snakemake(project, *TARGETS, check=False)
    assert "'cifs' is not a folder" in said(missing)
    shutil.move(project / "away", project / "cifs")
    ends_well(project, undisturbed, snakemake(project, *TARGETS))
    assert {name: finished(project)[name] for name in before} == before


def job_of(run, script_name):
    """The process id of a job's script."""
    while True:
        for pid in run.members():
            try:
                words = psutil.Process(pid).cmdline()
            except psutil.Error:
                continue
            if len(words) == 2 and words[1].endswith(script_name):
                return pid
        assert run.process.poll() is None, run.output[-3000:]
        time.sleep(0.02)


def test_a_second_run_keeps_off_and_a_killed_job_costs_only_itself(project, undisturbed):
    run = Run(project, *TARGETS)
    job = job_of(run, "quality.py")
    # It waits, and with it the first run, until the second has ended.
    os.kill(job, signal.SIGSTOP)
    second = snakemake(project, *TARGETS, check=False)
    assert "make sure that no other Snakemake process" in said(second)
    os.kill(job, signal.SIGKILL)
    assert run.ended_within(300)
    assert run.process.returncode == 1
    assert "died with <Signals.SIGKILL: 9>" in said(run.output)
    before = finished(project)
    ends_well(project, undisturbed, snakemake(project, *TARGETS))
    assert {name: finished(project)[name] for name in before} == before


def test_kills_at_random_moments_lose_and_repeat_nothing(series):
    series.run(2)
    figures = series.figures
    assert figures.clean, figures
    assert figures.kills == 2
    assert figures.jobs == 4
    assert figures.started == 4 * figures.runs + figures.cut_off
    assert figures.left_behind == 0


def test_what_a_killed_run_left_is_removed_by_the_next_start_only(project):
    results = project / "results"
    left, young = (results / f"cells/lab/.00{n}.parquet.abcdefgh.part" for n in (0, 1))
    folder = results / "models/.cubic.12345678.part"
    mine = results / "cells/lab/.notes.txt"
    folder.mkdir(parents=True)
    left.parent.mkdir(parents=True)
    for path in (left, young, mine, folder / "model.json"):
        path.write_text("half")
    os.utime(folder, (0, 0))
    os.utime(left, (0, 0))
    os.utime(young, (2**32, 2**32))
    dry = snakemake(project, "--dry-run", *TARGETS)
    assert "mlindex: removed" not in dry
    assert left.exists()
    assert folder.exists()
    output = snakemake(project, "results/entries/lab/000.parquet")
    assert "mlindex: removed 2 temporary files and folders of a run that was stopped" in output
    assert not left.exists()
    assert not folder.exists()
    assert young.read_text() == mine.read_text() == "half"


def test_jobs_are_read_from_what_snakemake_says():
    said = "Job 3: A of b\nReason: x\nJob 4: C\nFinished jobid: 3 (Rule: a)\n1 of 2 steps\n"
    assert jobs(said) == (["A of b", "C"], ["A of b"])
