# SPDX-License-Identifier: Apache-2.0
"""A trained network to the integers of the hardware in one call, with what that costs."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import integer_in, of_kind, rectangular, require, shown
from hysteron_base.html import table_of
from hysteron_base.progress import Tell, quiet, stage
from hysteron_data.sets import DataSet, load_data_set
from hysteron_data.understood import understood
from hysteron_golden import run
from hysteron_measure.judge import WINNER, Judge, check_labels
from hysteron_measure.score import Answers, accuracy
from hysteron_spec import Coding, Encoder, Network, Potential, Readout
from hysteron_spec.encoder import check_inputs
from hysteron_spec.fit import Fit, fit

from .check import Check, Given, check_network
from .linear import LIMIT, text_of
from .model import FloatNetwork
from .nir import from_nir, read_nir
from .quantise import quantise
from .report import Rounding
from .snntorch import from_snntorch

#: Samples that scales are tried on by default.
CALIBRATION = 256
#: Samples whose potentials are kept together, to judge by all steps.
_TRACED = 64
#: What a network may be given: spikes, or pixels in one of the encoder's codings.
CODINGS = ("spikes", *(coding.name.lower() for coding in (Coding.DIRECT, Coding.RATE, Coding.LEVEL, Coding.LATENCY)))


@dataclass(frozen=True)
class Comparison:
    """How the float network and the integer network answer the same samples.

    Attributes
    ----------
    name, samples
        The data and how many samples it has.
    understood, notes
        What the samples were taken for, and what looks like a mistake; a sentence each.
    judge
        What answers were judged by.
    accuracy_float, accuracy
        Shares of right answers of either, 0 to 1; None without a label for each sample.
    same_answer
        Share of samples that both answer alike.
    spikes_per_sample
        Spikes of each integer layer in a sample, on average.
    """

    name: str
    samples: int
    understood: str
    notes: tuple[str, ...]
    judge: str
    accuracy_float: float | None
    accuracy: float | None
    same_answer: float
    spikes_per_sample: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"spikes_per_sample": list(self.spikes_per_sample), "notes": list(self.notes)}


@dataclass(frozen=True, eq=False)
class Imported:
    """What :func:`import_network` made.

    Attributes
    ----------
    network
        The network in the hardware's integers; :func:`hysteron_spec.save` writes it to a file.
    reference
        The float network that it was made of and is judged by.
    rounding
        What was rounded, and remarks.
    comparison
        Both networks on the same samples; None without data.
    core
        A core for it, as a preset and what to change of that; None if no core holds it.
    source
        Where it is from, for people.
    calibration
        The samples that chose the scales, for people; None without.
    check
        Both networks, layer by layer, on made-up inputs that make each fire, and a verdict: *exact*, *close* or *not
        faithful*. Nothing is refused here: see ``check.faithful`` before you use the network.
    """

    network: Network
    reference: FloatNetwork
    rounding: Rounding
    comparison: Comparison | None
    core: Fit | None
    source: str
    calibration: str | None
    check: Check

    def _rows(self) -> dict[str, str]:
        rows = {"network": f"{self.network.name} ({self.network.shape})", "from": self.source, "check": str(self.check)}
        for layer in self.check.layers:
            rows[f"layer {layer.name}"] = layer.text + (f": {layer.fault}" if layer.fault else "")
        if self.comparison is not None and self.comparison.accuracy is not None:
            before = self.comparison.accuracy_float
            rows["accuracy"] = f"{100 * self.comparison.accuracy:.2f} %" + (
                "" if before is None else f", in float {100 * before:.2f} %"
            )
        rows["core"] = "none holds it" if self.core is None else self.core.options
        return rows

    def __repr__(self) -> str:
        return "Imported(" + "; ".join(f"{name}: {value}" for name, value in self._rows().items()) + ")"

    def _repr_html_(self) -> str:
        return table_of("Imported network", self._rows())

    def as_dict(self) -> dict[str, Any]:
        """Everything but the networks, for JSON."""
        return {
            "network": f"{self.network.name} ({self.network.shape})",
            "source": self.source,
            "calibration": self.calibration,
            "rounding": self.rounding.as_dict(),
            "check": self.check.as_dict(),
            "data": None if self.comparison is None else self.comparison.as_dict(),
            "core": None
            if self.core is None
            else {"preset": self.core.preset, "changes": self.core.changes, "parameters": asdict(self.core.config)},
        }


def import_network(
    source: Any,
    *,
    dt: float | None = None,
    reset: str | dict[str, str] | None = None,
    reference: str | None = None,
    firing: str | None = None,
    stepping: str | None = None,
    input_shape: tuple[int, ...] | None = None,
    readout: Readout | None = None,
    coding: str | None = None,
    steps: int | None = None,
    seed: int = 0,
    mean: float = 0.0,
    std: float = 1.0,
    weight_bits: int | None = None,
    potential: Potential | None = None,
    leak_bits: int | None = None,
    bias_bits: int | None = None,
    calibrate: str | DataSet | NDArray[Any] | None = None,
    samples: int = CALIBRATION,
    data: str | DataSet | None = None,
    judge: str | Judge = WINNER,
    limit: int = LIMIT,
    name: str | None = None,
    tell: Tell = quiet,
) -> Imported:
    """Read a trained network, quantise it, and compare both.

    Parameters
    ----------
    source
        The path of a NIR file, a ``nir.NIRGraph``, a module of snnTorch, or a :class:`FloatNetwork`.
    dt, reset, reference, firing, stepping
        What a NIR file does not say, see :func:`from_nir`; for other sources they must be None.
    input_shape
        Shape of one sample in one step, see :func:`from_snntorch`; for other sources it must be None.
    readout
        What the network answers with, see there.
    coding, steps, seed
        What it is given, see :func:`give_input`.
    mean, std
        It was trained on ``(pixel / 255 - mean) / std``.
    weight_bits, potential, leak_bits, bias_bits
        Formats of the hardware, see :func:`quantise`.
    calibrate
        Samples that choose the scales, without labels: a data set, inputs as the network takes them, or the name of a
        data set, of which the training part is taken.
    samples
        How many of them are used, spread over all.
    data
        What both networks are compared on: a data set, or the name of one, of which the test part is taken.
    judge
        How answers are made of the outputs, see :mod:`hysteron_measure.judge`. ``max`` and ``mean`` need the values of
        every step: with them the network is made one that answers at every step.
    limit
        Inputs and neurons up to which a layer's matrix is made.
    name
        Name of the network; None: that of the file.
    tell
        Called with how far the work is.

    Raises
    ------
    HysteronError
        If something cannot be read, mapped or held, naming it.
    """
    if potential is not None:
        of_kind("potential", potential, Potential, "give Potential(bits)")
    limit = integer_in("limit", limit, 1, 1 << 24)
    of_nir = {"dt": dt, "reset": reset, "reference": reference, "firing": firing, "stepping": stepping}
    network, origin = _read(source, of_nir, input_shape, readout, limit, name)
    network = give_input(network, coding, steps, seed, mean, std)
    chosen, calibration = _calibration(calibrate, samples)
    tests = load_data_set(data) if isinstance(data, str) else data
    if tests is not None:
        of_kind("data", tests, DataSet, "give the name of a data set, or a DataSet")
    judge = Judge.of(judge)
    # Before the minutes that scales may take.
    for name, inputs in (
        ("calibrate (--calibrate)", chosen),
        ("data (--data)", None if tests is None else tests.inputs),
    ):
        if inputs is not None:
            _check_samples(name, network, inputs)
    if tests is not None:
        check_labels(tests, network.layers[-1].n_out, judge)
    with stage(tell, "quantising", 1) as done:
        quantised = quantise(
            network,
            chosen,
            weight_bits=weight_bits,
            potential=potential,
            leak_bits=leak_bits,
            bias_bits=bias_bits,
            progress=done,
        )
    made = replace(quantised.network, readout_every_step=quantised.network.readout_every_step or judge.every_step)
    with stage(tell, "checking"):
        module = source if hasattr(source, "named_modules") else None
        asked = Given(module, input_shape, mean, std)
        check = check_network(network, made, quantised.rounding, chosen, asked)
    comparison = None if tests is None else compare(network, made, tests, tell, judge)
    if comparison is not None and tests is not None and tests.part is None and _same(calibrate, data):
        same = "the scales were chosen on the samples that are judged; give others to calibrate (--calibrate)"
        comparison = replace(comparison, notes=(*comparison.notes, same))
    return Imported(
        made,
        network,
        quantised.rounding,
        comparison,
        fit(made),
        origin,
        calibration,
        check,
    )


def _same(calibrate: Any, data: str | DataSet | None) -> bool:
    """Whether scales are chosen on the data that networks are compared on."""
    return calibrate is data or (isinstance(calibrate, str) and calibrate == data)


def _read(
    source: Any,
    of_nir: dict[str, Any],
    input_shape: tuple[int, ...] | None,
    readout: Readout | None,
    limit: int,
    name: str | None,
) -> tuple[FloatNetwork, str]:
    """The float network, and what its source is called; ``of_nir`` are the options of :func:`from_nir`."""
    origin = str(source) if isinstance(source, (str, Path)) else f"a {type(source).__name__}"
    of_modules: dict[str, Any] = {"input_shape": input_shape}

    def refuse(options: dict[str, Any]) -> None:
        for option, value in options.items():
            require(value is None, f"{option} is not for {origin}, which says it itself; leave it away")

    if isinstance(source, FloatNetwork):
        refuse(of_nir | of_modules | {"readout": readout, "name": name})
        return source, origin
    if hasattr(source, "named_modules"):
        refuse(of_nir)
        name = name or type(source).__name__
        return from_snntorch(source, input_shape=input_shape, readout=readout, limit=limit, name=name), origin
    refuse(of_modules)
    if isinstance(source, (str, Path)):
        graph, name = read_nir(source, limit), name or Path(source).stem
    else:
        require(
            hasattr(source, "nodes") and hasattr(source, "edges"),
            f"a network must be a NIR file or graph, a module of snnTorch or a FloatNetwork, not {origin}",
        )
        graph, name = source, name or "network"
    given = {option: value for option, value in of_nir.items() if value is not None}
    return from_nir(graph, **given, readout=readout, limit=limit, name=name), origin


def give_input(
    network: FloatNetwork,
    coding: str | None,
    steps: int | None = None,
    seed: int = 0,
    mean: float = 0.0,
    std: float = 1.0,
) -> FloatNetwork:
    """The network with the input that is asked for.

    Parameters
    ----------
    network
        As it was read.
    coding
        ``spikes``, or of pixels ``direct``, ``rate``, ``level`` or ``latency``. None: what a file of Hysteron's own
        states; ``direct`` if the module that was read shows one input for all steps; else ``spikes``.
    steps
        For how many an image is shown. None: for as many as the module does.
    seed
        Seed of the random numbers of rate coding.
    mean, std
        It was trained on ``(pixel / 255 - mean) / std``.

    Raises
    ------
    HysteronError
        If ``steps`` is missing, or given where it has no meaning.
    """
    require(coding is None or coding in CODINGS, f"coding must be one of {', '.join(CODINGS)}, not {coding!r}")
    if coding is None and network.facts is not None:
        require(
            steps is None,
            f"steps {steps} (--steps) needs a coding; the file states how its network is given images",
        )
        return network
    if coding is None and network.shown is not None:
        coding = "direct"
    if coding in (None, "spikes"):
        require(
            steps is None, f"steps {steps} (--steps) are for pixels; spikes have those of their data: leave them away"
        )
        return network.with_input(None, mean, std)
    assert coding is not None
    steps = network.shown if steps is None else steps
    require(steps is not None, f"coding {coding} needs steps (--steps): how many time steps an image is shown")
    assert steps is not None
    return network.with_input(make_encoder(coding, steps, seed), mean, std)


def make_encoder(coding: str, steps: int, seed: int = 0) -> Encoder:
    """The encoder called ``coding``; levels are spaced evenly, so that a pixel's mean over the steps is its value."""
    kind = Coding[coding.upper()]
    if kind is Coding.LATENCY:
        return Encoder.latency(steps)
    if kind is Coding.LEVEL:
        return Encoder(kind, steps, tuple((2 * t + 1) * 128 // steps for t in range(max(steps, 0))))
    return Encoder(kind, steps, seed=seed if kind is Coding.RATE else 0)


def _check_samples(what: str, network: FloatNetwork, inputs: NDArray[Any]) -> None:
    """Refuse samples that the network does not take; of images where it takes spikes with what makes these."""
    shape = inputs.shape[1:]
    images = network.encoder is None and int(np.prod(shape)) == network.n_in and len(inputs) > 0
    require(
        not images or len(shape) == 0 or (len(shape) > 1 and shape[0] == 1),
        f"{what} holds images of {text_of(shape)} pixels, but the network is given spikes; "
        "give a coding and steps, as 'direct' and 8 (--coding direct --steps 8)",
    )
    check_inputs(network.encoder, inputs, network.n_in)


def _calibration(given: str | DataSet | NDArray[Any] | None, samples: int) -> tuple[NDArray[Any] | None, str | None]:
    """The samples that scales are tried on, and what they are called."""
    require(samples > 0, f"samples must be at least 1, not {samples}")
    if given is None:
        return None, None
    name = "inputs"
    if isinstance(given, str):
        name, given = given, load_data_set(given, part="train", whole=True)
    elif isinstance(given, DataSet):
        name = given.name
    inputs = given.inputs if isinstance(given, DataSet) else rectangular("calibrate", given)
    require(inputs.ndim > 0, f"calibrate must be a data set, its name, or an array of inputs, not {shown(given)}")
    chosen = spread(inputs, samples)
    return chosen, f"{name}, {len(chosen)} samples"


def spread(inputs: NDArray[Any], samples: int) -> NDArray[Any]:
    """``samples`` of the inputs, spread over all of them: sets may be sorted by class."""
    places = np.linspace(0, len(inputs) - 1, min(samples, len(inputs))).round().astype(int)
    return np.asarray(inputs[places])


def compare(
    before: FloatNetwork, after: Network, data: DataSet, tell: Tell = quiet, judge: Judge = WINNER
) -> Comparison:
    """How both networks answer the samples of ``data``.

    Parameters
    ----------
    before, after
        The float network and its integers.
    data
        Samples that both take, and labels if there are any.
    tell
        Called with how far it is.
    judge
        How answers are made of the outputs.

    Raises
    ------
    HysteronError
        If the samples do not suit the networks, no answer can match a label, or the read-out cannot be judged so.
    """
    check_inputs(after.encoder, data.inputs, after.n_in)
    judge.check_data(after, data)
    require(
        judge.way != "threshold" or after.readout is Readout.COUNT,
        f"{judge} of a potential is a number of the integers' own units, which the float network does not have; "
        "judge spike counts (readout Readout.COUNT, --readout count), or the network file once it is written",
    )
    with stage(tell, f"float network on {data.name}", 1) as done:
        wanted = _float_answers(before, data.inputs, judge, done)
    with stage(tell, f"integer network on {data.name}"):
        result = run(after, data.inputs)
        got = Answers.golden(after, result, judge).winners[:, -1]
    known = None if data.labels is None or data.labels_by_step else data.labels

    def share(answers: NDArray[np.int64]) -> float | None:
        return None if known is None else accuracy(known, answers[:, None])

    told = understood(data, after.encoder)
    return Comparison(
        data.name,
        len(data.inputs),
        told.text,
        told.notes + judge.notes(after, data),
        str(judge),
        share(wanted),
        share(got),
        float(np.mean(wanted == got)),
        tuple(float(n) for n in result.events[:, 1:].mean(axis=0)),
    )


def _float_answers(
    network: FloatNetwork, inputs: NDArray[Any], judge: Judge, progress: Callable[[float], None]
) -> NDArray[np.int64]:
    """``(samples,)`` answers of the float network."""
    if not judge.every_step:
        last = network.run(inputs, progress=progress).values[:, None]
        return judge.answers(network.readout, last)[:, -1]
    found = []
    for first in range(0, len(inputs), _TRACED):  # the trace of all samples could be large
        result = network.run(inputs[first : first + _TRACED], trace=True)
        assert result.potentials is not None and result.spikes is not None
        values: NDArray[Any] = result.potentials[-1]
        if network.readout is Readout.COUNT:
            values = np.cumsum(result.spikes[-1], axis=1)
        found.append(judge.answers(network.readout, values)[:, -1])
        progress(min(first + _TRACED, len(inputs)) / len(inputs))
    return np.concatenate(found)
