# SPDX-License-Identifier: Apache-2.0
"""Ways to a machine: a serial port, a TCP connection, a pair of sockets. All carry bytes and nothing else."""

import contextlib
import select
import socket
from typing import Protocol

from hysteron_base.errors import DeviceError, HysteronError, require
from hysteron_base.extras import remedy

#: Seconds that the other end may take nothing of what is written.
_STUCK = 60.0
#: Seconds that a connection may take to be made.
_CONNECTING = 10.0
#: Seconds of the longest patience: a day.
_MOST_PATIENCE = 86_400.0
#: What may have become of the other end of a connection.
_GONE = "the machine there has ended, or serves another host"


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


def _checked(patience: float) -> float:
    require(
        0 < patience <= _MOST_PATIENCE,
        f"patience must be more than 0 and at most {_MOST_PATIENCE:g} seconds, not {patience!r}",
    )
    return patience


class SocketTransport:
    """A connected socket.

    Parameters
    ----------
    line
        The socket, which becomes this object's.
    name, patience
        See :class:`Transport`.

    Raises
    ------
    HysteronError
        If the patience is none.
    """

    def __init__(self, line: socket.socket, name: str, patience: float) -> None:
        self.line, self.name, self.patience = line, name, _checked(patience)
        self.line.settimeout(_STUCK)

    def read(self, seconds: float) -> bytes:
        """See :class:`Transport`."""
        try:
            ready, _, _ = select.select([self.line], [], [], max(seconds, 0))
            if not ready:
                return b""
            data = self.line.recv(65536)
        except (OSError, ValueError) as error:  # ValueError: closed here, by another thread
            raise LineLostError(f"connection {self.name!r} is broken ({error}); {_GONE}") from None
        if not data:
            raise LineLostError(f"connection {self.name!r} was closed by the other end; {_GONE}")
        return data

    def write(self, data: bytes) -> None:
        """See :class:`Transport`."""
        try:
            self.line.sendall(data)
        except OSError as error:
            raise LineLostError(f"connection {self.name!r} is broken ({error}); {_GONE}") from None

    def close(self) -> None:
        """See :class:`Transport`."""
        with contextlib.suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)  # wakes who waits for it
        self.line.close()


def connect_tcp(address: str, patience: float = 5.0) -> SocketTransport:
    """Connect to ``host:port``.

    Raises
    ------
    HysteronError
        If the address is none, nobody listens there, or the patience is none.
    """
    _checked(patience)
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) < 1 << 16):
        raise HysteronError(f"tcp: needs HOST:PORT, not {address!r}")
    try:
        line = socket.create_connection((host, int(port)), timeout=_CONNECTING)
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
        If pySerial is missing, the port cannot be opened, or the patience is none.
    """

    def __init__(self, port: str, baud: int = 3_000_000, patience: float | None = None) -> None:
        try:
            import serial
        except ImportError:
            raise HysteronError(f"serial ports need pySerial, which is missing; {remedy('serial')}") from None
        # TypeError: closed here, by another thread. The terminal's settings, too, may tell of a port that has vanished.
        self._errors: tuple[type[Exception], ...] = (serial.SerialException, OSError, TypeError)
        with contextlib.suppress(ImportError):
            import termios

            self._errors += (termios.error,)
        self.name = f"serial:{port}"
        require(bool(port), "serial: needs the name of a port, as in serial:/dev/ttyUSB0, not ''")
        require(baud > 0, f"baud must be more than 0, not {baud!r}")
        self.patience = _checked(0.2 + 2 * 8 * 1024 * 10 / baud if patience is None else patience)
        try:
            self._port = serial.Serial(port, baud, timeout=0, write_timeout=_STUCK, exclusive=True)
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
