# SPDX-License-Identifier: Apache-2.0
"""Many samples through one machine, with results in files: a run that was interrupted goes on where it stopped."""

import csv
import hashlib
import io
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import DeviceError, HysteronError, require
from hysteron_base.files import write_file, write_json
from hysteron_base.progress import Tell, quiet, stage
from hysteron_spec import load
from hysteron_spec.answers import Answer

from .machines import open_machine

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
    images
        Samples that have results.
    accuracy
        Share of samples whose label was predicted, or None without labels.
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
    images: int
    accuracy: float | None
    seconds_loading: float
    images_per_second: float | None
    stats: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The report as it is written to ``report.json``."""
        return asdict(self)


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
    tell: Tell = quiet,
) -> CampaignReport:
    """Load a network into a machine, send samples, and keep the results in ``results.csv`` and ``settings.json``.

    Parameters
    ----------
    network
        The network's file.
    inputs, labels
        ``(samples, …)`` as the network takes them, and ``(samples,)`` labels if there are any.
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
        Whether to go on behind the results that are in ``folder``.
    tell
        Takes messages of how far it is.

    Raises
    ------
    HysteronError
        If the samples do not suit the network, or the results in ``folder`` are of another run.
    DeviceError
        If the machine does not answer, was lost or refused something; results so far are kept.
    """
    given = dict(options or {})
    count = min(images or len(inputs), len(inputs))
    wanted = load(network)
    results = _Results(folder, labels, wanted.n_out, _settings(network, inputs, given))
    if resume:
        results.read()
    first = len(results.rows)
    require(first <= count, f"{results.path} has {first} results, more than the {count} asked for")
    begin = time.perf_counter()
    with stage(tell, f"opening {port}"):
        machine = open_machine(port, **given)
    with machine:
        with stage(tell, f"loading {wanted.name} ({wanted.shape})"):
            machine.load(wanted)
        loaded = kept = time.perf_counter()
        try:
            with stage(tell, "images", count) as step:
                for answer in machine.infer(inputs[first:count], first=first):
                    results.add(answer)
                    done = len(results.rows)
                    now = time.perf_counter()
                    accuracy = "" if labels is None else f"{100 * results.right / done:.2f} %"
                    step(done, f"{accuracy}  {(done - first) / (now - loaded):,.1f} images/s")
                    if now - kept > _KEEP_EVERY:
                        results.write()
                        kept = time.perf_counter()
        except (HysteronError, DeviceError) as error:
            hint = f" ({len(results.rows)} of {count} results are kept; --resume goes on)" if results.rows else ""
            kind = HysteronError if isinstance(error, HysteronError) else DeviceError
            raise kind(f"{error}{hint}") from None
        finally:
            if results.rows:
                results.write()
        seconds = time.perf_counter() - loaded
        stats = machine.stats()
    return CampaignReport(
        network=wanted.name,
        data=data,
        port=port,
        options=given,
        images=count,
        accuracy=None if labels is None else results.right / count,
        seconds_loading=loaded - begin,
        images_per_second=(count - first) / seconds if count > first else None,
        stats=stats,
    )


class _Results:
    """Rows of ``results.csv``, and what they depend on: runs that are to be one must have the same settings."""

    def __init__(self, folder: Path, labels: NDArray[np.integer] | None, n_out: int, settings: dict[str, Any]) -> None:
        self.folder, self.path, self.labels, self.settings = folder, folder / "results.csv", labels, settings
        self.head = ["index", "prediction", "label", *(f"value{k}" for k in range(n_out))]
        self.rows: list[list[str]] = []
        self.right = 0

    def add(self, answer: Answer) -> None:
        """Take an answer in."""
        label = "" if self.labels is None else str(int(self.labels[answer.index]))
        self._count([str(answer.index), str(answer.prediction), label, *map(str, answer.values)])

    def _count(self, row: list[str]) -> None:
        self.rows.append(row)
        self.right += self.labels is not None and int(self.labels[int(row[0])]) == int(row[1])

    def write(self) -> None:
        """Write the results there are, and what they depend on."""
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows([self.head, *self.rows])
        write_json(self.folder / "settings.json", self.settings)
        write_file(self.path, buffer.getvalue().encode())

    def read(self) -> None:
        """Take the results of an interrupted run in."""
        if not self.path.exists():
            return
        try:
            kept = json.loads((self.folder / "settings.json").read_text())
            head, *rows = csv.reader(self.path.read_text().splitlines())
            fits = head == self.head and all(len(row) == len(head) for row in rows)
            fits = fits and [(int(row[0]), int(row[1]) >= 0) for row in rows] == [(k, True) for k in range(len(rows))]
        except (OSError, ValueError, csv.Error):
            kept, rows, fits = {}, [], False
        where = repr(str(self.folder))
        require(fits, f"the results in {where} are damaged; delete them or give another --out")
        other = [name for name, value in self.settings.items() if kept.get(name) != value]
        require(
            not other,
            f"the results in {where} are of another run (other {' and '.join(other)}); delete them or give another "
            "--out",
        )
        for row in rows:
            self._count(row)


def _settings(network: Path, inputs: NDArray[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """What results depend on."""
    return {
        "network": hashlib.sha256(network.read_bytes()).hexdigest(),
        "data": hashlib.sha256(np.ascontiguousarray(inputs).tobytes()).hexdigest(),
        "disturbances": {name: value for name, value in options.items() if name in DISTURBANCES},
    }
