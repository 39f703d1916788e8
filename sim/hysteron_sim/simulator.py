# SPDX-License-Identifier: Apache-2.0
"""Run programs on a simulated core, from ordinary Python.

A :class:`Simulator` starts one verilated model under cocotb and keeps it; each :meth:`Simulator.run` loads
a program over the register bus, streams samples and collects everything the core did. Between runs the
simulated clock stands, so property-based tests can drive it.
"""

import contextlib
import itertools
import json
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

from hysteron_base.closing import Closing, undisturbed
from hysteron_base.errors import SimulationError
from hysteron_base.processes import Tool
from hysteron_base.progress import Tell, quiet
from hysteron_base.turns import Turns
from hysteron_spec.core import CoreConfig
from hysteron_spec.packets import Words
from hysteron_spec.program import Program
from hysteron_spec.registers import COUNTERS, REGISTERS

from .build import LeanVerilator, build_model

_WRITE, _READ, _RUN, _LIMIT = range(4)
#: Registers read after every run.
_READ_BACK = ("STATUS", "ERROR", *COUNTERS)
#: Bytes that must still fit behind what a simulator wrote: if it could not write all, they do not.
_ROOM = 1 << 16


@dataclass(frozen=True)
class Stimulus:
    """The words that one run streams, and when it ends.

    Attributes
    ----------
    words
        Input words.
    beats
        Answer words to wait for.
    source_gaps, sink_gaps
        See :func:`hysteron_golden.schedule.schedule`.
    limit
        The run ends after so many cycles whatever has come out.
    """

    words: Words
    beats: int
    source_gaps: Sequence[int] = ()
    sink_gaps: Sequence[int] = ()
    limit: int = 50_000_000


@dataclass(frozen=True, eq=False)
class Observed:
    """Record of what the core did in one run; names and units as in :class:`hysteron_golden.schedule.Schedule`.

    ``spikes`` is ``(updates, lanes)`` bool and ``potentials`` ``(updates, lanes)`` int32.
    """

    accept_cycles: NDArray[np.int64]
    beat_cycles: NDArray[np.int64]
    beats: Words
    read_cycles: NDArray[np.int64]
    read_rows: NDArray[np.int64]
    update_cycles: NDArray[np.int64]
    update_layers: NDArray[np.int64]
    update_tiles: NDArray[np.int64]
    spikes: NDArray[np.bool_]
    potentials: NDArray[np.int32]
    registers: dict[str, int] = field(default_factory=dict)


class Script:
    """A list of operations for the harness, see ``harness.sv``."""

    def __init__(self) -> None:
        self.operations: list[tuple[int, int, int]] = []
        self.runs: list[Stimulus] = []
        self.read_backs: list[int] = []  # for each run the number of register reads before its own

    def write(self, register: str, value: int) -> None:
        """Write a register."""
        self.operations.append((_WRITE, REGISTERS[register].address, value))

    def read(self, register: str) -> None:
        """Read a register."""
        self.operations.append((_READ, REGISTERS[register].address, 0))

    def load(self, program: Program) -> None:
        """Reset the core, clear its errors and load a program."""
        self.write("ERROR", 0xFFFFFFFF)
        self.operations += [(_WRITE, address, word) for address, word in program.bus_writes()]

    def run(self, stimulus: Stimulus) -> None:
        """Clear the counters, run, stop, and read status and counters."""
        self.write("COMMAND", REGISTERS["COMMAND"].pack(CLEAR=1))
        self.write("CONTROL", REGISTERS["CONTROL"].pack(RUN=1))
        self.operations += [(_LIMIT, 0, stimulus.limit), (_RUN, len(self.runs), stimulus.beats)]
        self.runs.append(stimulus)
        self.write("CONTROL", 0)
        self.read_backs.append(sum(operation == _READ for operation, *_ in self.operations))
        for name in _READ_BACK:
            self.read(name)

    def reset(self) -> None:
        """Drop everything under way."""
        self.write("COMMAND", REGISTERS["COMMAND"].pack(RESET=1))


