# SPDX-License-Identifier: Apache-2.0
"""A simulated machine where programs look for real ones: behind a pseudo-terminal, or behind TCP."""

import contextlib
import os
import select
import socket
import tty
from collections.abc import Callable, Iterator

from hysteron_base.closing import Closing
from hysteron_base.errors import HysteronError
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from .machine import SimulatedMachine


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


class TcpServer(Closing):
    """A machine behind TCP, for one host at a time; it keeps running between them.

    Parameters
    ----------
    config, machine
        The core and the machine to simulate.
    address
        Where to listen; port 0 takes a free one, see :attr:`port`.

    Raises
    ------
    HysteronError
        If nobody can listen there.
    """

    def __init__(self, config: CoreConfig, address: tuple[str, int], machine: MachineConfig | None = None) -> None:
        try:
            self._listener = socket.create_server(address)
        except OSError as error:
            raise HysteronError(f"cannot listen at {address[0]}:{address[1]} ({error}); take another port") from None
        self.port: int = self._listener.getsockname()[1]
        self.machine = SimulatedMachine(config, machine)

    def close(self) -> None:
        """End the simulation."""
        self._listener.close()
        self.machine.close()

    def run(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Hand bytes on until ``stopped`` (asked several times a second) says so."""
        line = self.machine.line
        assert line is not None
        host: socket.socket | None = None
        while not stopped():
            wanted = [line, self._listener] + ([] if host is None else [host])
            ready, _, _ = select.select(wanted, [], [], 0.2)
            if self._listener in ready:
                # The newest host wins: the one before may hang in a machine that was switched off.
                if host is not None:
                    host.close()
                host, _ = self._listener.accept()
                host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                continue
            if line in ready:
                data = line.recv(65536)
                if not data:
                    self.machine.wait()
                if host is not None:
                    with contextlib.suppress(OSError):
                        host.sendall(data)
            if host is not None and host in ready:
                data = b""
                with contextlib.suppress(OSError):
                    data = host.recv(65536)
                if data:
                    line.sendall(data)
                else:
                    host.close()
                    host = None
