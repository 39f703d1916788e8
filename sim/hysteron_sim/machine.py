# SPDX-License-Identifier: Apache-2.0
"""A simulated machine: the verilated hardware with its firmware, behind a file descriptor as behind a serial line."""

import contextlib
import io
import json
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysteron_base.closing import Closing
from hysteron_base.errors import SimulationError
from hysteron_base.files import build_root, write_file
from hysteron_base.processes import Tool
from hysteron_base.progress import Tell, quiet
from hysteron_base.settings import checked_options
from hysteron_firmware.build import build as build_firmware
from hysteron_host.accelerator import Accelerator
from hysteron_host.transports import SocketTransport
from hysteron_rtl.machine.cpu import cpu_verilog
from hysteron_spec.core import CoreConfig
from hysteron_spec.machine import MachineConfig

from .build import FLAGS, HERE, LeanVerilator, build_once, digest, generated, tools, verilator_environment

#: The C++ side of a machine's simulator.
PROGRAM = HERE / "machine.cpp"
_BENCH = HERE / "machine_bench.sv"


def build_machine(config: CoreConfig, machine: MachineConfig, kind: str = "line", *, tell: Tell = quiet) -> Path:
    """Build a simulator unless it is there, and return its folder.

    ``line`` is an executable ``machine`` that hands bytes on, ``cocotb`` a bench for
    :mod:`hysteron_sim.cocotb_machine`. ``tell`` is told of a build, and only of one.
    """
    from hysteron_rtl.verilog import convert_machine

    firmware = build_firmware(machine)
    words = [int(word) for word in firmware.words]
    state = repr((config, machine, words))
    verilog = generated(f"{config.name}-machine", state, lambda: convert_machine(config, machine, words), tell=tell)
    cpu = cpu_verilog(small=machine.small)
    state = digest(verilog, kind, cpu, PROGRAM.read_bytes(), _BENCH.read_bytes(), repr(FLAGS), tools())
    folder = build_root() / "models" / f"{config.name.replace('*', '-')}-machine-{kind}-{state}"
    work = _build_cocotb if kind == "cocotb" else _build_line
    what = f"the simulator of machine {config.name} (once, minutes)"
    sources = {"machine.v": verilog, "picorv32.v": cpu}
    return build_once(folder, sources, lambda log: work(folder, log), what=what, tell=tell)


def _build_line(folder: Path, log: Path) -> None:
    command = ["verilator", "--cc", "--exe", "--build", "-j", "2", "--Mdir", str(folder)]
    command += ["--top-module", "hysteron_machine", "--prefix", "Vtop", "-o", "machine", *FLAGS]
    command += [str(PROGRAM), str(folder / "machine.v"), str(folder / "picorv32.v")]
    with log.open("w") as file:
        Tool().run(command, output=file)


