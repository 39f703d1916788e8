# SPDX-License-Identifier: Apache-2.0
"""Many samples through one machine, with results in files: a run that was interrupted goes on where it stopped."""

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import DeviceError, HysteronError, ToolError, require, require_of_device
from hysteron_base.files import read_file, write_file, write_json
from hysteron_base.progress import Tell, quiet, stage
from hysteron_spec import CoreConfig, load
from hysteron_spec.answers import Answer, Machine

from .machines import open_machine

#: The classes of a sample's answers: one, or one after every step.
Classes = NDArray[np.integer]
#: Options of a machine that change results.
DISTURBANCES = ("weight_errors", "jitter", "dropped", "seed")
#: Seconds after which results are written once more.
_KEEP_EVERY = 1.0


@dataclass(frozen=True)
class CampaignReport:
    """How a run through a machine went; names and order are those of ``report.json``.

    Attributes
    ----------
    network, data, port, options
        Names of the network and of the samples, the machine's address, and the options it was opened with.
    core
        The machine's core with all its parameters; None of a machine without one, as golden is.
    images
        Samples that have results.
    done_again
        Of these, samples whose results an earlier run had left damaged.
    judge
        What answers were judged by.
    accuracy
        Share of labels that were answered, or None without labels.
    seconds_loading
        Seconds until the machine was open and its network loaded.
    images_per_second
        Samples a second of wall-clock time; None if all results were there already.
    stats
        Figures of the machine at the end.
    """

    network: str
    data: str
    port: str
    options: dict[str, Any]
    core: dict[str, Any] | None
    images: int
    done_again: int
    judge: str
    accuracy: float | None
    seconds_loading: float
    images_per_second: float | None
    stats: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The report as it is written to ``report.json``."""
        return asdict(self)


def check_file(network: Path) -> None:
    """Refuse a network's file that can be read only once: it is read for its content and for its checksum."""
    require(not network.is_fifo(), f"{str(network)!r} is a pipe, which can be read only once; copy it to a file first")


def _winner(answer: Answer) -> Classes:
    return np.array([answer.prediction])


