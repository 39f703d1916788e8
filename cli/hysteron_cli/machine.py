"""``hysteron machine`` and ``hysteron soc-sim``: the whole machine, simulated."""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import require
from hysteron_base.files import build_root
from hysteron_data.sets import NAMES, load_data_set
from hysteron_golden import Result as Golden
from hysteron_golden import run
from hysteron_spec import Network, compile_network, load
from hysteron_spec.machine import MachineConfig

from .compile import choose_core, core_options
from .output import console, live, table, waiting, write_json

if TYPE_CHECKING:
    from hysteron_host import Result
    from hysteron_sim.machine import LineFigures, SimulatedMachine

#: Speed of the serial line at which throughput is also stated.
BAUD = 3_000_000
#: Bits of a byte on the line.
BITS = 10


small_option = click.option(
    "--small", is_flag=True, help="A small machine, as for an iCEBreaker: the processor does what devices do otherwise."
)


@click.command("machine")
@core_options
@small_option
@click.option("--tcp", metavar="HOST:PORT", help="Listen there; port 0 takes a free one.")
@click.option("--pty", is_flag=True, help="Make a pseudo-terminal, which pySerial opens like a port.")
def machine_(preset: str | None, settings: tuple[str, ...], small: bool, tcp: str | None, pty: bool) -> None:
    """Simulate a whole machine and let programs talk to it, until Ctrl-C.

    Example: hysteron machine --preset digits --tcp 127.0.0.1:5555
    """
    from hysteron_sim.machine import build_machine
    from hysteron_sim.serve import TcpServer, serve_pty

    if (tcp is None) == (not pty):
        raise click.UsageError("give --tcp HOST:PORT or --pty, and not both")
    config = choose_core(None, preset, settings)
    machine = MachineConfig(small=small)
    host, colon, port = (tcp or "").rpartition(":")
    there = bool(colon and host) and port.isdecimal() and int(port) < 1 << 16
    require(pty or there, f"--tcp takes HOST:PORT, not {tcp!r}")
    with waiting(f"building the simulator of machine {config.name} (the first time takes minutes)"):
        build_machine(config, machine)
    with contextlib.suppress(KeyboardInterrupt):
        if pty:
            with serve_pty(config, machine) as (simulated, path):
                console.print(f"listening: --port serial:{path} --patience 5", soft_wrap=True)
                simulated.wait()
        else:
            with TcpServer(config, (host, int(port)), machine) as server:
                console.print(f"listening: --port tcp:{host}:{server.port}", soft_wrap=True)
                server.run()


@click.command("soc-sim")
@click.argument("network", type=click.Path(path_type=Path))
@click.option("--data", required=True, help=f"One of {', '.join(NAMES)}, or an .npz file with 'inputs'.")
@core_options
@small_option
@click.option("--images", type=click.IntRange(min=1), default=1000, show_default=True, help="The first so many.")
@click.option("--out", type=click.Path(path_type=Path), help="Report  [build/soc-sim/report.json]")
def soc_sim(
    network: Path,
    data: str,
    preset: str | None,
    settings: tuple[str, ...],
    small: bool,
    images: int,
    out: Path | None,
) -> None:
    """Stream samples host → serial line → firmware → core → host through a simulated machine.

    Every result is compared with golden; exits with status 1 if any differs.

    Example: hysteron soc-sim digits --data digits --images 50
    """
    from hysteron_sim.machine import SimulatedMachine

    wanted = load(network)
    config = choose_core(wanted, preset, settings)
    compile_network(wanted, config)
    samples = load_data_set(data).inputs[:images]
    with waiting("golden"):
        golden = run(wanted, samples)
    with waiting(f"building the simulator of machine {config.name} (the first time takes minutes)"):
        simulated = SimulatedMachine(config, MachineConfig(small=small))
    divisor = simulated.machine.divisor
    done = stream(simulated, wanted, samples, golden, patience=20.0)
    line, payload, mismatches = done.line, done.payload, done.mismatches
    earlier, before, after = done.stats
    count = len(samples)
    streaming = line.last_in - line.first_in + BITS * divisor
    cycles = line.last_out - line.first_in
    awake = [each["machine"]["awake_cycles"] for each in (earlier, before, after)]
    spent: dict[str, int | None] = {
        "line": line.bytes_in * BITS * divisor,
        # Asking for these figures takes the processor as long each time. In a small machine it never sleeps.
        "cpu": None if small else (awake[2] - awake[1]) - (awake[1] - awake[0]),
        "core": after["core"]["cycles"] - before["core"]["cycles"] if config.counters else None,
    }
    known = {name: each for name, each in spent.items() if each is not None}
    whole = known.keys() == spent.keys()
    report: dict[str, Any] = {
        "network": wanted.name,
        "data": data,
        "core": config.name,
        "images": count,
        "mismatches": len(mismatches),
        "first_mismatch": mismatches[0] if mismatches else None,
        "line_utilisation": payload * BITS * divisor / streaming,
        "line_busy": known["line"] / streaming,
        "cycles_per_image": cycles / count,
        **{f"{name}_cycles_per_image": known[name] / count if name in known else None for name in spent},
        "payload_bytes_per_image": payload / count,
        "bound_by": {"line": "serial line", "cpu": "processor", "core": "core"}[max(known, key=known.__getitem__)]
        if whole
        else None,
        "clock_hz": config.clock_hz,
        "baud": config.clock_hz / divisor,
        "images_per_second": config.clock_hz * count / cycles,
        "images_per_second_3mbaud": min(
            BAUD / BITS / (line.bytes_in / count), config.clock_hz * count / max(known["cpu"], known["core"])
        )
        if whole
        else None,
        "machine": after["machine"],
    }
    path = out or build_root() / "soc-sim" / "report.json"
    write_json(path, report)
    _show(report)
    console.print(f"report: {path}", soft_wrap=True)
    if mismatches:
        click.echo(f"mismatch: sample {mismatches[0]} (and {len(mismatches) - 1} more) differs from golden", err=True)
        sys.exit(1)