class Simulator(Closing):
    """A verilated core under cocotb.

    Parameters
    ----------
    config
        The core; its simulator is built on first use.
    detail
        Whether to watch every weight-row read and tile update, or only input and answers.
    tell
        Told of a build of the simulator, and only of one.
    """

    def __init__(self, config: CoreConfig, *, detail: bool = True, tell: Tell = quiet) -> None:
        self.config = config
        self.detail = detail
        model = build_model(config, tell=tell)
        self.failure: BaseException | None = None
        self._turns = Turns(f"the simulator of core {config.name}")
        self._numbers = itertools.count()
        theirs, requests = os.pipe()
        replies, theirs_too = os.pipe()
        tool = Tool((theirs, theirs_too))
        pipes = {"HYSTERON_REQUESTS": str(theirs), "HYSTERON_REPLIES": str(theirs_too)}
        self.thread = threading.Thread(target=self._simulate, args=(model, tool, pipes), daemon=True)
        with undisturbed():
            self.folder = Path(tempfile.mkdtemp(prefix="hysteron-"))
            #: Ends the process and removes the files; if nobody else does so, the end of this program will.
            self._clean_up = weakref.finalize(self, _clean_up, tool, self.thread, self.folder)
            self.thread.start()
        self.end = tool.end
        self.requests: IO[str] = os.fdopen(requests, "w")
        self.replies: IO[str] = os.fdopen(replies)

    def _simulate(self, model: Path, tool: Tool, pipes: dict[str, str]) -> None:
        try:
            runner = LeanVerilator(tool)
            runner.build_dir = model
            runner.test(
                hdl_toplevel="bench",
                hdl_toplevel_lang="verilog",
                test_module="hysteron_sim.cocotb_core",
                test_dir=self.folder,
                build_dir=model,
                plusargs=[f"+folder={self.folder}"],
                extra_env={**pipes, "COCOTB_LOG_LEVEL": "ERROR"},
                results_xml=str(self.folder / "results.xml"),
                log_file=self.folder / "run.log",
            )
        except BaseException as error:
            self.failure = error
        finally:
            tool.end()

    def stop(self) -> None:
        """End the simulator's process; its files stay."""
        with contextlib.suppress(OSError, ValueError):  # it has ended, or the pipe is closed
            print("null", file=self.requests, flush=True)
        with contextlib.suppress(OSError):
            self.requests.close()
        self.thread.join(30)
        self.end()
        self.thread.join()
        self.replies.close()

    def close(self) -> None:
        """End the simulator's process and remove its files."""
        self._turns.close()
        self.stop()
        self._clean_up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.end()  # in mid-run it would not hear that it is to stop
        super().__exit__(kind, error, trace)

    def play(
        self, script: Script, *, reset: bool = False, progress: Callable[[float], None] | None = None
    ) -> list[Observed]:
        """Play a script, after a hardware reset if asked for.

        Returns one :class:`Observed` a run. ``progress`` is called now and then with the fraction of the
        current run's answer words that are out.
        """
        number = self.write(script)
        last = max(1, script.runs[-1].beats) if script.runs else 1
        self.execute(number, reset=reset, progress=progress and (lambda left: progress(1 - left / last)))
        observed = read_runs(self.folder / str(number), script, self.config)
        for path in self.folder.glob(f"{number}.*"):
            path.unlink()
        return observed

    def write(self, script: Script) -> int:
        """Write a script's files and return its number."""
        with self._turns:
            number = next(self._numbers)
            try:
                write_script(self.folder / str(number), script)
            except OSError as error:
                raise self._full(error) from None
        return number

    def execute(self, number: int, *, reset: bool = False, progress: Callable[[int], None] | None = None) -> None:
        """Play a written script; ``progress`` takes the answer words still to come."""
        request = {"script": number, "detail": int(self.detail), "reset": reset or number == 0}
        with self._turns:
            done = self._done(request, progress)
            # A simulator does not tell that it could not write.
            self._check_room()
        if not done:
            raise SimulationError(f"the simulator ended{self._last_words()}; try again, or report this")

    def _done(self, request: dict[str, int], progress: Callable[[int], None] | None) -> bool:
        """Whether the simulator carries a request out, and does not end before."""
        try:
            print(json.dumps(request), file=self.requests, flush=True)
            for line in self.replies:
                if not line.endswith("\n"):
                    return False  # it ended in the middle of a word
                reply = json.loads(line)
                if "script" in reply:
                    return True
                if progress:
                    progress(reply["beats_left"])
        except BrokenPipeError:
            pass
        return False

    def _check_room(self) -> None:
        place = self.folder / "room"
        try:
            place.write_bytes(bytes(_ROOM))
        except OSError as error:
            raise self._full(error) from None
        finally:
            place.unlink(missing_ok=True)

    def _full(self, error: OSError) -> SimulationError:
        return SimulationError(
            f"the simulator's files cannot be written to {self.folder.parent} ({error.strerror or error}); set TMPDIR "
            "to a folder with more room"
        )

    def _last_words(self) -> str:
        """What a simulator that has ended said last, for a message: its log will not be there for long."""
        self.thread.join(30)
        log = self.folder / "run.log"
        said = log.read_text(errors="replace").split("\n") if log.exists() else []
        lines = [line.strip() for line in said if line.strip()]
        return f" ({self.failure or 'nobody knows why'}){': ' + lines[-1][:200] if lines else ''}"

    def read_back(self, script: Script) -> list[int]:
        """Play a script without runs; return the registers it read, in order."""
        number = self.write(script)
        self.execute(number)
        return _hex_columns(self.folder / f"{number}.registers", 2)[:, 1].tolist()

    def reset(self) -> None:
        """Reset the core through its reset input."""
        self.play(Script(), reset=True)

    def run(self, program: Program, stimulus: Stimulus) -> Observed:
        """Load ``program`` and run it once."""
        script = Script()
        script.load(program)
        script.run(stimulus)
        return self.play(script)[0]