def run_campaign(
    network: Path,
    inputs: NDArray[Any],
    labels: NDArray[np.integer] | None,
    *,
    data: str,
    port: str,
    folder: Path,
    options: Mapping[str, Any] | None = None,
    images: int | None = None,
    resume: bool = False,
    judge: str = "winner",
    judged: Callable[[Answer], Classes] = _winner,
    classes: int | None = None,
    tell: Tell = quiet,
) -> CampaignReport:
    """Load a network into a machine, send samples, and keep the results in ``results.csv`` and ``settings.json``.

    Parameters
    ----------
    network
        The network's file.
    inputs, labels
        ``(samples, …)`` as the network takes them, and labels if there are any: ``(samples,)`` for the last answer of
        each, or ``(samples, steps)`` for every one; below 0: none.
    data
        What the samples are called.
    port
        The machine's address; see :func:`hysteron_host.machines.open_machine`.
    folder
        Where results are kept. They are written every second.
    options
        Options of the machine.
    images
        Only the first so many samples.
    resume
        Whether to keep the results that are in ``folder``. Each row ends with a check; damaged ones are done again.
    judge, judged, classes
        How classes are made of answers: its name, the function, which gives a class for each answer of a sample, and
        how many classes it can name (None: as many as there are outputs). Results of another one are of another run.
    tell
        Takes messages of how far it is.

    Raises
    ------
    HysteronError
        If the samples do not suit the network, no answer can match a label, the network's file is a pipe, or the
        results in ``folder`` are of another run.
    DeviceError
        If the machine does not answer, was lost or refused something; results so far are kept.
    """
    given = dict(options or {})
    check_file(network)
    count = min(images or len(inputs), len(inputs))
    wanted = load(network)
    classes = wanted.n_out if classes is None else classes
    if labels is not None and labels.size:
        label = int(labels.max())
        require(
            label < classes,
            f"label {label} cannot be answered by {wanted.n_out} outputs, judged by {judge}; leave labels away",
        )
    settings = _settings(network, inputs, given) | {"judge": judge}
    if labels is not None and labels.ndim == 2:
        require(
            wanted.readout_every_step,
            f"labels of steps need a network that answers at each, but network {wanted.name!r} answers once a sample; "
            "give it readout_every_step, or leave labels away",
        )
        # Rows say how many steps were right, which other labels would change.
        settings["labels"] = hashlib.sha256(np.ascontiguousarray(labels).tobytes()).hexdigest()
    results = _Results(folder, labels, wanted.n_out, settings, judged, classes)
    if resume:
        results.read()
    most = max(results.rows, default=-1) + 1
    require(most <= count, f"{results.path} has {most} results, more than the {count} asked for")
    missing = [index for index in range(count) if index not in results.rows]
    damaged = f" ({results.damaged} damaged rows are done again)" if results.damaged else ""
    begin = time.perf_counter()
    with stage(tell, f"opening {port}"):
        machine = open_machine(port, **given)
    with machine:
        with stage(tell, f"loading {wanted.name} ({wanted.shape})"):
            machine.load(wanted)
        loaded = kept = time.perf_counter()
        try:
            with stage(tell, f"images{damaged}", count) as step:
                for answer in _answers(machine, inputs, missing):
                    results.add(answer)
                    done = len(results.rows)
                    now = time.perf_counter()
                    share = results.accuracy
                    accuracy = "" if share is None else f"{100 * share:.2f} %"
                    step(done, f"{accuracy}  {(done - count + len(missing)) / (now - loaded):,.1f} images/s")
                    if now - kept > _KEEP_EVERY:
                        results.write()
                        kept = time.perf_counter()
        except (HysteronError, DeviceError, ToolError) as error:
            hint = f" ({len(results.rows)} of {count} results are kept; --resume goes on)" if results.rows else ""
            kinds = (HysteronError, ToolError, DeviceError)
            raise next(kind for kind in kinds if isinstance(error, kind))(f"{error}{hint}") from None
        finally:
            if results.rows:
                results.write()
        seconds = time.perf_counter() - loaded
        stats = machine.stats()
        # Other packages' machines need not tell theirs.
        core = getattr(machine, "core", None)
    require_of_device(len(results.rows) == count, f"{port} answered {len(results.rows)} of {count} samples")
    return CampaignReport(
        network=wanted.name,
        data=data,
        port=port,
        options=given,
        core=asdict(core) if isinstance(core, CoreConfig) else None,
        images=count,
        done_again=results.damaged,
        judge=judge,
        accuracy=results.accuracy,
        seconds_loading=loaded - begin,
        images_per_second=len(missing) / seconds if missing else None,
        stats=stats,
    )


def _answers(machine: Machine, inputs: NDArray[Any], missing: list[int]) -> Iterator[Answer]:
    """The answers to some samples, of which neighbours are asked for in one go."""
    for _, run in groupby(enumerate(missing), key=lambda each: each[1] - each[0]):
        indices = [index for _, index in run]
        yield from machine.infer(inputs[indices[0] : indices[-1] + 1], first=indices[0])


