# SPDX-License-Identifier: Apache-2.0
"""The driver and the command with simulated machines behind a pseudo-terminal and behind TCP, as with real ones."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import hysteron_networks
from hysteron_golden import Result as Expected
from hysteron_golden import run
from hysteron_host.accelerator import Accelerator
from hysteron_sim.machine import SimulatedMachine
from hysteron_sim.serving import TcpServer, serve_pty
from hysteron_spec import CoreConfig, load

DIGITS = hysteron_networks.path("digits")
COUNT = 2000
IMAGES = np.random.default_rng(8).integers(0, 256, (COUNT, 64), dtype=np.uint8)
CORE = CoreConfig.preset("digits")
#: A simulated machine is slow.
PATIENCE = 5.0


@pytest.fixture(scope="module")
def golden() -> Expected:
    return run(load(DIGITS), IMAGES)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    np.savez(tmp_path / "data.npz", inputs=IMAGES)
    return tmp_path / "data.npz"


class Server:
    """A machine behind TCP, in a thread."""

    def __init__(self, port: int = 0) -> None:
        self.server = TcpServer(CORE, ("127.0.0.1", port))
        self.port = self.server.port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.server.run, args=(self._stop.is_set,))
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.server.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def command(data: Path, port: str, *more: str) -> list[str]:
    words = ["run", str(DIGITS), "--data", str(data), "--port", port, "--patience", str(PATIENCE)]
    return [sys.executable, "-m", "hysteron_cli.main", *words, "--out", str(data.parent / "out"), *more]


def check_file(data: Path, golden: Expected, count: int = COUNT) -> None:
    """results.csv has the first so many results, right."""
    with (data.parent / "out/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(count))
    assert [int(row["prediction"]) for row in rows] == golden.predictions[:count].tolist()
    values = [[int(row[f"value{k}"]) for k in range(10)] for row in rows]
    assert np.array_equal(np.array(values).reshape(count, 10), golden.values[:count])


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def wait_for_bytes(machine: SimulatedMachine, count: int) -> None:
    """Until so many have gone to the machine."""
    came = 0

    def enough() -> bool:
        nonlocal came
        came += machine.figures().bytes_in
        return came > count

    wait_for(enough)


def test_a_serial_port(golden: Expected) -> None:
    with (
        serve_pty(CORE) as (_, path),
        Accelerator.open(f"serial:{path}", patience=PATIENCE) as machine,
    ):
        machine.load(DIGITS)
        results = list(machine.infer(IMAGES[:50]))
        assert [result.prediction for result in results] == golden.predictions[:50].tolist()
        assert machine.link.figures.sent_again == 0


def test_the_default_patience_is_too_short_for_a_simulation_and_still_right(golden: Expected) -> None:
    with serve_pty(CORE) as (_, path), Accelerator.open(f"serial:{path}", patience=0.05) as machine:
        machine.load(DIGITS)
        results = list(machine.infer(IMAGES[:50]))
        assert [result.index for result in results] == list(range(50))
        assert np.array_equal([result.values for result in results], golden.values[:50])


def test_hosts_come_and_go(server: Server, golden: Expected) -> None:
    for first in (0, 20):
        with Accelerator.open(f"tcp:127.0.0.1:{server.port}") as machine:
            assert (machine.identity.check != 0) == (first > 0)
            machine.load(DIGITS)
            results = list(machine.infer(IMAGES[first : first + 20]))
            assert np.array_equal([result.values for result in results], golden.values[first : first + 20])


def test_the_command(server: Server, data: Path, golden: Expected) -> None:
    done = subprocess.run(command(data, f"tcp:127.0.0.1:{server.port}"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    check_file(data, golden)
    report = json.loads((data.parent / "out/report.json").read_text())
    assert report["images"] == COUNT and report["stats"]["core"]["samples"] == COUNT
    assert report["accuracy"] is None, "there are no labels"


def test_a_command_that_is_killed(server: Server, data: Path, golden: Expected) -> None:
    """In mid-stream, without a chance to say goodbye; another goes on where it was."""
    port = f"tcp:127.0.0.1:{server.port}"
    results = data.parent / "out/results.csv"
    long = data.parent / "long.npz"
    np.savez(long, inputs=np.tile(IMAGES, (20, 1)))
    with subprocess.Popen(command(long, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        wait_for(lambda: results.exists() and results.read_text().count("\n") > 20)
        killed.send_signal(signal.SIGKILL)
    kept = results.read_text().count("\n") - 1
    assert kept >= 20
    check = list(csv.reader(results.read_text().splitlines()))
    assert [int(row[1]) for row in check[1:]] == np.resize(golden.predictions, kept).tolist()
    results.write_text("".join(line + "\n" for line in results.read_text().splitlines()[:31]))
    again = command(long, port, "--resume", "--images", str(COUNT))
    done = subprocess.run(again, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    check_file(data, golden)
    report = json.loads((data.parent / "out/report.json").read_text())
    assert report["stats"]["core"]["samples"] < kept + 2 * COUNT


def test_a_port_that_vanishes(data: Path, golden: Expected) -> None:
    """The command ends with one line and status 1; with --resume it goes on and every result is there once."""
    server = Server()
    port = server.port
    results = data.parent / "out/results.csv"
    with subprocess.Popen(
        command(data, f"tcp:127.0.0.1:{port}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        wait_for_bytes(server.server.machine, 60_000)
        server.close()
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 1
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in errors
    assert "--resume goes on" in line and ("closed" in line or "broken" in line)
    kept = results.read_text().count("\n") - 1
    assert f"({kept} of {COUNT} results are kept" in line
    check_file(data, golden, kept)
    assert kept < COUNT
    missing = subprocess.run(command(data, f"tcp:127.0.0.1:{port}", "--resume"), capture_output=True, text=True)
    assert missing.returncode == 2 and "nobody answers" in missing.stderr
    check_file(data, golden, kept)
    again = Server()
    try:
        done = subprocess.run(command(data, f"tcp:127.0.0.1:{again.port}", "--resume"), capture_output=True, text=True)
    finally:
        again.close()
    assert done.returncode == 0, done.stderr
    check_file(data, golden)


def test_a_terminal_that_vanishes(data: Path) -> None:
    """As when a USB cable is pulled: the device file is gone."""
    with serve_pty(CORE) as (simulated, path):
        running = subprocess.Popen(
            command(data, f"serial:{path}"), stderr=subprocess.PIPE, text=True, stdout=subprocess.PIPE
        )
        wait_for_bytes(simulated, 60_000)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 1 and "Traceback" not in errors
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "vanished" in line and "--resume goes on" in line
