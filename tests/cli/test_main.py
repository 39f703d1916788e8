# SPDX-License-Identifier: Apache-2.0
"""How the command ends: pipes that close, disks that are full, Ctrl-C at any time, terminals of other encodings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

import hysteron_cli.commands as commands
from hysteron_base.errors import ToolError
from hysteron_base.files import build_root
from hysteron_cli.main import main
from hysteron_cli.output import console, table
from hysteron_spec import Layer, Network, save
from support.command import one_line

from .conftest import Run

COMMAND = [sys.executable, "-m", "hysteron_cli.main"]
#: What a terminal would obey.
EVIL = "\x1b]0;title\x07\x1b[31mred\x9b1m\nerror: none\u202e"


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A network whose name and notes, and whose file's name, are hostile."""
    path = tmp_path / "\x1b[31mnet\udcff.hyn"
    save(Network((Layer(np.ones((3, 2)), 3),), name=EVIL, notes={EVIL: EVIL}), path)
    return path


def call(*words: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *map(str, words)], **{"capture_output": True} | options)  # type: ignore[call-overload]


# -- standard output -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("info",), ("info", "--json"), ("parameters",), ("--help",), ("data", "list")])
def test_a_reader_that_has_gone(words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = call(*words, capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr and b"rror" not in done.stderr


@pytest.mark.parametrize("words", [("info",), ("info", "--json"), ("registers",)])
def test_a_full_disk_behind_standard_output(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = call(*words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    one_line(done.stderr.decode(), "standard output: No space left on device")


def test_no_standard_output() -> None:
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *COMMAND, "info", "digits"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_pipe_that_is_to_be_written_and_has_no_reader_any_more(
    hysteron: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no reader of standard output, so it is told."""

    def broken(path: Path, *_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe", str(path))

    monkeypatch.setattr("hysteron_cli.compile.write_file", broken)
    status, _, errors = hysteron("registers", "--write", tmp_path / "pipe")
    assert status == 2
    one_line(errors, "pipe: Broken pipe")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
@pytest.mark.parametrize(
    "words", [("info",), ("info", "digits"), ("info", "--parameters"), ("data", "list"), ("parameters",), ("--help",)]
)
def test_every_encoding(encoding: str, words: tuple[str, ...]) -> None:
    done = call(*words, env={**os.environ, "PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding)


def test_signs_of_ours_in_ascii() -> None:
    done = call("data", "list", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert b"28x28" in done.stdout or b"28 x 28" in done.stdout, done.stdout


# -- texts of others -------------------------------------------------------------------------------------------


def harmless(text: str) -> bool:
    return all(each.isprintable() or each == "\n" for each in text)


def test_a_hostile_network_is_shown(hysteron: Run, evil: Path, tmp_path: Path) -> None:
    status, out, errors = hysteron("info", evil)
    assert status == 0 and harmless(out + errors), ascii(out)
    assert "\\x1b]0;title\\x07" in out and "\nerror" not in out
    status, out, _ = hysteron("info", evil, "--json")
    assert status == 0 and harmless(out) and json.loads(out)["name"] == EVIL
    np.savez(tmp_path / "data.npz", inputs=np.ones((2, 4, 3), np.uint8))
    status, out, errors = hysteron("run", evil, "--data", tmp_path / "data.npz", "--out", tmp_path / "\x1b[1mout")
    assert status == 0 and harmless(out + errors), ascii(out + errors)


@pytest.mark.parametrize("words", [("info", EVIL), (EVIL,), ("info", f"--{EVIL}"), ("data", "fetch", EVIL)])
def test_hostile_words_are_refused_harmlessly(hysteron: Run, words: tuple[str, ...]) -> None:
    status, out, errors = hysteron(*words)
    assert status == 2 and harmless(out + errors), ascii(errors)
    one_line(errors)
    assert errors.count("error: ") == 2, "theirs is inside of ours"


def test_a_damaged_hostile_file(hysteron: Run, evil: Path) -> None:
    evil.write_bytes(evil.read_bytes()[:-100])
    status, _, errors = hysteron("info", evil)
    assert status == 2 and harmless(errors), ascii(errors)


def test_tables_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(EVIL, f"<{EVIL}")
    rows.add_row(EVIL)
    console.as_json = False
    console.print(rows)
    console.print(EVIL)
    console.error(EVIL)
    told = capsys.readouterr()
    assert harmless(told.out + told.err) and told.out.count("\\x1b]0;title\\x07") == 4


def test_no_name_is_an_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    console.as_json = False
    console.print("net:cat:.hyn")
    assert capsys.readouterr().out == "net:cat:.hyn\n"


# -- Ctrl-C, memory --------------------------------------------------------------------------------------------

_SLOW = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
sys.argv = ["hysteron", "info"]
from hysteron_cli.main import main
main()
"""


@pytest.mark.parametrize("name", ["hysteron_cli.commands", "click", "numpy", "hysteron_spec.network", "rich.table"])
def test_ctrl_c_while_it_begins(name: str) -> None:
    program = _SLOW.format(name=name)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_ctrl_c_while_a_command_begins(tmp_path: Path) -> None:
    """Its own imports come later."""
    program = _SLOW.format(name="hysteron_report.figures").replace('"info"', '"figures", "--write", "x"')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_a_program_in_the_background_ignores_it() -> None:
    program = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)" + _SLOW.format(name="click")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_is_as_before_afterwards(hysteron: Run) -> None:
    before = signal.getsignal(signal.SIGINT)
    hysteron("info")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (MemoryError("Unable to allocate 26.8 GiB"), 1, "error: out of memory: Unable to allocate 26.8 GiB; give it"),
        (MemoryError(), 1, "error: out of memory; give it less to do"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (ToolError("log\nof a tool"), 1, "error: log\nof a tool"),
        (OSError(5, "Input/output error", "file"), 2, "error: file: Input/output error"),
        (
            OSError(28, "No space left on device"),
            2,
            f"error: {build_root()} or the folder for temporary",
        ),
        (ConnectionResetError(104, "Connection reset by peer"), 2, "error: Connection reset by peer"),
        (SystemExit(1), 1, ""),
        (SystemExit(), 0, ""),
    ],
    ids=repr,
)
def test_how_it_ends(
    hysteron: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, line: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("hysteron_cli.compile._show_cores", fail)
    found, out, errors = hysteron("info")
    assert (found, out) == (status, "") and errors.startswith(line)


def test_the_entry_point_is_small() -> None:
    """All else is imported where Ctrl-C ends the program well."""
    code = "import sys; before = set(sys.modules); import hysteron_cli.main; print(*sorted(set(sys.modules) - before))"
    names = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"click", "numpy", "rich", "hysteron_base", "hysteron_cli.commands"} & set(names), names
    assert main is not commands.execute
