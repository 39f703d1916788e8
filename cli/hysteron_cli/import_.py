"""``hysteron import``: a trained network from a NIR file, in the hardware's integers, with what that costs."""

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_base.files import build_root
from hysteron_convert import LIMIT, FloatNetwork, Rounding, from_nir, quantise, read_nir
from hysteron_convert.nir import REFERENCES
from hysteron_convert.report import LayerRounding, leak_text
from hysteron_data.sets import NAMES, DataSet, load_data_set
from hysteron_golden import run
from hysteron_spec import Coding, Encoder, Network, Potential, Readout, save
from hysteron_spec.fit import Fit, fit

from .output import console, progress, table, waiting, write_json

#: Samples that scales are tried on by default.
CALIBRATION = 256

_CODINGS = ["spikes", "direct", "rate", "level", "latency"]
_SOURCE = f"One of {', '.join(NAMES)}, or an .npz file with 'inputs'"


@click.command(name="import")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--dt", type=float, help="Time step in seconds; NIR has continuous time. snnTorch writes for 1e-4.")
@click.option(
    "--reset",
    "resets",
    multiple=True,
    metavar="[NODE=]MODE",
    help="zero, subtract or none, which NIR does not know; for all neurons, or for one node.",
)
@click.option(
    "--reference",
    type=click.Choice(REFERENCES),
    default="nir",
    show_default=True,
    help="How the float network resets that the integers are judged by; snnTorch's own default is delayed.",
)
@click.option("--weight-bits", type=int, help="1, 2, 4 or 8  [4]")
@click.option("--potential-bits", type=int, help="8 to 24  [16]")
@click.option("--unsigned", is_flag=True, help="Potentials stop at 0 instead of going below.")
@click.option("--leak-bits", type=int, help="Fractional bits of a leak, 1 to 8  [3]")
@click.option("--bias-bits", type=int, help="0 (no biases) to 24  [12]")
@click.option("--coding", type=click.Choice(_CODINGS), help="What the network is given  [spikes]")
@click.option("--steps", type=int, help="Time steps of an image; needed with a coding of pixels.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random numbers of rate coding.")
@click.option("--mean", type=float, default=0.0, show_default=True, help="Trained on (pixel / 255 - mean) / std.")
@click.option("--std", type=float, default=1.0, show_default=True)
@click.option("--readout", type=click.Choice([kind.name.lower() for kind in Readout]), help="What is answered with.")
@click.option("--calibrate", metavar="DATA", help=f"{_SOURCE}: its train part chooses the scales.")
@click.option("--samples", type=click.IntRange(min=1), default=CALIBRATION, show_default=True, help="Of --calibrate.")
@click.option("--data", help=f"{_SOURCE} and 'labels': accuracy on its test part before and after.")
@click.option("--limit", type=click.IntRange(min=1), default=LIMIT, show_default=True, help="Neurons of a layer.")
@click.option("--name", help="Of the network  [the file's]")
@click.option("--out", type=click.Path(path_type=Path), help="Network file  [build/import/<name>.hyn]")
@click.option("--report", type=click.Path(path_type=Path), help="Figures as JSON  [beside the network file]")
def import_(
    source: Path,
    dt: float | None,
    resets: tuple[str, ...],
    reference: str,
    weight_bits: int | None,
    potential_bits: int | None,
    unsigned: bool,
    leak_bits: int | None,
    bias_bits: int | None,
    coding: str | None,
    steps: int | None,
    seed: int,
    mean: float,
    std: float,
    readout: str | None,
    calibrate: str | None,
    samples: int,
    data: str | None,
    limit: int,
    name: str | None,
    out: Path | None,
    report: Path | None,
) -> None:
    """Turn a trained network in a NIR FILE into a network file, and report what was rounded.

    --dt and --reset are needed unless 'hysteron export' wrote the file.

    Example: hysteron import examples/snntorch/digits.nir --dt 1e-4 --reset subtract --coding direct --steps 8
    --calibrate digits --data digits
    """
    graph = read_nir(source)
    network = from_nir(
        graph,
        dt=dt,
        reset=_resets(resets),
        reference=reference,
        readout=None if readout is None else Readout[readout.upper()],
        name=name or source.stem,
        limit=limit,
    )
    network = _with_input(network, coding, steps, seed, mean, std)
    potential = None
    if potential_bits is not None or unsigned:
        potential = Potential(potential_bits or 16, signed=not unsigned)
    chosen = None if calibrate is None else _calibration(load_data_set(calibrate, part="train"), samples)
    tests = None if data is None else load_data_set(data)
    with progress("quantising", 1000) as done:
        quantised = quantise(
            network,
            chosen,
            weight_bits=weight_bits,
            potential=potential,
            leak_bits=leak_bits,
            bias_bits=bias_bits,
            progress=lambda share: done(1000 * share),
        )
    summary: dict[str, Any] = {
        "network": f"{quantised.network.name} ({quantised.network.shape})",
        "source": str(source),
        "calibration": None if calibrate is None or chosen is None else f"{calibrate}, {len(chosen)} samples",
        "rounding": quantised.rounding.as_dict(),
    }
    summary["data"] = None if tests is None else compare(network, quantised.network, tests)
    core = fit(quantised.network)
    summary["core"] = None if core is None else {"preset": core.preset, "changes": core.changes}
    path = out or build_root() / "import" / f"{source.stem}.hyn"
    save(quantised.network, path)
    write_json(report or path.with_suffix(".json"), summary)
    show(summary, quantised.rounding, core, path)


