# SPDX-License-Identifier: Apache-2.0
"""A simulated machine where programs look for real ones: behind a pseudo-terminal, or behind TCP."""

import contextlib
import ipaddress
import os
import select
import socket
import time
import tty
from collections.abc import Callable, Iterator

from hysteron_base.closing import Closing
from hysteron_base.errors import HysteronError
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from .machine import SimulatedMachine

#: Bytes that are handed on at once: as many as a window of requests has.
_ROOM = 8192
#: Bytes that wait for a host at most. A window of replies is a hundredth of it.
_UNREAD = 1 << 20


@contextlib.contextmanager
def serve_pty(config: CoreConfig, machine: MachineConfig | None = None) -> Iterator[tuple[SimulatedMachine, str]]:
    """Run a machine behind a pseudo-terminal; give the machine and the path that pySerial opens."""
    master, slave = os.openpty()
    try:
        tty.setraw(slave)
        # The other end stays open here, so that hosts may come and go.
        with SimulatedMachine(config, machine, line=master) as simulated:
            yield simulated, os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


def _has_hung_up(host: socket.socket) -> bool:
    """Whether the other end has closed a connection, also if there is something left to read."""
    poll = select.poll()
    poll.register(host, select.POLLRDHUP)
    return bool(poll.poll(0))


class TcpServer(Closing):
    """A machine behind TCP, for one host at a time; it keeps running between them.

    Nobody is asked who they are: whoever reaches the address uses the machine, see :attr:`exposed`. A host that comes
    while another one is served is sent away, its connection closed, unless the other one has been silent for long: it
    may hang in a computer that was switched off. A host that does not read what it asked for is sent away, too.

    Parameters
    ----------
    config, machine
        The core and the machine to simulate.
    address
        Where to listen; port 0 takes a free one, see :attr:`port`.
    idle
        Seconds without a byte from a host after which another one may take its place.

    Raises
    ------
    HysteronError
        If nobody can listen there.
    """

    def __init__(
        self, config: CoreConfig, address: tuple[str, int], machine: MachineConfig | None = None, *, idle: float = 60.0
    ) -> None:
        try:
            self._listener = socket.create_server(address)
        except (OSError, UnicodeError) as error:
            raise HysteronError(f"cannot listen at {address[0]}:{address[1]} ({error}); take another port") from None
        self._listener.setblocking(False)
        self._idle = idle
        self._host: socket.socket | None = None
        self._heard = 0.0
        self._to_host, self._to_machine = bytearray(), bytearray()
        try:
            self.machine = SimulatedMachine(config, machine)
        except BaseException:
            self._listener.close()
            raise
        assert self.machine.line is not None
        self._line: socket.socket = self.machine.line
        self._line.setblocking(False)
        # What one host has sent and the machine has not yet taken is in the way of the next host.
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def exposed(self) -> bool:
        """Whether it can be reached from other computers."""
        return not ipaddress.ip_address(self._listener.getsockname()[0]).is_loopback

    def close(self) -> None:
        """End the simulation."""
        self._send_away()
        self._listener.close()
        self.machine.close()

    def run(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Hand bytes on until ``stopped`` (asked several times a second) says so.

        Raises
        ------
        SimulationError
            If the simulation ends.
        """
        while not stopped():
            reading: list[socket.socket] = [self._listener, self._line]
            writing: list[socket.socket] = [self._line] if self._to_machine else []
            if self._host is not None:
                # The line sets the pace: no more is taken than the machine has taken.
                reading += [] if self._to_machine else [self._host]
                writing += [self._host] if self._to_host else []
            ready, free, _ = select.select(reading, writing, [], 0.2)
            if self._line in ready or self._line in free:
                self._serve_machine(read=self._line in ready)
            if self._host is not None and (self._host in ready or self._host in free):
                self._serve_host(self._host, read=self._host in ready)
            if self._listener in ready:
                self._welcome()

    def _serve_machine(self, *, read: bool) -> None:
        try:
            if self._to_machine:
                del self._to_machine[: self._line.send(self._to_machine)]
            if read:
                data = self._line.recv(_ROOM)
                if not data:
                    self._mourn()
                if self._host is not None:
                    self._to_host += data
        except BlockingIOError:
            pass
        except OSError:
            self._mourn()
        if len(self._to_host) > _UNREAD:
            self._send_away()

    def _mourn(self) -> None:
        """Tell the host, by an end of the connection, and the caller that the simulation has ended."""
        self._send_away()
        self.machine.wait()

    def _serve_host(self, host: socket.socket, *, read: bool) -> None:
        try:
            if self._to_host:
                del self._to_host[: host.send(self._to_host)]
            if read:
                data = host.recv(_ROOM)
                if data:
                    self._to_machine += data
                    self._heard = time.monotonic()
                else:
                    self._send_away()
        except BlockingIOError:
            pass
        except OSError:
            self._send_away()

    def _welcome(self) -> None:
        """Take a new host, or send it away."""
        try:
            host, _ = self._listener.accept()
        except OSError:  # it has gone, or there are too many open files
            return
        silent = time.monotonic() - self._heard
        if self._host is not None and silent < self._idle and not _has_hung_up(self._host):
            host.close()
            return
        self._send_away()
        host.setblocking(False)
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host, self._heard = host, time.monotonic()

    def _send_away(self) -> None:
        if self._host is not None:
            self._host.close()
        self._host = None
        self._to_host.clear()
        self._to_machine.clear()
