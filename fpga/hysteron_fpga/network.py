"""The network whose speed and accuracy a board's report states."""

import json
from pathlib import Path

import hysteron_networks
from hysteron_data.sets import load_data_set
from hysteron_golden import run, schedule
from hysteron_golden.schedule import activities, sent_inputs
from hysteron_spec import CoreConfig, compile_network, load

#: Images, evenly from the whole set, of which the schedule model gives the mean.
IMAGES = 500


def shipped(name: str) -> Path:
    """The file of the network of that name that comes with the project."""
    return hysteron_networks.path(name)


def cycles_per_image(network: Path, data: str, core: CoreConfig) -> float:
    """Mean cycles that a core takes for an image of a stream, by the schedule model.

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
    counters = schedule(program, activities(result, sent_inputs(program, result, samples)), reads=False).counters
    return float(counters["CYCLES"] / len(samples))


def recorded_accuracy(network: Path) -> float | None:
    """The accuracy, 0 to 1, of golden on the whole test set, as the record beside the network's file states it."""
    record = network.with_suffix(".json")
    return json.loads(record.read_text()).get("accuracy_integer") if record.exists() else None
