"""A simulated machine: the verilated hardware with its firmware, behind a file descriptor as behind a serial line."""

import contextlib
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock

from hysteron_firmware.build import build as build_firmware
from hysteron_golden.files import build_root, write_file
from hysteron_golden.hardware import CoreConfig
from hysteron_rtl.machine.cpu import verilog_file
from hysteron_wire.errors import HysteronError, SimulationError
from hysteron_wire.machine import MachineConfig

from .build import FLAGS, HERE, digest, tools, verilator_environment

_PROGRAM = HERE / "machine.cpp"


def build_machine(config: CoreConfig, machine: MachineConfig) -> Path:
    """The simulator's executable, built unless it is there."""
    from hysteron_rtl.verilog import convert_machine

    firmware = build_firmware(machine)
    verilog = convert_machine(config, machine, [int(word) for word in firmware.words])
    cpu = verilog_file()
    state = digest(verilog, cpu.read_bytes(), _PROGRAM.read_bytes(), repr(FLAGS), tools())
    folder = build_root() / "models" / f"{config.name.replace('*', '-')}-machine-{state}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if (folder / "complete").exists():
            return folder / "machine"
        log = folder / "build.log"
        write_file(folder / "machine.v", verilog.encode())
        command = ["verilator", "--cc", "--exe", "--build", "-j", "2", "--Mdir", str(folder)]
        command += ["--top-module", "hysteron_machine", "--prefix", "Vtop", "-o", "machine", *FLAGS]
        command += [str(_PROGRAM), str(folder / "machine.v"), str(cpu)]
        with verilator_environment(), log.open("w") as file:
            try:
                subprocess.run(command, check=True, stdout=file, stderr=subprocess.STDOUT)
            except subprocess.CalledProcessError as error:
                tail = log.read_text(errors="replace").splitlines()[-1:]
                raise HysteronError(f"building the simulator failed ({error}): {' '.join(tail)}; see {log}") from None
        (folder / "complete").touch()
    return folder / "machine"


@dataclass(frozen=True)
class LineFigures:
    """What went over the line since the last look; cycles are those of the machine's clock."""

    cycle: int
    bytes_in: int
    bytes_out: int
    first_in: int
    last_in: int


class SimulatedMachine:
    """A running machine. Its serial line is a socket, to be given to whoever wants to talk to it.

    Parameters
    ----------
    config, machine
        What to simulate.
    line
        Descriptor of a line that is there already (a pseudo-terminal, a connection); by default a new pair of sockets,
        of which :attr:`line` is the host's end.
    """

    def __init__(self, config: CoreConfig, machine: MachineConfig | None = None, *, line: int | None = None) -> None:
        self.config, self.machine = config, machine or MachineConfig()
        program = build_machine(self.config, self.machine)
        self.line: socket.socket | None = None
        theirs: socket.socket | None = None
        if line is None:
            self.line, theirs = socket.socketpair()
            line = theirs.fileno()
        self._control, control = socket.socketpair()
        self._control.settimeout(60)
        self._process = subprocess.Popen(
            [str(program), str(line), str(control.fileno()), str(self.machine.divisor)],
            pass_fds=(line, control.fileno()),
        )
        control.close()
        if theirs is not None:
            theirs.close()
        self._lock = threading.Lock()

    def __enter__(self) -> "SimulatedMachine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the simulation."""
        self._control.close()
        if self.line is not None:
            self.line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()

    def _ask(self, command: str) -> str:
        with self._lock:
            try:
                self._control.sendall(f"{command}\n".encode())
                answer = b""
                while not answer.endswith(b"\n"):
                    part = self._control.recv(256)
                    if not part:
                        raise SimulationError(f"the simulated machine ended (status {self._process.poll()})")
                    answer += part
            except OSError as error:
                raise SimulationError(f"the simulated machine does not answer ({error})") from None
        return answer.decode().strip()

    def figures(self) -> LineFigures:
        """What went over the line since the last call."""
        return LineFigures(*map(int, self._ask("figures").split()))

    def reset(self) -> None:
        """Pull the machine's reset for some cycles."""
        self._ask("reset")

    def unplug(self) -> None:
        """Lose whatever goes over the line."""
        self._ask("unplug")

    def plug(self) -> None:
        """Undo :meth:`unplug`."""
        self._ask("plug")
