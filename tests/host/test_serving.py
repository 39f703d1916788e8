# SPDX-License-Identifier: Apache-2.0
"""The driver and the command with simulated machines behind a pseudo-terminal and behind TCP, as with real ones."""

from __future__ import annotations

import contextlib
import csv
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import hysteron_networks
from hysteron_base.errors import DeviceError, SimulationError
from hysteron_golden import Result as Expected
from hysteron_golden import run
from hysteron_host import link as host_link
from hysteron_host.accelerator import Accelerator
from hysteron_host.transports import SerialTransport
from hysteron_sim.machine import SimulatedMachine
from hysteron_sim.serving import TcpServer, serve_pty
from hysteron_spec import CoreConfig, load
from support.refusal import refusal

DIGITS = hysteron_networks.path("digits")
COUNT = 2000
IMAGES = np.random.default_rng(8).integers(0, 256, (COUNT, 64), dtype=np.uint8)
CORE = CoreConfig.preset("digits")
#: Nothing is lost on these lines, so nobody's patience is to end, however slow the simulation is.
PATIENCE = 600.0
#: Seconds after which a test gives up, which it does only if what it waits for never comes.
NEVER = 300.0


@pytest.fixture(scope="module")
def golden() -> Expected:
    return run(load(DIGITS), IMAGES)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    np.savez(tmp_path / "data.npz", inputs=IMAGES)
    return tmp_path / "data.npz"


class Server:
    """A machine behind TCP, in a thread."""

    def __init__(self, port: int = 0, idle: float = NEVER) -> None:
        self.server = TcpServer(CORE, ("127.0.0.1", port), idle=idle)
        self.port = self.server.port
        self._stop = threading.Event()
        self.told = ""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.server.run(self._stop.is_set)
        except SimulationError as error:
            self.told = str(error)

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


def wait_for(condition: Callable[[], bool], seconds: float = NEVER) -> None:
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


def test_a_patience_that_is_too_short_for_a_simulation_is_still_right(
    golden: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time is the machine's own, so that every repeat comes before its reply, and none too often, on any computer."""
    with serve_pty(CORE) as (simulated, path):

        def now() -> float:
            return simulated.figures().cycle / CORE.clock_hz

        monkeypatch.setattr(host_link, "time", SimpleNamespace(monotonic=now))
        # A window of eight requests of up to 1,020 bytes, of 160 cycles each, takes longer than this.
        with Accelerator(SerialTransport(path, patience=100_000 / CORE.clock_hz)) as machine:
            machine.load(DIGITS)
            results = list(machine.infer(IMAGES[:50]))
            assert machine.link.figures.sent_again > 0
    assert [result.index for result in results] == list(range(50))
    assert np.array_equal([result.values for result in results], golden.values[:50])


def test_hosts_come_and_go(server: Server, golden: Expected) -> None:
    for first in (0, 20):
        with Accelerator.open(f"tcp:127.0.0.1:{server.port}", patience=PATIENCE) as machine:
            assert (machine.identity.check != 0) == (first > 0)
            machine.load(DIGITS)
            results = list(machine.infer(IMAGES[first : first + 20]))
            assert np.array_equal([result.values for result in results], golden.values[first : first + 20])


def test_who_only_connects_ends_no_run(server: Server, golden: Expected) -> None:
    port = f"tcp:127.0.0.1:{server.port}"
    with Accelerator.open(port, patience=PATIENCE) as machine:
        machine.load(DIGITS)
        running = machine.infer(IMAGES[:50])
        results = [next(running)]
        with socket.create_connection(("127.0.0.1", server.port)) as other:
            wait_for(lambda: other.recv(1000) == b"")  # it is sent away
        assert "serves another host" in refusal(lambda: Accelerator.open(port), DeviceError)
        results += running
    assert np.array_equal([result.values for result in results], golden.values[:50])
    assert machine.link.figures.sessions == 1


def test_a_host_that_is_silent_gives_way(golden: Expected) -> None:
    made = Server(idle=0)
    with (
        contextlib.closing(made),
        socket.create_connection(("127.0.0.1", made.port)) as silent,
        Accelerator.open(f"tcp:127.0.0.1:{made.port}", patience=PATIENCE) as machine,
    ):
        wait_for(lambda: silent.recv(1000) == b"")  # it was sent away, after what the machine said first
        machine.load(DIGITS)
        (result,) = machine.infer(IMAGES[:1])
    assert np.array_equal(result.values, golden.values[0])


def test_a_host_that_has_gone_gives_way(server: Server, golden: Expected) -> None:
    """In mid-stream, while the machine has not yet taken all that it sent."""
    with socket.create_connection(("127.0.0.1", server.port)) as gone:
        gone.sendall(bytes([1]) * 20_000)
        wait_for_bytes(server.server.machine, 100)
    with Accelerator.open(f"tcp:127.0.0.1:{server.port}", patience=PATIENCE) as machine:
        machine.load(DIGITS)
        (result,) = machine.infer(IMAGES[:1])
    assert np.array_equal(result.values, golden.values[0])


def test_a_host_that_does_not_read_is_sent_away() -> None:
    """And nobody waits for it meanwhile."""
    theirs, deaf = socket.socketpair()
    with TcpServer(CORE, ("127.0.0.1", 0)) as made, theirs, deaf:
        theirs.setblocking(False)
        made._host = theirs
        rounds = 0
        while made._host is not None:  # as many answers as it leaves unread
            made._to_host += bytes(1 << 16)
            made._serve_host(theirs, read=False)
            made._serve_machine(read=False)
            rounds += 1
            assert rounds < 1000
        assert rounds > 10 and not made._to_host
        got = 0
        while data := deaf.recv(1 << 16):
            got += len(data)
        assert 0 < got < rounds << 16


@pytest.mark.parametrize("address, exposed", [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
def test_whether_others_can_reach_it(address: str, exposed: bool) -> None:
    with TcpServer(CORE, (address, 0)) as made:
        assert made.exposed == exposed


def test_addresses_where_nobody_can_listen(server: Server) -> None:
    for address in (("127.0.0.1", server.port), ("192.0.2.1", 0), ("a..b", 1)):
        assert "cannot listen at" in refusal(lambda at=address: TcpServer(CORE, at))  # type: ignore[misc]


def test_a_machine_that_is_killed_is_told(server: Server) -> None:
    """In the server and in the driver."""
    with Accelerator.open(f"tcp:127.0.0.1:{server.port}", patience=PATIENCE) as machine:
        machine.load(DIGITS)
        server.server.machine._process.kill()
        refusal(lambda: list(machine.infer(IMAGES)), DeviceError)
    wait_for(lambda: server.told == "the simulated machine ended (status -9)")


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
        _, errors = running.communicate(timeout=NEVER)
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
    _, errors = running.communicate(timeout=NEVER)
    assert running.returncode == 1 and "Traceback" not in errors
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "vanished" in line and "--resume goes on" in line
