# SPDX-License-Identifier: Apache-2.0
"""Lines that are refused, closed, broken or not there."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
import tty
from collections.abc import Iterator

import pytest

from hysteron_base.errors import DeviceError
from hysteron_host.accelerator import Accelerator
from hysteron_host.transports import LineLostError, SerialTransport, SocketTransport, connect_tcp
from support.refusal import refusal


@pytest.fixture
def pair() -> Iterator[tuple[SocketTransport, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield SocketTransport(ours, "there", patience=0.1), theirs


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """Master end and path of a pseudo-terminal."""
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    yield master, path
    with contextlib.suppress(OSError):
        os.close(master)


def test_socket(pair: tuple[SocketTransport, socket.socket]) -> None:
    line, theirs = pair
    before = time.monotonic()
    assert line.read(0) == b"" and line.read(-1) == b""
    assert line.read(0.05) == b""
    assert time.monotonic() - before > 0.04
    line.write(b"\0abc")
    assert theirs.recv(10) == b"\0abc"
    theirs.sendall(bytes(range(256)))
    assert line.read(1) == bytes(range(256))


def test_much_data_is_written_whole(pair: tuple[SocketTransport, socket.socket]) -> None:
    line, theirs = pair
    data = os.urandom(3_000_000)
    got = bytearray()

    def take() -> None:
        while len(got) < len(data):
            got.extend(theirs.recv(65536))

    thread = threading.Thread(target=take)
    thread.start()
    line.write(data)
    thread.join(300)
    assert got == data


def test_a_closed_socket(pair: tuple[SocketTransport, socket.socket]) -> None:
    line, theirs = pair
    theirs.sendall(b"last")
    theirs.close()
    assert line.read(0) == b"last"
    message = refusal(lambda: line.read(0), LineLostError)
    assert "'there' was closed by the other end" in message
    message = refusal(lambda: line.write(b"x"), LineLostError)
    assert "'there' is broken" in message


def test_a_broken_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = connect_tcp(f"127.0.0.1:{server.getsockname()[1]}")
        assert line.name == f"tcp:127.0.0.1:{server.getsockname()[1]}"
        host, _ = server.accept()
        host.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        host.close()
        assert "is broken" in refusal(lambda: line.read(1), LineLostError)
        line.close()


def test_tcp_goes_both_ways() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = connect_tcp(f"localhost:{server.getsockname()[1]}", patience=0.5)
        assert line.patience == 0.5
        assert line.line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        host, _ = server.accept()
        with host:
            line.write(b"there")
            assert host.recv(10) == b"there"
            host.sendall(b"back")
            assert line.read(1) == b"back"
        line.close()


def test_tcp_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    message = refusal(lambda: connect_tcp(f"127.0.0.1:{port}"))
    assert f"nobody answers at 127.0.0.1:{port}" in message and "start the machine" in message
    assert "nobody answers" in refusal(lambda: Accelerator.open(f"tcp:127.0.0.1:{port}"))


@pytest.mark.parametrize("address", ["", "host", "host:", ":80", "host:port", "host:65536", "host:-1", "host: 80"])
def test_wrong_tcp_addresses(address: str) -> None:
    message = refusal(lambda: Accelerator.open(f"tcp:{address}"))
    assert "HOST:PORT" in message and repr(address) in message


@pytest.mark.parametrize("name", ["a..b", "a" * 70])
def test_names_that_are_no_host(name: str) -> None:
    refusal(lambda: connect_tcp(f"{name}:80"))


@pytest.mark.parametrize("address", ["", "serial", "golden", "/dev/ttyUSB0", "COM3", "usb:1", "Serial:x", ":"])
def test_wrong_addresses(address: str) -> None:
    message = refusal(lambda: Accelerator.open(address))
    assert "serial:PORT, tcp:HOST:PORT" in message and repr(address) in message


def test_an_unknown_preset() -> None:
    assert "preset" in refusal(lambda: Accelerator.open("sim:nonsense"))


@pytest.mark.parametrize("port", ["/dev/nowhere", "/dev", "/dev/null"])
def test_ports_that_are_none(port: str) -> None:
    message = refusal(lambda: Accelerator.open(f"serial:{port}"))
    assert f"serial port {port!r} cannot be opened" in message and "check cable" in message


def test_wrong_baud(terminal: tuple[int, str]) -> None:
    for baud in (-1, 0):
        assert f"baud must be more than 0, not {baud}" in refusal(lambda at=baud: SerialTransport(terminal[1], at))  # type: ignore[misc]
    assert "cannot be opened" in refusal(lambda: SerialTransport(terminal[1], baud=1 << 70))


def test_pyserial_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    assert "pip install 'hyn[host]'" in refusal(lambda: Accelerator.open("serial:/dev/ttyUSB0"))


def test_serial(terminal: tuple[int, str]) -> None:
    master, path = terminal
    line = SerialTransport(path)
    assert line.name == f"serial:{path}"
    before = time.monotonic()
    assert line.read(0) == b"" and line.read(-1) == b"" and line.read(0.05) == b""
    assert time.monotonic() - before > 0.04
    line.write(b"\0\x11\x13\r\n\xff")
    assert os.read(master, 10) == b"\0\x11\x13\r\n\xff"
    os.write(master, bytes(range(256)))
    assert line.read(1) + line.read(0.1) == bytes(range(256))
    line.close()


def test_patience_follows_the_speed(terminal: tuple[int, str]) -> None:
    for baud, low, high in ((3_000_000, 0.2, 0.4), (115_200, 1, 3)):
        line = SerialTransport(terminal[1], baud=baud)
        assert low < line.patience < high
        line.close()
    line = SerialTransport(terminal[1], patience=7.0)
    assert line.patience == 7
    line.close()


def test_a_port_is_for_one_host(terminal: tuple[int, str]) -> None:
    line = SerialTransport(terminal[1])
    assert "cannot be opened" in refusal(lambda: SerialTransport(terminal[1]))
    line.close()
    SerialTransport(terminal[1]).close()


def test_a_port_that_vanishes(terminal: tuple[int, str]) -> None:
    master, path = terminal
    line = SerialTransport(path)
    os.close(master)
    for act in (lambda: line.read(0.1), lambda: line.write(b"x" * 100)):
        message = refusal(act, LineLostError)
        assert f"serial:{path} has vanished" in message and "plug it in" in message
    line.close()


def test_a_port_that_vanishes_while_somebody_reads(terminal: tuple[int, str]) -> None:
    master, path = terminal
    line = SerialTransport(path)
    threading.Timer(0.1, lambda: os.close(master)).start()
    assert "has vanished" in refusal(lambda: line.read(600), LineLostError)
    line.close()


@pytest.mark.parametrize("kind", ["socket", "serial"])
def test_a_line_that_is_closed_while_somebody_reads(
    kind: str, pair: tuple[SocketTransport, socket.socket], terminal: tuple[int, str]
) -> None:
    line: SocketTransport | SerialTransport = pair[0] if kind == "socket" else SerialTransport(terminal[1])
    threading.Timer(0.1, line.close).start()
    # A socket is woken; a port's reader finds out when its patience is over.
    refusal(lambda: [line.read(600 if kind == "socket" else 0.2) for _ in range(2)], LineLostError)
    for act in (lambda: line.read(0), lambda: line.write(b"x")):
        refusal(act, LineLostError)
    line.close()


def test_a_stuck_reader_does_not_hold_the_writer_for_ever(
    pair: tuple[SocketTransport, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, _ = pair
    timeout = line.line.gettimeout()
    assert timeout is not None and 0 < timeout <= 60
    line.line.settimeout(0.01)
    assert "is broken (timed out)" in refusal(lambda: line.write(bytes(10_000_000)), LineLostError)


@pytest.mark.parametrize("patience", [0, -1, float("inf"), float("nan"), 1e300])
def test_wrong_patience(patience: float, terminal: tuple[int, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for address in (f"tcp:127.0.0.1:{server.getsockname()[1]}", f"serial:{terminal[1]}"):
            message = refusal(lambda at=address: Accelerator.open(at, patience=patience))  # type: ignore[misc]
            assert message.startswith("patience must be ") and repr(patience) in message


def test_nobody_answers_on_a_port(terminal: tuple[int, str]) -> None:
    message = refusal(lambda: Accelerator.open(f"serial:{terminal[1]}", patience=0.01), DeviceError)
    assert f"no machine answers on serial:{terminal[1]}" in message
    SerialTransport(terminal[1]).close()  # the port was given back


def test_a_serial_port_has_a_name() -> None:
    message = refusal(lambda: Accelerator.open("serial:"))
    assert message == "serial: needs the name of a port, as in serial:/dev/ttyUSB0, not ''"
