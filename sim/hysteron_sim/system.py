# SPDX-License-Identifier: Apache-2.0
"""Samples through a whole simulated machine: host, serial line, firmware, core and back, compared with golden."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.progress import Tell, quiet, stage
from hysteron_golden import Result as Golden
from hysteron_golden import run
from hysteron_host.accelerator import Accelerator
from hysteron_host.transports import SocketTransport
from hysteron_spec import CoreConfig, Network, compile_network
from hysteron_spec.answers import Answer
from hysteron_spec.machine import MachineConfig

from .machine import LineFigures, SimulatedMachine

#: Speed of the serial line, in bits a second, at which throughput is also stated.
BAUD = 3_000_000
#: Bits of a byte on the line: with a start and a stop bit.
BITS = 10
#: Seconds that the driver waits for a simulated machine's answer.
_PATIENCE = 20.0


@dataclass(frozen=True)
class Stream:
    """What happened while samples were streamed.

    Attributes
    ----------
    line
        What went over the line meanwhile.
    payload
        Bytes of payload that the host sent.
    mismatches
        Samples whose answers differ from golden's, in order.
    answers
        What the machine answered, in order.
    stats
        The machine's figures: twice before, and once after.
    """

    line: LineFigures
    payload: int
    mismatches: list[int]
    answers: list[Answer]
    stats: list[dict[str, Any]]


def stream(
    simulated: SimulatedMachine,
    wanted: Network,
    samples: NDArray[np.uint8],
    golden: Golden,
    *,
    patience: float = _PATIENCE,
    tell: Tell = quiet,
) -> Stream:
    """Load a network into a simulated machine, send samples, compare the answers; the machine is closed then.

    Parameters
    ----------
    simulated, wanted, samples
        The machine, the network, and what it takes: ``(samples, …)``.
    golden
        What golden made of the samples.
    patience
        Seconds that the driver waits for an answer; simulations are slow.
    tell
        Takes messages of how far it is.
    """
    assert simulated.line is not None
    transport = SocketTransport(simulated.line, f"sim:{simulated.config.name}", patience=patience)
    with Accelerator(transport, simulated) as accelerator:
        with stage(tell, "loading", 1) as step:
            accelerator.load(wanted, progress=step)
        stats = [accelerator.stats(), accelerator.stats()]
        simulated.figures()
        sent = accelerator.link.figures.payload_out
        mismatches: list[int] = []
        answers: list[Answer] = []
        with stage(tell, "images", len(samples)) as step:
            for answer in accelerator.infer(samples):
                answers.append(answer)
                if not _same(answer, golden):
                    mismatches.append(answer.index)
                step(answer.index + 1, f"{len(mismatches)} differ")
        line = simulated.figures()
        payload = accelerator.link.figures.payload_out - sent
        stats.append(accelerator.stats())
    return Stream(line, payload, mismatches, answers, stats)


@dataclass(frozen=True)
class SystemReport:
    """How a simulated machine did with a stream of samples; names and order are those of ``report.json``.

    Attributes
    ----------
    network, data
        Names of the network and of the samples.
    core
        The machine's core: all its parameters by name, the clock among them.
    images, mismatches, first_mismatch
        Samples, answers that differ from golden's, and the first sample of these or None.
    line_utilisation, line_busy
        Share of the time of streaming in which the line to the machine carried payload, and anything.
    cycles_per_image
        Clock cycles a sample, from the first byte sent to the last byte received.
    line_cycles_per_image, cpu_cycles_per_image, core_cycles_per_image
        Cycles a sample in which the line sends, the processor is awake, a sample is in the core; None: not counted.
    payload_bytes_per_image
        Bytes of payload a sample, to the machine.
    bound_by
        What takes longest; None where not all are counted.
    clock_hz, baud, images_per_second
        The machine's clock in Hz, the speed of its line in bits a second, and samples a second at these.
    images_per_second_3mbaud
        Samples a second with a line of 3 Mbaud; None where not all is counted.
    machine
        The words of STATUS at the end, by name.
    answers
        What the machine answered, in order; it is not in ``report.json``.
    """

    network: str
    data: str
    core: dict[str, Any]
    images: int
    mismatches: int
    first_mismatch: int | None
    line_utilisation: float
    line_busy: float
    cycles_per_image: float
    line_cycles_per_image: float | None
    cpu_cycles_per_image: float | None
    core_cycles_per_image: float | None
    payload_bytes_per_image: float
    bound_by: str | None
    clock_hz: int
    baud: float
    images_per_second: float
    images_per_second_3mbaud: float | None
    machine: dict[str, int]
    answers: list[Answer] = field(default_factory=list, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The report as it is written to ``report.json``."""
        values = asdict(replace(self, answers=[]))
        del values["answers"]
        return values


