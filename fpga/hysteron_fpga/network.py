# SPDX-License-Identifier: Apache-2.0
"""The network whose speed and accuracy a board's report states."""

from pathlib import Path

import hysteron_networks
from hysteron_data.sets import load_data_set
from hysteron_golden import run, schedule
from hysteron_golden.schedule import activities, sent_inputs
from hysteron_measure.record import read_record, record_of
from hysteron_measure.timing import mean_cycles
from hysteron_spec import CoreConfig, compile_network, load

#: Images, evenly from the whole set, of which the schedule model gives the mean.
IMAGES = 500


def shipped(name: str) -> Path:
    """The file of the network of that name that comes with the project."""
    return hysteron_networks.path(name)


def cycles_per_image(network: Path, data: str, core: CoreConfig) -> float:
    """The mean over a stream of images of the cycles that a core takes (:func:`hysteron_measure.timing.mean_cycles`).

    It comes from the schedule model. The median of the cycles of single images is another figure.

    Parameters
    ----------
    network
        The file of the network.
    data
        A data set by name, or an ``.npz`` file; :data:`IMAGES` of its samples are taken.
    core
        The core that the network runs on.

    Raises
    ------
    MissingDataError
        If the files of a named set are not there; the network has been checked by then.
    HysteronError
        If the network does not fit the core, or the data are not for it.
    """
    wanted = load(network)
    program = compile_network(wanted, core)
    inputs = load_data_set(data).inputs
    samples = inputs[:: max(1, len(inputs) // IMAGES)]
    result = run(wanted, samples, trace=True)
    return mean_cycles(schedule(program, activities(result, sent_inputs(program, result, samples)), reads=False))


def recorded_accuracy(network: Path, data: str) -> float | None:
    """The accuracy, 0 to 1, of golden on the whole test set, as the record beside the network's file states it.

    None if there is no record, or if it is about another data set than ``data``.
    """
    path = record_of(network)
    if not path.exists():
        return None
    record = read_record(path)
    return record.accuracy_integer if record.dataset == data else None
