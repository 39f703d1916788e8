# SPDX-License-Identifier: Apache-2.0
"""The command as its user types it, wrong input included."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from hysteron_cli.commands import cli
from hysteron_sim import simulator
from hysteron_spec import CoreConfig, Layer, Mode, Network, Potential, save
from support.command import DIGITS, one_line, spikes_file

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file of a network with 10 inputs."""
    path = tmp_path / "small.hyn"
    rng = np.random.default_rng(5)
    save(Network((Layer(rng.integers(-8, 8, (10, 6)), 9, 3),), Potential(12), name="small"), path)
    return path


def test_help_shows_an_example_for_every_command(hysteron: Run) -> None:
    status, text, _ = hysteron("--help")
    assert status == 0
    commands = [line.split()[0] for line in text.splitlines() if re.match(r"  [a-z][a-z-]+  ", line)]
    assert set(commands) == set(cli.commands)
    for command in commands:
        status, text, _ = hysteron(command, "--help")
        assert status == 0
        assert f"Example: hysteron {command}" in text


def test_sim_reports_equality_and_figures(hysteron: Run, small: Path, tmp_path: Path) -> None:
    data = spikes_file(tmp_path / "data.npz", labels=np.array([0, 1, 2]))
    words = ("--data", data, "--preset", "tiny", "--show", 2, "--out", tmp_path / "out")
    status, text, errors = hysteron("sim", small, *words)
    assert status == 0, text
    assert "all equal" in text
    assert errors.splitlines()[0] == "golden model: 3 samples of data"
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    keys = "preset images accuracy mismatches cycles_per_image_median cycles_per_image_max events_per_image"
    assert {*keys.split(), "utilisation", "clock_hz", "images_per_second"} <= set(report)
    assert report["mismatches"] == 0
    assert report["images"] == 3
    assert report["core"] == asdict(CoreConfig.preset("tiny"))
    taken, note, head, *_ = text.splitlines()
    assert note.startswith("note: labels go from 0 to 2")
    assert head == f"core tiny, {report['core']['clock_hz'] / 1e6:g} MHz"
    assert taken.startswith("data data: 3 samples of 4 steps of 10 inputs, ") and taken.endswith("; labels 0 to 2")
    assert report["images_per_second"] == pytest.approx(1e8 * 3 / report["counters"]["CYCLES"])
    assert "Image 2, label 2, answer" in (tmp_path / "out" / "report.html").read_text()