def _clean_up(tool: Tool, thread: threading.Thread, folder: Path) -> None:
    tool.end()
    thread.join(30)  # it may be about to make a file
    shutil.rmtree(folder, ignore_errors=True)


def write_script(stem: Path, script: Script) -> None:
    """Write what ``harness.sv`` plays: files whose names begin with ``stem`` (a folder and the script's number)."""
    np.array(script.operations, ">u4").reshape(-1, 3).tofile(f"{stem}.script")
    for index, stimulus in enumerate(script.runs):
        records = np.zeros((len(stimulus.words), 2), ">u4")
        records[:, 1] = stimulus.words
        gaps = np.asarray(stimulus.source_gaps, np.int64)[: len(records)]
        records[: len(gaps), 0] = gaps
        records.tofile(f"{stem}.{index}.in")
        if len(stimulus.sink_gaps):
            np.array(stimulus.sink_gaps, ">u4").tofile(f"{stem}.{index}.out_gaps")


def read_runs(stem: Path, script: Script, config: CoreConfig) -> list[Observed]:
    """Read what ``harness.sv`` wrote down while it played a script: one :class:`Observed` a run."""
    observed = [_observed(f"{stem}.{index}", config) for index in range(len(script.runs))]
    values = _hex_columns(Path(f"{stem}.registers"), 2)[:, 1].tolist()
    for one, begin in zip(observed, script.read_backs, strict=True):
        one.registers.update(zip(_READ_BACK, values[begin : begin + len(_READ_BACK)], strict=True))
    return observed


def _observed(stem: str, config: CoreConfig) -> Observed:
    accepts = _hex_columns(Path(f"{stem}.accepts"), 1)
    beats = _hex_columns(Path(f"{stem}.beats"), 2)
    reads = _hex_columns(Path(f"{stem}.reads"), 2)
    updates = _lines(Path(f"{stem}.updates"))
    lanes, bits = config.lanes, config.potential_bits
    fields = [line.split() for line in updates]
    numbers = np.array([[int(text, 16) for text in line[:3]] for line in fields], np.int64).reshape(-1, 3)
    potentials = _unpack([line[4] for line in fields], lanes, bits)
    if config.potential_signed:
        potentials = potentials - (potentials >> (bits - 1) << bits)
    return Observed(
        accept_cycles=accepts[:, 0],
        beat_cycles=beats[:, 0],
        beats=beats[:, 1].astype(np.uint32),
        read_cycles=reads[:, 0],
        read_rows=reads[:, 1],
        update_cycles=numbers[:, 0],
        update_layers=numbers[:, 1],
        update_tiles=numbers[:, 2],
        spikes=_unpack([line[3] for line in fields], lanes, 1).astype(bool),
        potentials=potentials.astype(np.int32),
    )


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _hex_columns(path: Path, columns: int) -> NDArray[np.int64]:
    """Lines of hex numbers as ``(lines, columns)``."""
    words = path.read_text().split() if path.exists() else []
    return np.array([int(word, 16) for word in words], np.int64).reshape(-1, columns)


def _unpack(texts: list[str], lanes: int, bits: int) -> NDArray[np.int64]:
    """Hex texts of ``lanes`` numbers of ``bits`` bits each, the first in the lowest bits, as ``(texts, lanes)``."""
    if not texts:
        return np.zeros((0, lanes), np.int64)
    size = len(texts[0]) + len(texts[0]) % 2
    raw = np.frombuffer(bytes.fromhex("".join(text.zfill(size) for text in texts)), np.uint8)
    little = raw.reshape(len(texts), -1)[:, ::-1]
    ones = np.unpackbits(little, axis=1, bitorder="little")[:, : lanes * bits].reshape(len(texts), lanes, bits)
    return ones.astype(np.int64) @ (1 << np.arange(bits, dtype=np.int64))