def stream_images(
    wanted: Network,
    samples: NDArray[np.uint8],
    config: CoreConfig,
    *,
    data: str,
    small: bool = False,
    tell: Tell = quiet,
) -> SystemReport:
    """Stream samples through a simulated machine and compare every answer with golden.

    Parameters
    ----------
    wanted
        The network.
    samples
        ``(samples, …)``, as the network takes them.
    config
        The machine's core.
    data
        What the samples are called.
    small
        Whether to take a small machine, whose processor does what devices do otherwise.
    tell
        Takes messages of how far it is.

    Raises
    ------
    HysteronError
        If the core cannot hold the network, or the samples do not suit it.
    SimulationError
        If the simulator fails.
    """
    compile_network(wanted, config)
    with stage(tell, "golden"):
        golden = run(wanted, samples)
    simulated = SimulatedMachine(config, MachineConfig(small=small), tell=tell)
    done = stream(simulated, wanted, samples, golden, tell=tell)
    return _report(wanted, config, data, simulated.machine, done, len(samples))


def _report(
    wanted: Network, config: CoreConfig, data: str, machine: MachineConfig, done: Stream, count: int
) -> SystemReport:
    line, divisor = done.line, machine.divisor
    earlier, before, after = done.stats
    streaming = line.last_in - line.first_in + BITS * divisor
    cycles = line.last_out - line.first_in
    on_line = line.bytes_in * BITS * divisor
    # Asking for these figures takes the processor as long each time. In a small machine it never sleeps.
    cpu = None if machine.small else _awake([before, after]) - _awake([earlier, before])
    core = after["core"]["cycles"] - before["core"]["cycles"] if config.counters else None
    bound_by = at_3mbaud = None
    if cpu is not None and core is not None:
        busy = {"serial line": on_line, "processor": cpu, "core": core}
        bound_by = max(busy, key=busy.__getitem__)
        at_3mbaud = min(BAUD / BITS / (line.bytes_in / count), config.clock_hz * count / max(cpu, core))
    return SystemReport(
        network=wanted.name,
        data=data,
        core=asdict(config),
        images=count,
        mismatches=len(done.mismatches),
        first_mismatch=done.mismatches[0] if done.mismatches else None,
        line_utilisation=done.payload * BITS * divisor / streaming,
        line_busy=on_line / streaming,
        cycles_per_image=cycles / count,
        line_cycles_per_image=on_line / count,
        cpu_cycles_per_image=None if cpu is None else cpu / count,
        core_cycles_per_image=None if core is None else core / count,
        payload_bytes_per_image=done.payload / count,
        bound_by=bound_by,
        clock_hz=config.clock_hz,
        baud=config.clock_hz / divisor,
        images_per_second=config.clock_hz * count / cycles,
        images_per_second_3mbaud=at_3mbaud,
        machine=after["machine"],
        answers=done.answers,
    )


def _awake(stats: Sequence[dict[str, Any]]) -> int:
    """Cycles that the processor was awake between two readings of the machine's figures."""
    first, last = (each["machine"]["awake_cycles"] for each in stats)
    return int(last - first)


def _same(answer: Answer, golden: Golden) -> bool:
    """Whether a machine's answer is golden's, at every step."""
    k = answer.index
    same = answer.prediction == golden.predictions[k] and np.array_equal(answer.values, golden.values[k])
    if same and answer.steps is not None:
        assert golden.step_values is not None
        same = np.array_equal(answer.steps, golden.step_values[k])
    return bool(same)
