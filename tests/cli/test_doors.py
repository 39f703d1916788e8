# SPDX-License-Identifier: Apache-2.0
"""Every path of every command: nothing that is read is overwritten, a wrong path is one line and leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

from hysteron_cli.commands import cli
from hysteron_cli.names import DATA, NETWORK
from hysteron_spec import Layer, Network, Potential, save
from support.command import one_line, spikes_file

from .conftest import Run

#: A call of each command that takes paths; all that it needs but what it writes.
CALLS: dict[str, tuple[str, ...]] = {
    "sim": ("{net}", "--data", "{data}", "--preset", "tiny"),
    "run": ("{net}", "--data", "{data}"),
    "info": ("{net}",),
    "train": ("yin-yang",),
    "import": ("{nir}", "--dt", "1e-4", "--reset", "zero", "--data", "{data}", "--calibrate", "{data}"),
    "export": ("{net}",),
    "results": ("{net}",),
    "ablate": (),
    "compile": ("{net}",),
    "soc-sim": ("{net}", "--data", "{data}"),
    "firmware": (),
    "bench": (),
    "fpga": ("icebreaker", "--network", "{net}", "--data", "{data}"),
    "netlist": ("icebreaker", "--network", "{net}", "--data", "{data}"),
    "layout": ("sky130-small", "--tool", "x=1", "--take", "{folder}"),
    "openram": ("--python", "python3", "--cells", "{folder}"),
    "registers": (),
    "parameters": (),
    "figures": (),
}
#: Options whose path is a file that is written, or a folder that files are written to.
FILES = {
    ("train", "--out"),
    ("import", "--out"),
    ("import", "--report"),
    ("export", "--out"),
    ("results", "--out"),
    ("results", "--docs"),
    ("ablate", "--out"),
    ("ablate", "--docs"),
    ("soc-sim", "--out"),
    ("firmware", "--out"),
    ("registers", "--write"),
    ("parameters", "--write"),
}
FOLDERS = {("sim", "--out"), ("run", "--out"), ("compile", "--out"), ("bench", "--out"), ("figures", "--write")}
#: Files in such a folder that the command writes.
INSIDE = {"sim": "report.json", "run": "results.csv", "compile": "core.v", "bench": "bench.json", "figures": "file"}
#: Paths that are read and are no network and no data: a file to compare with, folders.
READ = {
    ("import", "FILE"),
    ("registers", "--check"),
    ("parameters", "--check"),
    ("figures", "--check"),
    ("layout", "--take"),
    ("openram", "--cells"),
}
ENDINGS = {"train": ".hyn"}


def path_options() -> Iterator[tuple[str, str, click.ParamType]]:
    for name, command in cli.commands.items():
        for param in command.params:
            if isinstance(param.type, click.Path) or param.type in (NETWORK, DATA):
                yield (
                    name,
                    param.opts[0]
                    if isinstance(param, click.Option)
                    else param.make_metavar(click.Context(command)).strip("[].") or "",
                    param.type,
                )


INPUTS = sorted({(name, option) for name, option, kind in path_options() if kind in (NETWORK, DATA)})


def test_every_path_is_walked() -> None:
    """A new command or option has its place in the tables above."""
    found = {(name, option) for name, option, kind in path_options() if isinstance(kind, click.Path)}
    assert found == FILES | FOLDERS | READ
    assert {name for name, _, _ in path_options()} == set(CALLS)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """One of each kind of path, and the files that the commands read."""
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    monkeypatch.chdir(tmp_path)
    found = {name: tmp_path / name for name in ("folder", "text", "loop", "net.hyn", "data.npz", "nir.nir", "link")}
    found["folder"].mkdir()
    found["text"].write_text("hello")
    found["loop"].symlink_to(found["loop"])
    weights = np.random.default_rng(5).integers(-8, 8, (10, 6))
    save(Network((Layer(weights, 9, 3),), Potential(12)), found["net.hyn"])
    (tmp_path / "net.json").write_text("{}")
    spikes_file(found["data.npz"], labels=np.array([0, 1, 2]))
    found["nir.nir"].write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    found["link"].symlink_to(found["net.hyn"])
    return {name.partition(".")[0]: path for name, path in found.items()}


def contents(folder: Path) -> dict[str, bytes | str | None]:
    return {
        str(path): str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def check_refused(run: Run, folder: Path, command: str, *words: object, told: str = "") -> None:
    """Status 2, one line, and nothing has changed."""
    before = contents(folder)
    status, out, errors = run(command, *words)
    assert status == 2, (out, errors)
    one_line(errors, told)
    assert not out
    assert contents(folder) == before


def call(command: str, files: dict[str, Path], **others: object) -> list[str]:
    return [word.format(**(files | others)) for word in CALLS[command]]


WRONG_INPUTS = {
    "missing": "{folder}/none.hyn",
    "folder": "{folder}",
    "text": "{text}",
    "below a file": "{text}/x.hyn",
    "below a file, further": "{text}/x/y.hyn",
    "loop": "{loop}",
    "null": "/dev/null",
    "long": "x" * 300 + ".hyn",
    "empty": "",
}


@pytest.mark.parametrize("wrong", WRONG_INPUTS)
@pytest.mark.parametrize(("command", "option"), INPUTS, ids="{0[0]} {0[1]}".format)
def test_a_wrong_input(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, command: str, option: str, wrong: str
) -> None:
    path = WRONG_INPUTS[wrong].format(**files)
    words = call(command, files)
    if option.startswith("--"):
        words[words.index(option) + 1] = path
    else:
        words[0] = path
    if command == "import":
        pytest.importorskip("nir")
    check_refused(hysteron, tmp_path, command, *words)


@pytest.mark.parametrize("wrong", ["folder", "below a file", "below a file, further", "loop", "long", "empty"])
@pytest.mark.parametrize(("command", "option"), sorted(FILES), ids=lambda text: text)
def test_a_file_that_cannot_be_written(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, command: str, option: str, wrong: str
) -> None:
    path = {
        "folder": "{folder}",
        "below a file": "{text}/x",
        "below a file, further": "{text}/x/y",
        "loop": "{loop}",
        "long": "x" * 300,
        "empty": "",
    }[wrong].format(**files)
    if wrong not in ("folder", "loop", "empty"):
        path += ENDINGS.get(command, "")
    check_refused(hysteron, tmp_path, command, *call(command, files), option, path, told=option)


@pytest.mark.parametrize("wrong", ["file", "below a file", "null", "loop"])
@pytest.mark.parametrize(("command", "option"), sorted(FOLDERS), ids=lambda text: text)
def test_a_folder_that_cannot_be_one(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, command: str, option: str, wrong: str
) -> None:
    path = {"file": "{text}", "below a file": "{text}/x", "null": "/dev/null", "loop": "{loop}"}[wrong].format(**files)
    check_refused(hysteron, tmp_path, command, *call(command, files), option, path, told=option)


@pytest.mark.parametrize(("command", "option"), sorted(FILES | FOLDERS), ids=lambda text: text)
def test_a_folder_without_permission(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, option: str
) -> None:
    """As of another user; whoever runs the tests may be allowed everything."""
    honest = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path) != files["folder"] and honest(path, mode), raising=True
    )
    path = str(files["folder"] / "new" / "x") + ENDINGS.get(command, "")
    check_refused(hysteron, tmp_path, command, *call(command, files), option, path, told="no permission")


# -- one file twice --------------------------------------------------------------------------------------------

READERS = [
    (command, option, place)
    for command, option in sorted(FILES)
    for place, word in enumerate(CALLS[command])
    if word in ("{net}", "{data}", "{nir}")
]


@pytest.mark.parametrize("how", ["same", "link", "relative", "hard link"])
@pytest.mark.parametrize(("command", "option", "place"), READERS, ids=str)
def test_no_input_is_overwritten(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, command: str, option: str, place: int, how: str
) -> None:
    words = call(command, files)
    path = Path(words[place])
    if how == "link":
        (tmp_path / "other").symlink_to(path)
        path = tmp_path / "other"
    elif how == "hard link":
        (tmp_path / "other").hardlink_to(path)
        path = tmp_path / "other"
    elif how == "relative":
        path = Path("folder") / ".." / path.name
    check_refused(hysteron, tmp_path, command, *words, option, path, told="reads")


@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize("command", ["sim", "run"])
def test_no_input_in_the_folder_is_overwritten(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, command: str, place: int
) -> None:
    words = call(command, files)
    target = tmp_path / "out" / INSIDE[command]
    target.parent.mkdir()
    Path(words[place]).rename(target)
    words[place] = str(target)
    check_refused(hysteron, tmp_path, command, *words, "--out", target.parent, told="reads")


def test_compile_keeps_a_network_that_is_called_like_its_files(
    hysteron: Run, files: dict[str, Path], tmp_path: Path
) -> None:
    """It removes an old loader, too."""
    path = tmp_path / "load.txt"
    files["net"].rename(path)
    check_refused(hysteron, tmp_path, "compile", path, "--out", tmp_path, told="reads")


def test_the_training_data_stay(hysteron: Run, files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "data.hyn"
    files["data"].rename(path)
    for command, option in (("train", "--out"), ("ablate", "--out"), ("ablate", "--docs")):
        name = ["yin-yang"] * (command == "train")
        check_refused(hysteron, tmp_path, command, *name, "--set", f"dataset={path}", option, path, told="reads")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("import", ("--out", "net.json")),
        ("import", ("--out", "a.hyn", "--report", "a.hyn")),
        ("import", ("--out", "a.hyn", "--report", "folder/../a.hyn")),
        ("import", ("--out", "a.hyn", "--report", "a.hyn/b.json")),
        ("ablate", ("--out", "a.md")),
        ("ablate", ("--out", "a.json", "--docs", "a.json")),
        ("ablate", ("--out", "images/ablation.svg", "--docs", "a.md")),
        ("results", ("--out", "a.json", "--docs", "a.json")),
    ],
)
def test_no_output_is_written_twice(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, command: str, words: tuple[str, ...]
) -> None:
    check_refused(hysteron, tmp_path, command, *call(command, files), *words)


def test_figures_that_are_read_again_stay(hysteron: Run, files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    for command in ("ablate", "results"):
        words = ("--redraw", "--out", "a.json", "--docs", "a.json")
        check_refused(hysteron, tmp_path, command, *words, told="reads")


def test_a_record_of_a_training_stays(hysteron: Run, files: dict[str, Path], tmp_path: Path) -> None:
    check_refused(hysteron, tmp_path, "results", files["net"], "--out", tmp_path / "net.json", told="reads")


# -- what is no file -------------------------------------------------------------------------------------------


def test_devices_are_written_to_as_often_as_one_likes(hysteron: Run, files: dict[str, Path], tmp_path: Path) -> None:
    null = os.stat("/dev/null")  # noqa: PTH116
    (tmp_path / "null").symlink_to("/dev/null")
    for path in ("/dev/null", "null"):
        assert hysteron("export", files["net"], "--out", path)[0] == 0
        assert hysteron("registers", "--write", path)[0] == 0
    assert (tmp_path / "null").is_symlink()
    assert os.stat("/dev/null").st_rdev == null.st_rdev and not (tmp_path / "build").exists()  # noqa: PTH116


def test_a_good_path_is_taken(hysteron: Run, files: dict[str, Path], tmp_path: Path) -> None:
    """Folders on the way are made, and a link to another file is followed."""
    path = tmp_path / "new" / "er" / "net.nir"
    assert hysteron("export", files["net"], "--out", path)[0] == 0 and path.is_file()
    (tmp_path / "later.nir").symlink_to("new/later.nir")
    assert hysteron("export", files["net"], "--out", tmp_path / "later.nir")[0] == 0
    assert (tmp_path / "later.nir").is_symlink() and (tmp_path / "new" / "later.nir").is_file()


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "pipe"])
@pytest.mark.parametrize("words", [("ablate", "--redraw"), ("results", "--redraw"), ("results", "--check")])
def test_figures_are_read_of_a_file(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, words: tuple[str, ...], path: str
) -> None:
    """Of nothing that has no end, or that nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "images").mkdir()
    check_refused(hysteron, tmp_path, *words, "--out", path, "--docs", "page.md", told=f"error: {path!r} is a device")


@pytest.mark.parametrize(("command", "option"), [("registers", "--check"), ("parameters", "--check")])
def test_a_folder_to_compare_with(
    hysteron: Run, files: dict[str, Path], tmp_path: Path, command: str, option: str
) -> None:
    check_refused(hysteron, tmp_path, command, option, files["folder"], told=str(files["folder"]))
    for path in ("/dev/null", "/dev/zero", files["text"], files["folder"] / "none"):
        status, _, errors = hysteron(command, option, path)
        assert status == 1
        one_line(errors, f"{path} is not what")
