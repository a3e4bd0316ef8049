"""The program around its commands: faults, interruptions, streams that are closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlindex.apps import cli, command
from mlindex.apps.main import main

SAID = "mlindex: stopped before there was a result\n"
SAMPLE = Path(__file__).resolve().parents[2] / "resources/samples/silicon.txt"


def ended(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Code and standard error of the program."""
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code, capsys.readouterr().err


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def app(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", app)


def test_a_fault_is_one_sentence_and_ends_with_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    raising(monkeypatch, ValueError("no\nway"))
    code, said = ended(capsys)
    (details,) = tmp_path.glob("mlindex-fault-*.txt")
    assert code == 3
    assert said == (
        f"mlindex: a fault in mlindex: ValueError: no way; the details are in {details}: please "
        "report them, with the input\n"
    )
    assert "Traceback" in details.read_text()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert "run it again with MLINDEX_DEBUG=1" in ended(capsys)[1]
    monkeypatch.setenv("MLINDEX_DEBUG", "1")
    code, said = ended(capsys)
    assert (code, "Traceback" in said) == (3, True)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(KeyboardInterrupt(), 130, ""), (MemoryError(), 2, "out of memory")],
)
def test_neither_ctrl_c_nor_want_of_memory_is_a_fault(
    error: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raising(monkeypatch, error)
    found, said = ended(capsys)
    assert found == code
    assert words in said
    assert "Traceback" not in said


def test_ctrl_c_while_importing_is_no_traceback() -> None:
    code = (
        "import sys\n"
        "from mlindex.apps.main import main\n"
        "class Pressed:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'mlindex.apps.cli':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, SAID)


def test_ctrl_c_while_a_command_imports_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "require_output", pressed)
    monkeypatch.setattr(sys, "argv", ["mlindex", "index", str(SAMPLE)])
    assert ended(capsys) == (130, SAID)


def ended_code(code: str) -> tuple[int, str]:
    """Exit code and standard error of a program."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    return done.returncode, done.stderr


def test_a_signal_while_compiling_ends_the_program_at_once() -> None:
    code = (
        "import os, signal, threading, time\n"
        "from mlindex.apps.signals import at_once, interruptible\n"
        # As a thread that compiles does.
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "with interruptible(at_once, nothing_yet=lambda: True):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
    )
    assert ended_code(code) == (130, SAID)


@pytest.mark.parametrize(
    ("number", "tidy", "said"), [("SIGTERM", False, SAID), ("SIGINT", True, "tidied\n" + SAID)]
)
def test_a_second_signal_ends_at_once_or_tidies_up(number: str, tidy: bool, said: str) -> None:
    code = (
        "import signal, time\n"
        # Tests may run in the background, where Ctrl-C is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from mlindex.apps.signals import at_once, interruptible, tidily\n"
        "from mlindex.apps import cli\n"
        "from mlindex.apps.main import main\n"
        "def app(**_):\n"
        f"    with interruptible({'tidily' if tidy else 'at_once'}) as stopped:\n"
        "        try:\n"
        f"            signal.raise_signal(signal.{number})\n"
        "            assert stopped()\n"
        f"            signal.raise_signal(signal.{number})\n"
        "        finally:\n"
        "            import sys; print('tidied', file=sys.stderr)\n"
        "cli.app = app\n"
        "main()\n"
    )
    assert ended_code(code) == (130, said)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            f"index {SAMPLE} >&-",
            2,
            "mlindex: standard output is closed; give a folder for the result with --out\n",
        ),
        ("formats >&-", 0, ""),
        ("index --help >&-", 0, ""),
        ("index nowhere.txt 2>&-", 2, ""),
    ],
)
def test_closed_streams_are_no_fault(arguments: str, code: int, said: str) -> None:
    call = ["sh", "-c", f"exec {sys.executable} -m mlindex {arguments}"]
    done = subprocess.run(call, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)