def _build_cocotb(folder: Path, log: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        LeanVerilator().build(
            sources=[folder / "machine.v", folder / "picorv32.v", _BENCH],
            hdl_toplevel="machine_bench",
            build_dir=folder,
            build_args=["--timing", "-CFLAGS", "-std=c++20", *FLAGS],
            timescale=("1ns", "1ns"),
            log_file=log,
            always=True,
        )


@dataclass(frozen=True)
class Counts:
    """Numbers of cycles since reset: all, those with a sample in the core, with the processor awake, and with both."""

    cycle: int
    core: int
    cpu: int
    both: int

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(self.cycle - other.cycle, self.core - other.core, self.cpu - other.cpu, self.both - other.both)


@dataclass(frozen=True)
class Stage:
    """One stage of a script, as :func:`play` saw it.

    Attributes
    ----------
    sent, answered
        When its last bit had been sent, and when the first bit came after it was begun.
    heard
        Each byte that came, with the cycle of its first bit.
    """

    sent: Counts
    answered: Counts
    heard: tuple[tuple[int, int], ...]


def play(config: CoreConfig, machine: MachineConfig, stages: Sequence[tuple[bytes, int]], folder: Path) -> list[Stage]:
    """Play bytes to a machine under cocotb.

    Parameters
    ----------
    config, machine
        The core and the machine to simulate.
    stages
        Bytes that are sent at once, and how many frames are then awaited.
    folder
        Where the files of this run go.
    """
    place = build_machine(config, machine, "cocotb")
    script = folder / "script.json"
    content = [{"send": list(data), "until": frames} for data, frames in stages]
    write_file(script, json.dumps({"divisor": machine.divisor, "stages": content}).encode())
    runner = LeanVerilator()
    runner.build_dir = place
    with verilator_environment(), contextlib.redirect_stdout(io.StringIO()):
        runner.test(
            hdl_toplevel="machine_bench",
            hdl_toplevel_lang="verilog",
            test_module="hysteron_sim.cocotb_machine",
            build_dir=place,
            test_dir=folder,
            results_xml=str(folder / "results.xml"),
            log_file=folder / "run.log",
            extra_env={"HYSTERON_MACHINE": str(script)},
        )
    seen = json.loads(script.with_suffix(".out").read_text())
    return [
        Stage(
            Counts(*each["sent"]),
            Counts(*each["answered"]),
            tuple((byte, cycle) for byte, cycle in each["heard"]),
        )
        for each in seen
    ]


@dataclass(frozen=True)
class LineFigures:
    """Figures of what went over the line since the last look.

    Attributes
    ----------
    cycle
        Count of the machine's clock, now.
    bytes_in, bytes_out
        Bytes that went to the machine and from it.
    first_in, last_in, last_out
        Cycles in which the first byte to the machine began, in which the last one began, and in which the last byte
        from it had come.
    """

    cycle: int
    bytes_in: int
    bytes_out: int
    first_in: int
    last_in: int
    last_out: int


class SimulatedMachine(Closing):
    """A running machine. Its serial line is a socket, to be given to whoever wants to talk to it.

    Parameters
    ----------
    config, machine
        The core and the machine to simulate.
    program
        Executable of the simulator, if it is not to be made of these but of a netlist.
    line
        File descriptor of a line that is there already (a pseudo-terminal, a connection); by default a new pair of
        sockets, of which :attr:`line` is the host's end.
    tell
        Told of a build of the simulator, and only of one.
    """

    def __init__(
        self,
        config: CoreConfig,
        machine: MachineConfig | None = None,
        *,
        program: Path | None = None,
        line: int | None = None,
        tell: Tell = quiet,
    ) -> None:
        self.config, self.machine = config, machine or MachineConfig()
        program = program or build_machine(self.config, self.machine, tell=tell) / "machine"
        self.line: socket.socket | None = None
        theirs: socket.socket | None = None
        if line is None:
            self.line, theirs = socket.socketpair()
            line = theirs.fileno()
        self._control, control = socket.socketpair()
        self._control.settimeout(60)
        # It ends by itself when the other end of the control line is closed: when this process ends, however it does.
        self._process = subprocess.Popen(
            [str(program), str(line), str(control.fileno()), str(self.machine.divisor)],
            pass_fds=(line, control.fileno()),
            start_new_session=True,
        )
        control.close()
        if theirs is not None:
            theirs.close()
        # One command after the other: each has its own answer, so threads need not take turns.
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the simulation."""
        self._control.close()
        if self.line is not None:
            self.line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()

    def wait(self) -> None:
        """Wait for the end of the simulation.

        Raises
        ------
        SimulationError
            When it has ended, which it does not by itself.
        """
        raise SimulationError(f"the simulated machine ended (status {self._process.wait()})")

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
        """Return what went over the line since the last call."""
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


def open_machine(preset: str, *, patience: float = 10.0, **options: Any) -> Accelerator:
    """A simulated machine of its own: the kind ``sim`` of the driver.

    Parameters
    ----------
    preset
        Name of the preset of its core; empty for ``digits``.
    patience
        Seconds that the driver waits for an answer; simulations are slow.
    options
        Parameters of :class:`SimulatedMachine`.

    Raises
    ------
    HysteronError
        If there is no such preset, or the simulator cannot be built.
    """
    config = CoreConfig.preset(preset or "digits")
    simulated = SimulatedMachine(config, **checked_options("a machine sim:", SimulatedMachine, options))
    assert simulated.line is not None
    return Accelerator(SocketTransport(simulated.line, f"sim:{config.name}", patience), simulated)