class _Results:
    """Rows of ``results.csv``, and what they depend on: runs that are to be one must have the same settings.

    Attributes
    ----------
    rows
        By the index of the sample: the last answer's class, with labels of steps how many were answered rightly and how
        many there are, and the values.
    known, right
        How many answers have a label, and how many of those are right.
    damaged
        Rows that were read and are none.
    """

    def __init__(
        self,
        folder: Path,
        labels: NDArray[np.integer] | None,
        n_out: int,
        settings: dict[str, Any],
        judged: Callable[[Answer], Classes],
        classes: int,
    ) -> None:
        self.folder, self.path, self.labels, self.settings = folder, folder / "results.csv", labels, settings
        self.by_step = labels is not None and labels.ndim == 2
        judgement = ["right", "labels"] if self.by_step else ["label"]
        self.head = ["index", "prediction", *judgement, *(f"value{k}" for k in range(n_out)), "check"]
        self.rows: dict[int, tuple[int, ...]] = {}
        self.judged, self.classes = judged, classes
        self.known = self.right = self.damaged = 0

    @property
    def accuracy(self) -> float | None:
        """Share of labels that were answered; None if no result has one."""
        return self.right / self.known if self.known else None

    def add(self, answer: Answer) -> None:
        """Take an answer in."""
        classes = self.judged(answer)
        counts: tuple[int, ...] = ()
        if self.by_step:
            assert self.labels is not None
            labels = self.labels[answer.index]
            require(
                labels.shape == classes.shape,
                f"labels of {len(labels)} steps do not suit {len(classes)} answers to sample {answer.index}; "
                "give a label for each step, -1 where there is none",
            )
            known = labels >= 0
            counts = int((known & (labels == classes)).sum()), int(known.sum())
        self._count(answer.index, (int(classes[-1]), *counts, *map(int, answer.values)))

    def _count(self, index: int, row: tuple[int, ...]) -> None:
        self.rows[index] = row
        if self.by_step:
            self.right += row[1]
            self.known += row[2]
            return
        label = -1 if self.labels is None else int(self.labels[index])
        self.known += label >= 0
        self.right += label >= 0 and label == row[0]

    def write(self) -> None:
        """Write the results there are, and what they depend on."""
        lines = [",".join(self.head)]
        for index, (prediction, *rest) in sorted(self.rows.items()):
            label = [] if self.by_step else ["" if self.labels is None else int(self.labels[index])]
            lines.append(_with_check(",".join(map(str, (index, prediction, *label, *rest)))))
        write_json(self.folder / "settings.json", self.settings)
        write_file(self.path, ("\n".join(lines) + "\n").encode())

    def read(self) -> None:
        """Take the results of an interrupted run in, as far as they are whole."""
        if not self.path.exists():
            return
        where = repr(str(self.folder))
        try:
            kept = json.loads(read_file(self.folder / "settings.json"))
            head, *rows = read_file(self.path).decode(errors="replace").split("\n")
        except (OSError, ValueError, RecursionError):
            kept, head, rows = None, "", []
        require(
            isinstance(kept, dict) and head == ",".join(self.head),
            f"the results in {where} are damaged, or of another release; delete them or give another --out",
        )
        other = [name for name, value in self.settings.items() if kept.get(name) != value]
        require(
            not other,
            f"the results in {where} are of another run (other {' and '.join(other)}); delete them or give another "
            "--out",
        )
        for text in filter(None, rows):
            row = self._parsed(text)
            if row is None:
                self.damaged += 1
            else:
                self._count(*row)

    def _parsed(self, text: str) -> tuple[int, tuple[int, ...]] | None:
        """Index, and the rest of a row that is whole and says something new."""
        cells = text.split(",")
        if len(cells) != len(self.head) or text != _with_check(",".join(cells[:-1])):
            return None
        try:
            # One label a sample is that of now, not the row's.
            index, prediction, *values = (int(cell) for cell in cells[:2] + cells[2 + (not self.by_step) : -1])
        except ValueError:
            return None
        fits = index >= 0 and index not in self.rows and 0 <= prediction < self.classes
        if self.by_step:
            assert self.labels is not None
            fits = fits and 0 <= values[0] <= values[1] <= self.labels.shape[1]
        return (index, (prediction, *values)) if fits and all(-1 << 31 <= value < 1 << 31 for value in values) else None


def _with_check(row: str) -> str:
    """A row with its CRC-32 behind it: one in which a digit is missing would look as whole as any other."""
    return f"{row},{zlib.crc32(row.encode(errors='replace')):08x}"


def _settings(network: Path, inputs: NDArray[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """What results depend on."""
    return {
        "network": hashlib.sha256(network.read_bytes()).hexdigest(),
        "data": hashlib.sha256(np.ascontiguousarray(inputs).tobytes()).hexdigest(),
        "disturbances": {name: value for name, value in options.items() if name in DISTURBANCES},
    }