@dataclass(frozen=True)
class Stream:
    """What happened while samples were streamed: the line, bytes of payload sent, samples that differ from golden, and
    the machine's figures twice before and once after."""

    line: "LineFigures"
    payload: int
    mismatches: list[int]
    stats: list[dict[str, Any]]


def stream(
    simulated: "SimulatedMachine", wanted: Network, samples: NDArray[np.uint8], golden: Golden, *, patience: float
) -> Stream:
    """Load a network into a simulated machine, send samples, compare the results.

    Parameters
    ----------
    simulated, wanted, samples
        The machine, the network, and what it takes: ``(samples, …)``.
    golden
        What golden made of the samples.
    patience
        Seconds that the driver waits for an answer; simulations are slow.
    """
    from hysteron_host.accelerator import Accelerator
    from hysteron_host.transports import SocketTransport

    assert simulated.line is not None
    with Accelerator(SocketTransport(simulated.line, "sim:", patience=patience), simulated) as accelerator:
        with live("loading", 1000) as show:
            accelerator.load(wanted, progress=lambda share: show(int(1000 * share), ""))
        stats = [accelerator.stats(), accelerator.stats()]
        simulated.figures()
        sent = accelerator.link.figures.payload_out
        mismatches: list[int] = []
        with live("images", len(samples)) as show:
            for result in accelerator.infer(samples):
                if not _same(result, golden):
                    mismatches.append(result.index)
                show(result.index + 1, f"{len(mismatches)} differ")
        line = simulated.figures()
        payload = accelerator.link.figures.payload_out - sent
        stats.append(accelerator.stats())
    return Stream(line, payload, mismatches, stats)


def _same(result: "Result", golden: Golden) -> bool:
    """Whether a machine's result is golden's, at every step."""
    k = result.index
    same = result.prediction == golden.predictions[k] and np.array_equal(result.values, golden.values[k])
    if same and result.steps is not None:
        assert golden.step_values is not None
        same = np.array_equal(result.steps, golden.step_values[k])
    return bool(same)


def _show(report: dict[str, Any]) -> None:
    rows = table(f"{report['network']} on {report['data']}, machine with core {report['core']}", "<figure", "value")
    rows.add_row("images", f"{report['images']:,}")
    rows.add_row("results that differ from golden", f"{report['mismatches']:,}")
    rows.add_row("payload's share of the line while streaming", f"{100 * report['line_utilisation']:.2f} %")
    rows.add_row("cycles an image", f"{report['cycles_per_image']:,.0f}")
    for part, name in (("line", "line"), ("processor", "cpu"), ("core", "core")):
        cycles = report[f"{name}_cycles_per_image"]
        rows.add_row(f"… of the {part}", "not counted" if cycles is None else f"{cycles:,.0f}")
    if report["bound_by"] is not None:
        rows.add_row("bound by", report["bound_by"])
    rows.add_row(
        f"images/s at {report['clock_hz'] / 1e6:g} MHz, {report['baud'] / 1e6:g} Mbaud",
        f"{report['images_per_second']:,.1f}",
    )
    if report["images_per_second_3mbaud"] is not None:
        rows.add_row("images/s at 3 Mbaud", f"{report['images_per_second_3mbaud']:,.1f}")
    console.print(rows)
