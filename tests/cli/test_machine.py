# SPDX-License-Identifier: Apache-2.0
"""``hysteron run``, ``machine``, ``soc-sim`` and ``firmware``, wrong input included."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hysteron_data.sets import load_data_set
from hysteron_golden import run
from hysteron_host.accelerator import Accelerator
from hysteron_spec import Coding, Encoder, load, save
from hysteron_spec.answers import Answer
from support.command import DIGITS, one_line

Run = Callable[..., tuple[int, str, str]]
COUNT = 40


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open() as file:
        return list(csv.DictReader(file))


def test_run_on_golden(hysteron: Run, out: Path) -> None:
    status, text, errors = hysteron("run", DIGITS, "--data", "digits", "--images", COUNT, "--out", out)
    assert status == 0, errors
    digits = load_data_set("digits")
    result = run(load(DIGITS), digits.inputs[:COUNT])
    assert digits.labels is not None
    for index, row in enumerate(rows(out)):
        assert int(row["index"]) == index
        assert int(row["prediction"]) == result.predictions[index]
        assert int(row["label"]) == digits.labels[index]
        assert [int(row[f"value{k}"]) for k in range(10)] == result.values[index].tolist()
    report = json.loads((out / "report.json").read_text())
    accuracy = float(np.mean(result.predictions == digits.labels[:COUNT]))
    assert report["accuracy"] == pytest.approx(accuracy)
    assert f"{100 * accuracy:.2f} %" in text
    assert (report["images"], report["port"], report["options"]) == (COUNT, "golden:", {})


def test_reports_as_json_are_all_of_standard_output(hysteron: Run, out: Path) -> None:
    status, text, errors = hysteron("run", "digits", "--data", "digits", "--images", 5, "--out", out, "--json")
    assert status == 0, errors
    assert json.loads(text) == json.loads((out / "report.json").read_text())
    pytest.importorskip("ziglang")
    status, text, errors = hysteron("firmware", "--out", out / "firmware.bin", "--json")
    assert status == 0, errors
    told = json.loads(text)
    assert told["image"] == str(out / "firmware.bin")
    assert told["text"] + told["data"] == (out / "firmware.bin").stat().st_size


def test_disturbances_are_those_of_the_driver(hysteron: Run, out: Path) -> None:
    words = ["--weight-errors", "0.02", "--seed", "5"]
    status, _, errors = hysteron("run", DIGITS, "--data", "digits", "--images", COUNT, "--out", out, *words)
    assert status == 0, errors
    inputs = load_data_set("digits").inputs[:COUNT]
    with Accelerator.open("golden:", weight_errors=0.02, seed=5) as machine:
        machine.load(DIGITS)
        expected = [list(map(int, result.values)) for result in machine.infer(inputs)]
    assert [[int(row[f"value{k}"]) for k in range(10)] for row in rows(out)] == expected
    assert expected != run(load(DIGITS), inputs).values.tolist()
    assert json.loads((out / "report.json").read_text())["options"] == {"weight_errors": 0.02, "seed": 5}


@pytest.mark.parametrize("more", [[], ["--dropped", "0.2", "--jitter", "0.5", "--seed", "3"]])
def test_an_interrupted_run_goes_on(
    hysteron: Run, out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: list[str]
) -> None:
    network = tmp_path / "level.hyn"
    save(replace(load(DIGITS), encoder=Encoder(Coding.LEVEL, 4, (32, 96, 160, 224))), network)
    words = ["run", network, "--data", "digits", "--images", COUNT, "--out", out, *more]
    assert hysteron(*words)[0] == 0
    whole = rows(out)
    kept = (out / "results.csv").read_text().splitlines()[:12]
    (out / "results.csv").write_text("\n".join(kept) + "\n")
    asked: list[tuple[int, int]] = []
    from hysteron_golden.machine import GoldenAccelerator

    infer = GoldenAccelerator.infer

    def counting(self: GoldenAccelerator, samples: np.ndarray, *, first: int) -> object:
        asked.append((first, len(samples)))
        return infer(self, samples, first=first)

    monkeypatch.setattr(GoldenAccelerator, "infer", counting)
    assert hysteron(*words, "--resume")[0] == 0
    assert asked == [(11, COUNT - 11)]
    assert rows(out) == whole


def test_what_is_resumed_must_fit(hysteron: Run, out: Path, tmp_path: Path) -> None:
    words = ["run", DIGITS, "--data", "digits", "--images", "5", "--out", out]
    status, _, errors = hysteron(*words, "--resume")
    assert status == 0, "nothing to resume is a run from the beginning"
    whole = (out / "results.csv").read_bytes()
    for damaged in (
        b"",
        b"index,prediction\n0,1\n",
        b"\xff\xfe",
        whole.replace(b",check", b""),
    ):
        (out / "results.csv").write_bytes(damaged)
        status, _, errors = hysteron(*words, "--resume")
        assert status == 2
        one_line(errors, "damaged", "--out")
    (out / "results.csv").write_bytes(whole.replace(b"\n1,", b"\n1,x")[:-12] + b"\n7")
    status, text, errors = hysteron(*words, "--resume")
    assert status == 0 and (out / "results.csv").read_bytes() == whole
    assert "3 damaged rows are done again" in errors and re.search(r"done again\W+3", text)
    np.savez(tmp_path / "other.npz", inputs=np.zeros((9, 64), np.uint8))
    for other, name in (
        (["--weight-errors", "0.1"], "disturbances"),
        (["--data", tmp_path / "other.npz"], "data"),
    ):
        status, _, errors = hysteron(*words, *other, "--resume")
        assert status == 2
        one_line(errors, f"other {name}", "--out")
    status, _, errors = hysteron(*words[:5], "3", *words[6:], "--resume")
    assert status == 2
    one_line(errors, "5 results", "3")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "none.hyn", "--data", "digits"], ["none.hyn", "does not exist"]),
        (["run", "{digits}"], ["--data"]),
        (["run", "{digits}", "--data", "cats"], ["cats"]),
        (["run", "{digits}", "--data", "digits", "--port", "usb:3"], ["usb:3", "serial:PORT"]),
        (["run", "{digits}", "--data", "digits", "--port", "golden"], ["'golden'", "golden:"]),
        (["run", "{digits}", "--data", "digits", "--port", "serial:/dev/none"], ["/dev/none", "cable"]),
        (["run", "{digits}", "--data", "digits", "--port", "tcp:127.0.0.1"], ["HOST:PORT"]),
        (["run", "{digits}", "--data", "digits", "--port", "tcp:127.0.0.1:1"], ["127.0.0.1:1", "nobody"]),
        (["run", "{digits}", "--data", "digits", "--port", "sim:huge"], ["huge", "tiny"]),
        (["run", "{digits}", "--data", "digits", "--jitter", "-1"], ["jitter", "-1"]),
        (["run", "{digits}", "--data", "digits", "--jitter", "inf"], ["jitter", "inf"]),
        (["run", "{digits}", "--data", "digits", "--weight-errors", "nan"], ["weight_errors", "nan"]),
        (
            ["run", "{digits}", "--data", "digits", "--port", "tcp:127.0.0.1:1", "--patience", "inf"],
            ["patience", "inf"],
        ),
        (
            ["run", "{digits}", "--data", "digits", "--port", "tcp:127.0.0.1:1", "--patience", "nan"],
            ["patience", "nan"],
        ),
        (
            ["run", "{digits}", "--data", "digits", "--port", "tcp:127.0.0.1:1", "--patience", "1e9"],
            ["patience", "86400"],
        ),
        (["run", "{digits}", "--data", "digits", "--weight-errors", "2"], ["weight_errors", "2"]),
        (["run", "{digits}", "--data", "digits", "--baud", "9600"], ["--baud", "golden:"]),
        (["run", "{digits}", "--data", "digits", "--port", "tcp:a:1", "--dropped", "1"], ["--dropped", "tcp:a:1"]),
        (["run", "{digits}", "--data", "digits", "--patience", "0"], ["0"]),
        (["run", "{digits}", "--data", "digits", "--seed", "-1"], ["-1"]),
        (["machine"], ["--tcp HOST:PORT or --pty"]),
        (["machine", "--pty", "--tcp", "127.0.0.1:0"], ["not both"]),
        (["machine", "--tcp", "nowhere"], ["HOST:PORT", "'nowhere'"]),
        (["machine", "--tcp", "127.0.0.1:99999"], ["HOST:PORT", "99999"]),
        (["machine", "--tcp", "127.0.0.1:0", "--preset", "huge"], ["huge"]),
        (["soc-sim", "{digits}"], ["--data"]),
        (["soc-sim", "{digits}", "--data", "digits", "--preset", "tiny"], ["tiny", "choose another preset"]),
    ],
    ids=lambda value: " ".join(value)[:60],
)
def test_wrong_input_is_one_line_and_status_2(hysteron: Run, out: Path, words: list[str], told: list[str]) -> None:
    tail = ["--out", out] if words[0] == "run" else []
    status, _, errors = hysteron(*(word.format(digits=DIGITS) for word in words), *tail)
    assert status == 2
    one_line(errors, *told)
    assert not out.exists() or not list(out.iterdir()), "something was written"


def test_a_sample_that_does_not_fit(hysteron: Run, out: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "wide.npz", inputs=np.zeros((3, 65), np.uint8))
    status, _, errors = hysteron("run", DIGITS, "--data", tmp_path / "wide.npz", "--out", out)
    assert status == 2
    one_line(errors, "64", "65")
    assert "--resume" not in errors and not out.exists()


def test_firmware(hysteron: Run, tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    status, text, errors = hysteron("firmware", "--out", tmp_path / "firmware.bin")
    assert status == 0, errors
    size = (tmp_path / "firmware.bin").stat().st_size
    assert 1000 < size < 16384 and f"{size:,}"[:3] in text
    assert "stack" in text


def test_soc_sim(hysteron: Run, tmp_path: Path) -> None:
    status, text, errors = hysteron(
        "soc-sim", DIGITS, "--data", "digits", "--images", "60", "--out", tmp_path / "report.json"
    )
    assert status == 0, errors
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["images"], report["mismatches"], report["core"]["name"]) == (60, 0, "digits")
    assert 0.5 < report["line_utilisation"] <= report["line_busy"] <= 1
    assert report["cycles_per_image"] >= max(report["cpu_cycles_per_image"], report["core_cycles_per_image"])
    bound = {"serial line": "line", "processor": "cpu", "core": "core"}[report["bound_by"]]
    most = report[f"{bound}_cycles_per_image"]
    assert all(report[f"{part}_cycles_per_image"] <= most for part in ("line", "cpu", "core"))
    assert report["images_per_second"] == pytest.approx(report["clock_hz"] / report["cycles_per_image"])
    assert 0 < report["images_per_second_3mbaud"] <= 3e6 / 10 / report["payload_bytes_per_image"]
    assert re.search(r"results that differ from golden\W+0", text)


def test_soc_sim_names_what_differs_and_fails(hysteron: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    infer = Accelerator.infer

    def lying(self: Accelerator, samples: np.ndarray) -> object:
        for result in infer(self, samples):
            wrong = result.values + (result.index in (3, 7))
            yield Answer(result.index, result.prediction, wrong)

    monkeypatch.setattr(Accelerator, "infer", lying)
    status, _, errors = hysteron(
        "soc-sim", DIGITS, "--data", "digits", "--images", "10", "--out", tmp_path / "report.json"
    )
    assert status == 1
    assert "sample 3 (and 1 more)" in errors
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["mismatches"], report["first_mismatch"]) == (2, 3)


def test_soc_sim_without_its_data_names_what_needs_none(
    hysteron: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYSTERON_DATA", str(tmp_path))
    status, _, errors = hysteron("soc-sim", DIGITS.parent / "mnist.hyn", "--data", "mnist")
    assert status == 2
    one_line(errors, "hysteron data fetch mnist", "HYSTERON_DATA", "soc-sim digits --data digits")


@pytest.mark.parametrize("place, warned", [("127.0.0.1", False), ("0.0.0.0", True)])
def test_a_machine_that_others_can_reach(
    hysteron: Run, monkeypatch: pytest.MonkeyPatch, place: str, warned: bool
) -> None:
    """It asks nobody who they are, and says so."""
    serving = pytest.importorskip("hysteron_sim.serving")
    monkeypatch.setattr(serving.TcpServer, "run", lambda self: self._idle and None)
    status, text, errors = hysteron("machine", "--preset", "digits", "--tcp", f"{place}:0")
    assert status == 0 and f"listening: --port tcp:{place}:" in text
    assert ("without a password" in errors and "ssh -L" in errors) == warned
    assert ("warning" in errors) == warned


@pytest.mark.parametrize("kind", ["--pty", "--tcp"])
def test_machine(hysteron: Run, out: Path, kind: str) -> None:
    """Two commands, as their user types them, in two terminals."""
    command = [sys.executable, "-m", "hysteron_cli.main", "machine", "--preset", "digits"]
    command += ["--pty"] if kind == "--pty" else ["--tcp", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as machine:
        assert machine.stdout is not None
        told = next(line for line in machine.stdout if "listening" in line)
        port = told.partition("listening:")[2].split()
        status, _, errors = hysteron("run", DIGITS, "--data", "digits", "--images", COUNT, "--out", out, *port)
        machine.send_signal(signal.SIGINT)
        machine.wait(60)
    assert status == 0, errors
    assert machine.returncode in (0, 130)
    predictions = run(load(DIGITS), load_data_set("digits").inputs[:COUNT]).predictions
    assert [int(row["prediction"]) for row in rows(out)] == predictions.tolist()
