# SPDX-License-Identifier: Apache-2.0
"""Ways to a machine: a serial port, a TCP connection, a pair of sockets. All carry bytes and nothing else."""

import select
import socket
from typing import Protocol

from hysteron_base.errors import DeviceError, HysteronError
from hysteron_base.extras import remedy


class LineLostError(DeviceError):
    """The port vanished or the connection was closed."""


class Transport(Protocol):
    """A line of bytes.

    Attributes
    ----------
    name
        What people call it.
    patience
        Seconds without a reply after which something is sent again.
    """

    name: str
    patience: float

    def read(self, seconds: float) -> bytes:
        """Return the bytes that have come, waiting for ``seconds`` at most; none if nothing came."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""

    def close(self) -> None:
        """Give the line back."""


class SocketTransport:
    """A connected socket."""

    def __init__(self, line: socket.socket, name: str, patience: float) -> None:
        self.line, self.name, self.patience = line, name, patience

    def read(self, seconds: float) -> bytes:
        """See :class:`Transport`."""
        try:
            ready, _, _ = select.select([self.line], [], [], max(seconds, 0))
            if not ready:
                return b""
            data = self.line.recv(65536)
        except OSError as error:
            raise LineLostError(f"connection {self.name!r} is broken ({error}); check the other end") from None
        if not data:
            raise LineLostError(f"connection {self.name!r} was closed by the other end; start it again")
        return data

    def write(self, data: bytes) -> None:
        """See :class:`Transport`."""
        try:
            self.line.sendall(data)
        except OSError as error:
            raise LineLostError(f"connection {self.name!r} is broken ({error}); check the other end") from None

    def close(self) -> None:
        """See :class:`Transport`."""
        self.line.close()


def connect_tcp(address: str, patience: float = 5.0) -> SocketTransport:
    """Connect to ``host:port``.

    Raises
    ------
    HysteronError
        If the address is none or nobody listens there.
    """
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) < 1 << 16):
        raise HysteronError(f"tcp: needs HOST:PORT, not {address!r}")
    try:
        line = socket.create_connection((host, int(port)), timeout=10)
    except (OSError, UnicodeError) as error:
        raise HysteronError(f"nobody answers at {address} ({error}); start the machine there") from None
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return SocketTransport(line, f"tcp:{address}", patience)


class SerialTransport:
    """A serial port, by pySerial.

    Parameters
    ----------
    port
        Name of the device, ``/dev/ttyUSB0`` or ``COM3``.
    baud
        Bits a second, as many as the machine's.
    patience
        See :class:`Transport`; by default what a full window takes at this speed, twice, and a little.

    Raises
    ------
    HysteronError
        If pySerial is missing or the port cannot be opened.
    """

    def __init__(self, port: str, baud: int = 3_000_000, patience: float | None = None) -> None:
        try:
            import serial
        except ImportError:
            raise HysteronError(f"serial ports need pySerial, which is missing; {remedy('serial')}") from None
        self._errors = (serial.SerialException, OSError)
        self.name = f"serial:{port}"
        self.patience = 0.2 + 2 * 8 * 1024 * 10 / baud if patience is None else patience
        try:
            self._port = serial.Serial(port, baud, timeout=0, write_timeout=10, exclusive=True)
        except (*self._errors, ValueError, OverflowError) as error:
            raise HysteronError(f"serial port {port!r} cannot be opened ({error}); check cable and rights") from None

    def read(self, seconds: float) -> bytes:
        """See :class:`Transport`."""
        try:
            self._port.timeout = max(seconds, 0)
            first = self._port.read(1)
            return bytes(first + self._port.read(self._port.in_waiting)) if first else b""
        except self._errors as error:
            raise LineLostError(f"{self.name} has vanished ({error}); plug it in and run the command again") from None

    def write(self, data: bytes) -> None:
        """See :class:`Transport`."""
        try:
            self._port.write(data)
        except self._errors as error:
            raise LineLostError(f"{self.name} has vanished ({error}); plug it in and run the command again") from None

    def close(self) -> None:
        """See :class:`Transport`."""
        self._port.close()
