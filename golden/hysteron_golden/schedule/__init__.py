# SPDX-License-Identifier: Apache-2.0
"""The schedule model: in which cycle a core does what, exactly. It is normative (docs/specification.md, §8).

The cores are chains of stages that hand over one item a cycle, in order, so every cycle number follows from
a few recurrences. Cycle 0 is the one in which the source may first offer a word.
"""

from collections.abc import Sequence

from hysteron_spec.core import CoreConfig
from hysteron_spec.program import Program

from . import parallel, serial
from .record import Activity, Schedule, activities, sent_inputs


def schedule(
    program: Program,
    activity: Sequence[Activity],
    *,
    source_gaps: Sequence[int] = (),
    sink_gaps: Sequence[int] = (),
    reads: bool = True,
) -> Schedule:
    """Predict the schedule of a run that starts on an idle core.

    Parameters
    ----------
    program
        The mapped network.
    activity
        The samples, in order.
    source_gaps
        Cycles that the source waits before it offers word *k*, counted from the cycle after word
        *k - 1* was accepted; 0 beyond the end.
    sink_gaps
        Cycles that the sink waits likewise before it is ready for answer word *k*.
    reads
        Also list every weight-row read and lane-cycle (skip them to save memory).
    """
    model = serial.SerialModel if program.config.serial else parallel.ParallelModel
    return model(program, activity, source_gaps, sink_gaps, reads).run()


def store_latency(config: CoreConfig) -> int:
    """Cycles from the one in which a tile's last event is picked to the one in which its spikes are stored."""
    return (serial if config.serial else parallel).store_latency(config)


__all__ = ["Activity", "Schedule", "activities", "schedule", "sent_inputs", "store_latency"]