def test_sim_names_the_first_difference_and_fails(
    hysteron: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core whose spikes differ from golden's in one place."""
    honest = simulator._observed

    def lying(stem: str, config: CoreConfig) -> object:
        observed = honest(stem, config)
        observed.spikes[5, 2] ^= True
        return observed

    monkeypatch.setattr(simulator, "_observed", lying)
    data = spikes_file(tmp_path / "data.npz")
    status, _, errors = hysteron("sim", small, "--data", data, "--preset", "tiny", "--out", tmp_path / "out")
    assert status == 1
    # Update 5 is step 2 of sample 0, its second tile of four lanes.
    assert "spike differs at sample 0, step 2, layer 0, neuron 6, cycle" in errors
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["mismatches"] == 1
    assert "neuron 6" in report["first_mismatch"]


def test_info_and_compile(hysteron: Run, small: Path, tmp_path: Path) -> None:
    status, text, _ = hysteron("info", small)
    assert status == 0
    assert "10-6" in text
    status, text, _ = hysteron("info")
    assert "openspike" in text
    status, text, _ = hysteron("compile", small, "--preset", "tiny", "--out", tmp_path)
    assert status == 0
    assert "module hysteron_core" in (tmp_path / "core.v").read_text()
    assert json.loads((tmp_path / "core.json").read_text())["lanes"] == 4
    assert all(len(line.split()) == 2 for line in (tmp_path / "load.txt").read_text().splitlines())


def test_compile_keeps_the_loader_of_another_call(hysteron: Run, small: Path, tmp_path: Path) -> None:
    """That of the same core stays, that of another core refuses its Verilog; a network replaces it."""
    out = ("--out", tmp_path / "out")
    assert hysteron("compile", small, "--preset", "tiny", *out)[0] == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert hysteron("compile", "--preset", "tiny", *out)[0] == 0
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    status, _, errors = hysteron("compile", "--preset", "tiny", "--set", "max_inputs=64", *out)
    assert status == 2
    one_line(errors, str(tmp_path / "out" / "load.txt"), "into another core than tiny*", "give another --out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert hysteron("compile", small, "--preset", "tiny", "--set", "max_inputs=64", *out)[0] == 0
    assert (tmp_path / "out" / "core.v").read_bytes() != before[tmp_path / "out" / "core.v"]
    assert (tmp_path / "out" / "load.txt").exists()


@pytest.mark.parametrize(
    ("command", "core"),
    [
        ("machine", "[digits]"),
        ("compile", "[the first of these but tiny that the network fits; digits without a network]"),
        ("sim", "[the first of these but tiny that the network fits]"),
    ],
)
def test_help_says_which_core_is_taken(hysteron: Run, command: str, core: str) -> None:
    status, text, _ = hysteron(command, "--help")
    assert status == 0 and core in " ".join(text.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sim", "none.hyn", "--data", "digits"], ["none.hyn", "does not exist"]),
        (["sim", "{small}", "--data", "cats"], ["cats", "digits, mnist"]),
        (["sim", "{small}", "--data", "none.npz"], ["none.npz", "does not exist"]),
        (["sim", "{small}", "--data", "{wide}"], ["10 inputs", "11"]),
        (["sim", "{small}", "--data", "{two}"], ["0 or 1", "2"]),
        (["sim", "{small}", "--data", "{nan}"], ["0 or 1", "nan"]),
        (["sim", "{small}", "--data", "{flat}"], ["shape (samples, steps, 10)", "(3, 10)"]),
        (["sim", "{small}", "--data", "{none}"], ["at least one sample", "0"]),
        (["sim", "{small}", "--data", "{labels}"], ["3 samples", "(2,)"]),
        (["sim", "{small}", "--data", "{data}", "--preset", "huge"], ["huge", "tiny, digits"]),
        (["sim", "{small}", "--data", "{data}", "--preset", "tiny", "--set", "lanes=3"], ["power of two", "3"]),
        (["sim", "{small}", "--data", "{data}", "--preset", "tiny", "--set", "weight_bits=7"], ["weight_bits", "7"]),
        (["sim", "{small}", "--data", "{data}", "--preset", "tiny", "--set", "lanes=x"], ["lanes", "'x'"]),
        (["sim", "{small}", "--data", "{data}", "--preset", "tiny", "--set", "colour=3"], ["colour", "lanes"]),
        (["sim", "{small}", "--data", "{data}", "--preset", "tiny", "--set", "max_inputs=9"], ["10 inputs", "has 9"]),
        (["sim", "{small}", "--data", "{data}", "--set", "lanes"], ["NAME=VALUE", "'lanes'"]),
        (["sim", "{cut}", "--data", "{data}"], ["cut.hyn", "damaged"]),
        (["sim", "{text}", "--data", "{data}"], ["text.hyn", "no network file"]),
        (["sim", "{small}"], ["--data"]),
        (["sim", "{small}", "--data", "{data}", "--images", "0"], ["0"]),
        (["sim", "{small}", "--data", "{data}", "--show", "all"], ["number of an image, wrong or auto", "'all'"]),
        (["sim", "{small}", "--data", "{data}", "--show", "3"], ["image to show", "from 0 to 2", "3"]),
        (["sim", "{small}", "--data", "{data}", "--images", "2", "--show", "2"], ["from 0 to 1", "2"]),
        (["sim", "{small}", "--data", "{data}", "--show", "wrong"], ["no label for each sample"]),
        (["fly"], ["fly"]),
        (["figures"], ["--write"]),
    ],
    ids=lambda value: " ".join(value)[:60],
)
def test_wrong_input_is_one_line_and_status_2(
    hysteron: Run, small: Path, tmp_path: Path, words: list[str], told: list[str]
) -> None:
    files = {"small": small, "data": spikes_file(tmp_path / "data.npz"), "wide": spikes_file(tmp_path / "wide.npz", 11)}
    spikes = np.zeros((3, 4, 10))
    for name, value in {"two": 2, "nan": np.nan}.items():
        spikes[0, 0, 0] = value
        files[name] = spikes_file(tmp_path / f"{name}.npz", inputs=spikes)
    files["flat"] = spikes_file(tmp_path / "flat.npz", inputs=np.zeros((3, 10)))
    files["none"] = spikes_file(tmp_path / "none.npz", inputs=np.zeros((0, 4, 10)))
    files["labels"] = spikes_file(tmp_path / "labels.npz", labels=np.array([1, 2]))
    files["cut"], files["text"] = tmp_path / "cut.hyn", tmp_path / "text.hyn"
    files["cut"].write_bytes(small.read_bytes()[:-200])
    files["text"].write_text("hello")
    before = set(tmp_path.rglob("*"))
    tail = ["--out", tmp_path / "out"] if words[0] == "sim" else []
    status, _, errors = hysteron(*(word.format(**files) for word in words), *tail)
    assert status == 2
    one_line(errors, *told)
    assert set(tmp_path.rglob("*")) == before, "something was written"


def test_a_network_that_fits_no_preset(hysteron: Run, tmp_path: Path) -> None:
    path = tmp_path / "big.hyn"
    save(Network((Layer(np.zeros((2000, 3)), 5, mode=Mode.PLAIN),)), path)
    status, text, _ = hysteron("info", path)
    assert status == 0 and "no preset fits the network 2000-3: the network needs 2000 inputs" in text
    assert "use --preset mnist --set max_inputs=2000" in " ".join(text.split())
    status, _, errors = hysteron("compile", path)
    assert status == 2
    one_line(errors, "no preset fits the network 2000-3", "--set max_inputs=2000")


def test_pixels_of_a_wrong_shape_or_value(hysteron: Run, tmp_path: Path) -> None:
    for inputs, told in (
        (np.zeros((2, 8, 9)), "64 pixels"),
        (np.full((2, 64), 256), "256"),
        (np.full((2, 64), np.nan), "nan"),
    ):
        data = tmp_path / "data.npz"
        np.savez(data, inputs=inputs)
        status, _, errors = hysteron("sim", DIGITS, "--data", data, "--out", tmp_path / "out")
        assert status == 2
        one_line(errors, told)
    assert not (tmp_path / "out").exists()


def test_generated_pages_are_compared(hysteron: Run, tmp_path: Path) -> None:
    page = tmp_path / "registers.md"
    assert hysteron("registers", "--check", page)[0] == 1
    assert hysteron("registers", "--write", page)[0] == 0
    assert hysteron("registers", "--check", page)[0] == 0
    page.write_text(page.read_text() + "x")
    status, _, errors = hysteron("registers", "--check", page)
    assert status == 1
    assert "hysteron registers --write" in errors


def test_an_unknown_command_is_told_with_a_hint(hysteron: Run) -> None:
    status, _, errors = hysteron("smi")
    assert status == 2
    one_line(errors, "'smi'", "did you mean 'sim'")


def test_a_result_as_json_is_all_of_standard_output(hysteron: Run) -> None:
    status, text, _ = hysteron("info", DIGITS, "--json")
    assert status == 0
    found = json.loads(text)
    assert found["shape"] == "64-128-10" and found["core"]["name"] == "digits"
    assert found["layers"][0]["theta_high"] == 40 and found["layers"][0]["mode"] == "LATCH"
    status, text, _ = hysteron("info", DIGITS)
    assert status == 0 and "64-128-10" in text and not text.startswith("{")


def test_every_parameter_is_explained(hysteron: Run) -> None:
    status, text, _ = hysteron("info", "--parameters", "--json")
    assert status == 0
    found = json.loads(text)
    assert list(found) == ["layer", "core", "machine", "recipe"]
    for parameters in found.values():
        assert parameters and all(each["type"] and each["meaning"] for each in parameters.values())
    assert found["core"]["lanes"]["default"] == "" and found["recipe"]["epochs"]["default"].isdecimal()
    assert found["layer"]["leak"]["of"] == "each neuron" and found["layer"]["mode"]["type"] == "Mode"
