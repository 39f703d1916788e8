# SPDX-License-Identifier: Apache-2.0
"""``hysteron import``: a trained network from a NIR file, in the hardware's integers, with what that costs."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hysteron_base.doors import check_doors
from hysteron_base.errors import HysteronError, ToolError, require
from hysteron_base.files import build_root
from hysteron_convert import CALIBRATION, CODINGS, LIMIT, Check, Imported, Rounding, import_network
from hysteron_convert.nir import FIRINGS, REFERENCES, STEPPINGS, MissingOptionError
from hysteron_convert.report import leak_text
from hysteron_data.sets import NAMES
from hysteron_measure.judge import Judge
from hysteron_spec import Potential, Readout, save

from .names import DATA
from .output import console, table, watching, write_json
from .samples import judge_option, tell_notes

_SOURCE = f"One of {', '.join(NAMES)}, or an .npz file with 'inputs'"


@click.command(name="import", short_help="Make a network of a NIR file.")
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
@click.option(
    "--firing",
    type=click.Choice(FIRINGS),
    default="above",
    show_default=True,
    help="Which potentials fire; those of Sinabs, SpikingJelly and Rockpool at or above θ.",
)
@click.option(
    "--stepping",
    type=click.Choice(STEPPINGS),
    default="euler",
    show_default=True,
    help="A step's leak is 1 - dt/tau (euler) or exp(-dt/tau) (exact, as Sinabs computes).",
)
@click.option("--weight-bits", type=int, help="1, 2, 4 or 8  [4]")
@click.option("--potential-bits", type=int, help="8 to 24  [16]")
@click.option("--unsigned", is_flag=True, help="Potentials stop at 0 instead of going below.")
@click.option("--leak-bits", type=int, help="Fractional bits of a leak, 1 to 8  [3]")
@click.option("--bias-bits", type=int, help="0 (no biases) to 32  [12]")
@click.option("--coding", type=click.Choice(CODINGS), help="What the network is given  [spikes]")
@click.option("--steps", type=int, help="Time steps of an image; needed with a coding of pixels.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random numbers of rate coding.")
@click.option("--mean", type=float, default=0.0, show_default=True, help="Trained on (pixel / 255 - mean) / std.")
@click.option("--std", type=float, default=1.0, show_default=True)
@click.option("--readout", type=click.Choice([kind.name.lower() for kind in Readout]), help="What is answered with.")
@click.option("--calibrate", type=DATA, help=f"{_SOURCE}: its train part chooses the scales.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=CALIBRATION,
    show_default=True,
    help="Samples of --calibrate that are used.",
)
@click.option("--data", type=DATA, help=f"{_SOURCE} and 'labels': accuracy on its test part before and after.")
@judge_option
@click.option("--limit", type=click.IntRange(min=1), default=LIMIT, show_default=True, help="Neurons of a layer.")
@click.option("--name", help="Name of the network  [the file's]")
@click.option("--out", type=click.Path(path_type=Path), help="Network file  [build/import/<name>.hyn]")
@click.option("--report", type=click.Path(path_type=Path), help="Figures as JSON  [beside the network file]")
@click.option("--accept", is_flag=True, help="Write the network file even if the integers are not faithful.")
def import_(
    source: Path,
    dt: float | None,
    resets: tuple[str, ...],
    reference: str,
    firing: str,
    stepping: str,
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
    judge: Judge,
    limit: int,
    name: str | None,
    out: Path | None,
    report: Path | None,
    accept: bool,
) -> None:
    """Turn a trained network in a NIR FILE into a network file, and report what was rounded.

    --dt and --reset are needed unless 'hysteron export' wrote the file.

    Every layer is then run in float and in integers on made-up inputs. If one is another layer in integers ("not
    faithful"), no file is written, unless with --accept, and the status is 1.

    Example: hysteron import examples/snntorch/digits.nir --dt 1e-4 --reset subtract --coding direct --steps 8
    --calibrate digits --data digits
    """
    path = out or build_root() / "import" / f"{source.stem}.hyn"
    figures = report or path.parent / f"{path.stem}.json"
    check_doors(
        reads={"FILE": source, "--calibrate": calibrate, "--data": data},
        writes={"--out": path, "--report" if report else "the report beside it": figures},
    )
    formats = potential_bits is not None or unsigned
    with _with_an_example(), watching() as tell:
        imported = import_network(
            source,
            dt=dt,
            reset=_resets(resets),
            reference=reference,
            firing=firing,
            stepping=stepping,
            readout=None if readout is None else Readout[readout.upper()],
            coding=coding,
            steps=steps,
            seed=seed,
            mean=mean,
            std=std,
            weight_bits=weight_bits,
            potential=Potential(potential_bits or 16, signed=not unsigned) if formats else None,
            leak_bits=leak_bits,
            bias_bits=bias_bits,
            calibrate=calibrate,
            samples=samples,
            data=data,
            judge=judge,
            limit=limit,
            name=name,
            tell=tell,
        )
    summary = imported.as_dict()
    written = imported.check.faithful or accept
    if written:
        save(imported.network, path)
        write_json(figures, summary)
    show(imported)
    if written:
        console.print(f"network: {path}", soft_wrap=True)
    console.result(summary | {"file": str(path) if written else None})
    if not written:
        raise ToolError(
            f"the integers are {imported.check}; no file is written: mend the cause (the notes above"
            f"{'' if calibrate else '; --calibrate chooses better scales'}), or give --accept"
        )


@contextmanager
def _with_an_example() -> Iterator[None]:
    """Show in the message about a missing option this command with it, to be copied."""
    try:
        yield
    except MissingOptionError as error:
        context = click.get_current_context()
        words = ["hysteron", "import"]
        for param in context.command.params:
            name = param.name or ""
            given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
            value = context.params.get(name) if given else None
            values = list(value) if isinstance(value, tuple) else [] if value is None else [value]
            # Resets that were given are only too few if the message is about one.
            if name in error.example and (not values or "dt" not in error.example):
                values.append(error.example[name])
            for text in values:
                words += [*param.opts[:1], str(text)] if isinstance(param, click.Option) else [str(text)]
                if isinstance(param, click.Option) and param.is_flag:
                    del words[-1]
        raise HysteronError(f"{error}; for example: {shlex.join(words)}") from None


def _resets(texts: tuple[str, ...]) -> dict[str, str]:
    """Resets by node; the key ``""`` is for all others."""
    result: dict[str, str] = {}
    for text in texts:
        node, _, mode = text.rpartition("=")
        require(node not in result, f"--reset {text!r} says again what {node or 'all nodes'} do; give it once")
        result[node] = mode
    return result


def show(imported: Imported) -> None:
    """Print the report."""
    rounding, core, data = imported.rounding, imported.core, imported.comparison
    console.print(_layers(imported.as_dict()["network"], rounding))
    if rounding.exact:
        console.print("every value was an integer already: nothing was rounded")
    leaks = table("Leaks", "<node", "<wanted → got")
    for layer in rounding.layers:
        leaks.add_row(layer.name, leak_text(layer.leaks))
    console.print(leaks)
    for remark in rounding.remarks:
        console.print(f"note: {remark}", soft_wrap=True)
    if data is not None:
        console.print(f"data {data.name}: {data.understood}", soft_wrap=True)
        tell_notes(data.notes)
        rows = table(f"{data.samples} samples of {data.name}", "<", "float", "integers")
        if data.accuracy is not None and data.accuracy_float is not None:
            by = "" if data.judge == "winner" else f" judged by {data.judge}"
            rows.add_row(f"accuracy{by}, %", f"{100 * data.accuracy_float:.2f}", f"{100 * data.accuracy:.2f}")
        rows.add_row("same answer, %", "", f"{100 * data.same_answer:.2f}")
        console.print(rows)
    console.print(_check(imported.check))
    for note in imported.check.notes:
        console.print(f"note: {note}", soft_wrap=True)
    console.print(f"verdict: {imported.check}", soft_wrap=True)
    if core is None:
        console.print("no core holds this network, whatever its parameters; make it smaller")
    elif core.changes:
        console.print(f"fits no preset as it is; build a core for it with {core.options}", soft_wrap=True)
        if core.narrower:
            console.print(f"or import it again with {core.narrower} to fit preset {core.preset}", soft_wrap=True)
    else:
        console.print(f"fits preset {core.preset}")


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

    for row in rounding.rows():

        def text(name: str, form: str = "", row: dict[str, Any] = row) -> str:
            return "" if row[name] is None else format(row[name], form)

        rows.add_row(
            row["node"] if row["kind"] == "weights" else f"  {row['kind']}",
            f"{row['inputs']}×{row['neurons']}",
            text("weight_bits"),
            text("theta_high"),
            text("scale", ".5g"),
            text("rms_error", ".3f"),
            text("largest_error", ".3f"),
            text("clipped"),
            text("largest_bias_error", ".3f"),
            text("clipped_biases"),
            "silent" if row["silent"] else text("agreement", ".1%").replace("%", " %"),
        )
    return rows


def _check(check: Check) -> Any:
    """The table of the check on made-up inputs."""
    modules = any(layer.module is not None for layer in check.layers)
    columns = ["<node", "agree", "counts off", "rate float", "rate", "silenced", "at ends", "leak", "in effect"]
    rows = table("Check on made-up inputs", *columns, *(["module"] if modules else []))
    for layer in check.layers:
        values = [
            layer.text,
            "" if layer.off is None or layer.read else f"{100 * layer.off:.1f} %",
            *(
                [""] * 3
                if layer.read
                else [f"{layer.rate_float:.4f}", f"{layer.rate:.4f}", f"{100 * layer.silenced:.0f} %"]
            ),
            f"{100 * layer.saturated:.2f} %",
            f"{layer.leak:.4g}",
            "" if layer.leak_in_effect is None else f"{layer.leak_in_effect:.4g}",
        ]
        if modules:
            values.append("" if layer.module is None else f"{100 * layer.module:.2f} %")
        rows.add_row(layer.name, *values)
    return rows