def _resets(texts: tuple[str, ...]) -> dict[str, str]:
    """Resets by node; the key ``""`` is for all others."""
    result: dict[str, str] = {}
    for text in texts:
        node, _, mode = text.rpartition("=")
        require(node not in result, f"--reset {text!r} says again what {node or 'all nodes'} do; give it once")
        result[node] = mode
    return result


def _with_input(
    network: FloatNetwork, coding: str | None, steps: int | None, seed: int, mean: float, std: float
) -> FloatNetwork:
    """The network with the input that was asked for; a file of Hysteron's own states its own."""
    if coding is None and network.facts is not None:
        require(steps is None, f"--steps {steps} needs --coding; the file states how its network is given images")
        return network
    encoder = None
    if coding not in (None, "spikes"):
        assert coding is not None
        require(steps is not None, f"--coding {coding} needs --steps: how many time steps an image is shown")
        assert steps is not None
        encoder = make_encoder(coding, steps, seed)
    else:
        require(steps is None, f"--steps {steps} is for pixels; spikes have the steps of their data: leave it away")
    return network.with_input(encoder, mean, std)


def make_encoder(coding: str, steps: int, seed: int) -> Encoder:
    """The encoder called ``coding``; levels are spaced evenly, so that a pixel's mean over the steps is its value."""
    kind = Coding[coding.upper()]
    if kind is Coding.LATENCY:
        return Encoder.latency(steps)
    if kind is Coding.LEVEL:
        return Encoder(kind, steps, tuple((2 * t + 1) * 128 // steps for t in range(max(steps, 0))))
    return Encoder(kind, steps, seed=seed if kind is Coding.RATE else 0)


def _calibration(data: DataSet, samples: int) -> NDArray[Any]:
    """``samples`` of the data, spread over all of it: sets may be sorted by class."""
    places = np.linspace(0, len(data.inputs) - 1, min(samples, len(data.inputs))).round().astype(int)
    return np.asarray(data.inputs[places])


def compare(before: FloatNetwork, after: Network, data: DataSet) -> dict[str, Any]:
    """How both networks answer the samples of ``data``."""
    with progress(f"float network on {data.name}", 1000) as done:
        wanted = before.run(data.inputs, progress=lambda share: done(1000 * share))
    with waiting(f"integer network on {data.name}"):
        got = run(after, data.inputs)
    labels = data.labels if data.labels is not None and data.labels.ndim == 1 else None

    def accuracy(predictions: NDArray[np.int64]) -> float | None:
        return None if labels is None else float(np.mean(predictions == labels))

    return {
        "name": data.name,
        "samples": len(data.inputs),
        "accuracy_float": accuracy(wanted.predictions),
        "accuracy": accuracy(got.predictions),
        "same_answer": float(np.mean(wanted.predictions == got.predictions)),
        "spikes_per_sample": [float(n) for n in got.events[:, 1:].mean(axis=0)],
    }


def show(summary: dict[str, Any], rounding: Rounding, core: Fit | None, path: Path) -> None:
    """Print the report."""
    console.print(_layers(summary["network"], rounding))
    if rounding.exact:
        console.print("every value was an integer already: nothing was rounded")
    leaks = table("Leaks", "<node", "<wanted → got")
    for layer in rounding.layers:
        leaks.add_row(layer.name, leak_text(layer.leaks))
    console.print(leaks)
    for remark in rounding.remarks:
        console.print(f"note: {remark}", soft_wrap=True)
    data = summary["data"]
    if data is not None:
        rows = table(f"{data['samples']} samples of {data['name']}", "<", "float", "integers")
        if data["accuracy"] is not None:
            rows.add_row("accuracy, %", f"{100 * data['accuracy_float']:.2f}", f"{100 * data['accuracy']:.2f}")
        rows.add_row("same answer, %", "", f"{100 * data['same_answer']:.2f}")
        console.print(rows)
    if core is None:
        console.print("no core holds this network, whatever its parameters; make it smaller")
    elif core.changes:
        console.print(f"fits no preset as it is; build a core for it with {core.options}", soft_wrap=True)
        if core.narrower:
            console.print(f"or import it again with {core.narrower} to fit preset {core.preset}", soft_wrap=True)
    else:
        console.print(f"fits preset {core.preset}")
    console.print(f"network: {path}", soft_wrap=True)


def _layers(title: str, rounding: Rounding) -> Any:
    """The table of weights, biases and thresholds; errors are in units of an integer step."""
    rows = table(
        title,
        "<node",
        "weights",
        "bits",
        "theta",
        "scale",
        "rms LSB",
        "most LSB",
        "clipped",
        "bias LSB",
        "clipped",
        "agree",
    )

    def add(name: str, layer: LayerRounding, recurrent: bool) -> None:
        weights = layer.recurrent if recurrent else layer.weights
        assert weights is not None
        rows.add_row(
            name,
            f"{layer.neurons if recurrent else layer.inputs}×{layer.neurons}",
            str(layer.weight_bits),
            "" if recurrent else str(layer.theta_high),
            "" if recurrent else f"{layer.scale:.5g}",
            f"{weights.rms_error:.3f}",
            f"{weights.largest_error:.3f}",
            str(weights.clipped),
            "" if recurrent else f"{layer.bias.largest_error:.3f}",
            "" if recurrent else str(layer.bias.clipped),
            "" if recurrent or layer.agreement is None else f"{100 * layer.agreement:.1f} %",
        )

    for layer in rounding.layers:
        add(layer.name, layer, recurrent=False)
        if layer.recurrent is not None:
            add("  recurrent", layer, recurrent=True)
    return rows
