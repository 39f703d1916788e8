# SPDX-License-Identifier: Apache-2.0
"""Run networks: on the golden model, on the simulated hardware, on machines; and train them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import of_kind, rectangular, require, shown
from hysteron_base.extras import brought_by
from hysteron_base.html import table_of
from hysteron_base.progress import Tell, quiet
from hysteron_data.sets import DataSet, load_data_set
from hysteron_data.understood import understood
from hysteron_golden import Result
from hysteron_golden import run as golden
from hysteron_measure.judge import WINNER, Judge
from hysteron_measure.score import Answers, accuracy
from hysteron_spec import CoreConfig, Network
from hysteron_spec.answers import Machine
from hysteron_spec.fit import choose_core

#: What functions take as samples: a data set, its name or file, or an array of spikes or pixels.
Samples = DataSet | str | Path | NDArray[Any]


def data(name: str | Path, part: str = "test") -> DataSet:
    """Load a data set by name, or from an ``.npz`` file with ``inputs`` and perhaps ``labels``.

    Parameters
    ----------
    name
        A data set that the project knows (``digits`` needs no download), or a file.
    part
        ``test`` or ``train``.

    Raises
    ------
    HysteronError
        If there is no such set, or its files are missing: then with the command that fetches them.
    """
    return load_data_set(str(name), part)


def samples_of(samples: Samples) -> DataSet:
    """Samples as a data set."""
    if isinstance(samples, DataSet):
        return samples
    if isinstance(samples, str | Path):
        return load_data_set(str(samples))
    array = rectangular("samples", samples)
    require(
        array.dtype.kind in "biuf" and array.ndim > 0,
        f"samples must be a data set, its name, or an array of numbers, not {shown(samples)}; hyn.data(name) loads one",
    )
    return DataSet("samples", array, None)


def network_of(network: object) -> Network:
    """The network that a function was given; a :class:`HysteronError` if it is none."""
    return of_kind("network", network, Network, "hyn.load(name) loads one")


@dataclass(frozen=True, eq=False)
class GoldenRun:
    """What the golden model made of samples.

    Attributes
    ----------
    network, data
        What was run.
    result
        Answers and, of a traced run, all spikes and potentials; see :class:`hysteron_golden.Result`.
    judge
        How answers are made of the outputs, see :mod:`hysteron_measure.judge`.
    """

    network: Network
    data: DataSet
    result: Result
    judge: Judge = WINNER

    @property
    def answers(self) -> Answers:
        """The values of the outputs, and the answered classes: one a sample, or one after every step."""
        return Answers.golden(self.network, self.result, self.judge)

    @property
    def predictions(self) -> NDArray[np.int64]:
        """``(samples,)`` answered classes: the winning outputs, unless the judge is another."""
        return self.answers.winners[:, -1]

    @property
    def understood(self) -> str:
        """What the samples were taken for: their axes, range and labels."""
        return understood(self.data, self.network.encoder).text

    @property
    def notes(self) -> tuple[str, ...]:
        """What looks like a mistake in the data, or in labels and outputs; a sentence each."""
        return understood(self.data, self.network.encoder).notes + self.judge.notes(self.network, self.data)

    @property
    def accuracy(self) -> float | None:
        """Share of right answers, 0 to 1; None if the data have no labels."""
        if self.data.labels is None:
            return None
        return accuracy(self.data.labels, self.answers.winners)

    def _rows(self) -> dict[str, str]:
        events = self.result.events.mean(axis=0)
        rows = {"network": f"{self.network.name} ({self.network.shape})", "samples": f"{len(self.predictions):,}"}
        if len(self.predictions):
            rows["taken for"] = self.understood
        for number, note in enumerate(self.notes if len(self.predictions) else (), 1):
            rows[f"note {number}"] = note
        if self.accuracy is not None:
            rows["accuracy"] = f"{100 * self.accuracy:.2f} %"
        rows["spikes a sample: input, layers"] = ", ".join(f"{n:,.1f}" for n in events)
        return rows

    def __repr__(self) -> str:
        return "GoldenRun(" + "; ".join(f"{name}: {value}" for name, value in self._rows().items()) + ")"

    def _repr_html_(self) -> str:
        return table_of("Golden model", self._rows())


def run(network: Network, samples: Samples, *, trace: bool = False, judge: str | Judge = WINNER) -> GoldenRun:
    """Run a network on the golden model: what the hardware answers, bit for bit, at the speed of matrix products.

    Parameters
    ----------
    network
        What to run.
    samples
        A data set, the name of one, or an array: ``(samples, steps, n_in)`` spikes of 0 and 1, or
        ``(samples, pixels…)`` bytes for a network with an encoder.
    trace
        Keep every spike and potential, for :mod:`hyn.plot`.
    judge
        How answers are made of the outputs: ``winner``, ``groups:C`` (a population code of C classes), ``threshold:N``
        (one output; 1 from N up), ``max`` or ``mean`` (over the steps, of a network that answers at every one).

    Raises
    ------
    HysteronError
        If the samples do not suit the network, no answer can match a label, or the read-out cannot be judged so.
    """
    network, found, judge = network_of(network), samples_of(samples), Judge.of(judge)
    judge.check_data(network, found)
    return GoldenRun(network, found, golden(network, found.inputs, trace=trace), judge)


@brought_by("sim")
def simulate(
    network: Network,
    samples: Samples,
    *,
    core: CoreConfig | str | None = None,
    settings: Mapping[str, str] | None = None,
    images: int | None = None,
    judge: str | Judge = WINNER,
    tell: Tell = quiet,
) -> Any:
    """Run a network on the generated hardware (Verilator) and compare every spike, potential and cycle with golden.

    Parameters
    ----------
    network, samples
        What to run; see :func:`run`.
    core
        The core or the name of a preset; None: the first preset that holds the network.
    settings
        Parameters of the preset to be changed, by name, as texts: ``{"lanes": "64"}``.
    images
        Only the first so many samples; None: all.
    judge
        How answers are made of the outputs; see :func:`run`.
    tell
        Told how far the work is. The first run of a core builds its simulator, which takes a minute or two.

    Returns
    -------
    :class:`hyn.Simulation`: its ``summary`` has the figures, ``comparison.mismatches`` what differs (nothing).

    Raises
    ------
    HysteronError
        If no core holds the network, the samples do not suit it, or a tool is missing.
    """
    from hysteron_measure.simulation import simulate_network

    config = core_for(network_of(network), core, settings)
    return simulate_network(network, samples_of(samples), config, images=images, judge=judge, tell=tell)


def core_for(network: Network, core: CoreConfig | str | None, settings: Mapping[str, str] | None = None) -> CoreConfig:
    """The core that is asked for, or the first preset that holds ``network``."""
    if isinstance(core, CoreConfig):
        return core.override(settings or {})
    return choose_core(network, core, settings or {})


@brought_by("sim")
def verilog(core: CoreConfig | str) -> str:
    """Generate the Verilog of a core: module ``hysteron_core`` with two streams and a Wishbone bus.

    Parameters
    ----------
    core
        The core, or the name of a preset.
    """
    from hysteron_rtl.verilog import convert

    return convert(core if isinstance(core, CoreConfig) else CoreConfig.preset(core))


@brought_by("machine")
def open(address: str, **options: Any) -> Machine:
    """Open a machine by its address, to load networks into it and to stream samples to it.

    Parameters
    ----------
    address
        ``serial:/dev/ttyUSB0``, ``tcp:HOST:PORT``, ``sim:digits`` (a simulated machine with that core), or ``golden:``
        (no machine, but the golden model, which can be disturbed).
    options
        Options of that kind of machine; see :func:`hysteron_host.machines.open_machine`.

    Raises
    ------
    HysteronError
        If there is no such machine, or a package that its kind needs is missing.
    """
    from hysteron_host.machines import open_machine

    return open_machine(address, **options)


@brought_by("train")
def train(
    recipe: str, *, tell: Tell = quiet, twin: bool = False, held_back: float = 0.0, **changes: object
) -> tuple[Network, dict[str, Any]]:
    """Train a network in the hardware's own integers, so that the accuracy in training is that of the chip.

    Parameters
    ----------
    recipe
        Name of a recipe (``hysteron train`` lists them).
    tell
        Told after every epoch.
    twin
        Train the float twin as well, to see what the integers cost.
    held_back
        Part of the training samples to judge by; 0: judge by the test samples, which a file of your own must have then.
    changes
        Parameters of the recipe to be changed, by name: ``epochs=3``, ``hidden=(256,)``.

    Returns
    -------
    The network, and the record of its training as plain values.

    Raises
    ------
    HysteronError
        If there is no such recipe or parameter, PyTorch is missing, or no core holds the network.
    """
    from hysteron_train.benchmark import train_recipe

    network, record = train_recipe(recipe, changes, twin=twin, held_back=held_back, tell=tell)
    return network, record.as_dict()


@contextmanager
def bar() -> Iterator[Tell]:
    """Show progress on standard error: ``with hyn.bar() as tell: hyn.simulate(network, data, tell=tell)``."""
    from hysteron_base.bars import watching

    with watching() as tell:
        yield tell
