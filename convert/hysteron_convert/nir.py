# SPDX-License-Identifier: Apache-2.0
"""NIR graphs and files in: ``dt`` and the reset come from the user, everything else from the graph."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hysteron_base.errors import HysteronError, require
from hysteron_spec import Readout, Reset

from .graph import Tracer, finish, flatten
from .libraries import library
from .linear import LIMIT, size_of, text_of
from .metadata import KEY, NetworkFacts, network_facts
from .model import FloatNetwork, Timing, reset_of
from .nodes import Neuron, translate

#: What the float reference may follow, see :func:`from_nir`.
REFERENCES = ("nir", "snntorch", "snntorch-delayed")
#: Potentials that fire, see :func:`from_nir`.
FIRINGS = ("above", "at-or-above")
#: How the continuous equations are stepped, see :func:`from_nir`.
STEPPINGS = ("euler", "exact")

#: Parameters of neuron nodes that have a value for each neuron.
_PARAMETERS = ("tau", "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in")
#: Other files that hold networks, by their endings, and what to do with them.
_NO_NIR = {
    ".hyn": "a network file of Hysteron, which needs no import: give it to 'hysteron info', 'sim' or 'run' as it is",
    **dict.fromkeys(
        (".pt", ".pth"),
        "a file of PyTorch, which holds weights but no graph; load it into its module in Python and give that to "
        "hysteron_convert.import_network",
    ),
}


class MissingOptionError(HysteronError):
    """What a NIR file does not know was not given.

    Attributes
    ----------
    example
        Options of ``hysteron import``, by the names of its parameters, with which it could go on.
    """

    def __init__(self, message: str, example: dict[str, str]) -> None:
        super().__init__(message)
        self.example = example


def read_nir(path: str | Path, limit: int = LIMIT) -> Any:
    """The graph in a NIR file.

    Parameters
    ----------
    path
        The file.
    limit
        No array in it may have more than ``limit**2`` elements; a small file can claim a huge one.

    Raises
    ------
    HysteronError
        If the file is missing or is no NIR file, an array is too large, or the package ``nir`` is missing.
    """
    path = Path(path)
    nir, h5py = library("nir"), library("h5py")
    require(path.exists(), f"NIR file {str(path)!r} does not exist; check the path")
    require(not path.is_dir(), f"{str(path)!r} is a folder, not a NIR file; check the path")
    # HDF5 goes back and forth in a file.
    require(path.is_file(), f"{str(path)!r} is a device or a pipe, not a NIR file; copy it to a file")
    require(path.suffix not in _NO_NIR, f"{str(path)!r} is {_NO_NIR.get(path.suffix, '')}")
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda name, item: _check_size(str(path), name, item, limit))
            data = library("nir.serialization").hdf2dict(file["node"])
        _spread(data)
        # Shapes are inferred here: nir 1.0.8 takes a kernel's height for its width and forgets groups.
        return nir.dict2NIRNode(data | {"type_check": False})
    except HysteronError:
        raise
    except MemoryError:
        raise HysteronError(
            f"{str(path)!r} holds more numbers than there is memory for; use a smaller network"
        ) from None
    except Exception as error:
        try:
            with h5py.File(path, "r") as file:
                kinds = _kinds(file["node"])
        except Exception:
            kinds = set()
        unknown = sorted(kind for kind in kinds if not hasattr(nir, kind))
        if unknown:
            raise HysteronError(
                f"{str(path)!r} has a node of type {unknown[0]!r}, which the package nir {nir.version} does not know; "
                "replace it with linear nodes and LIF neurons, or upgrade nir"
            ) from None
        reason = str(error).splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise HysteronError(
            f"{str(path)!r} is no NIR file or is damaged ({reason}); copy it again, or write the graph with nir.write"
        ) from None


def _check_size(path: str, name: str, item: Any, limit: int) -> None:
    """Refuse an array that is larger than any a network of ``limit`` can have, before it is read."""
    if hasattr(item, "dtype"):
        size = size_of(item.shape or ())
        require(
            size <= max(limit, 64) ** 2 and size * item.dtype.itemsize <= 16 * max(limit, 64) ** 2,
            f"{path!r} has {name.removeprefix('node/')!r} of {text_of(item.shape or ())} elements, more than "
            f"{limit} × {limit} (--limit); use a smaller network or raise the limit",
        )


def _spread(node: dict[str, Any]) -> None:
    """Give the parameters of each neuron node one shape: a single number is that of all neurons.

    The package refuses nodes with parameters of unlike shapes.
    """
    for part in node.get("nodes", {}).values():
        _spread(part)
    given = {name: np.asarray(node[name]) for name in _PARAMETERS if name in node}
    if "tau" in given or "tau_mem" in given or "r" in given:
        largest = max((values.shape for values in given.values()), key=size_of)
        node.update({name: np.full(largest, values) for name, values in given.items() if values.size == 1})


def _kinds(group: Any) -> set[str]:
    """Types of all nodes below an HDF5 group."""
    kinds: set[str] = set()
    for key, item in group.items():
        if key == "type" and hasattr(item, "shape"):
            value = item[()]
            kinds.add(value.decode() if isinstance(value, bytes) else str(value))
        elif hasattr(item, "items") and key != "metadata":
            kinds |= _kinds(item)
    return kinds


def from_nir(
    graph: Any,
    *,
    dt: float | None = None,
    reset: str | dict[str, str] | None = None,
    reference: str = "nir",
    firing: str = "above",
    stepping: str = "euler",
    readout: Readout | None = None,
    name: str = "network",
    limit: int = LIMIT,
) -> FloatNetwork:
    """A NIR graph as a float network.

    Parameters
    ----------
    graph
        A ``nir.NIRGraph``, as :func:`read_nir` or an exporter gives it.
    dt
        Length of a time step in seconds. NIR has continuous time, so the graph does not know it.
    reset
        ``zero``, ``subtract`` or ``none``, or one of them for each neuron node by name (the key ``""`` is for all
        others). The graph does not know it.
    reference
        How the float reference resets: ``nir`` as NIR says it (in the step of the spike, as the hardware does),
        ``snntorch`` as snnTorch does with ``reset_delay=False`` and ``snntorch-delayed`` as it does by default;
        see :class:`~hysteron_convert.model.Timing`. The integers do not depend on it, only how they are judged.
    firing
        Which potentials fire: those ``above`` the threshold, as NIR, snnTorch, Norse, Lava and the hardware have it, or
        those ``at-or-above`` it, as Sinabs, SpikingJelly and Rockpool have it. Between integers the second is a
        threshold that is lower by 1. The graph does not know it; files of Hysteron's own fire above.
    stepping
        How NIR's continuous equations are stepped: by ``euler``'s rule, a leak of ``1 - dt/tau``, as snnTorch,
        Norse and SpikingJelly compute, or ``exact``, their solution for an input that stays for the step, a leak of
        ``exp(-dt/tau)``, as Sinabs computes. The graph does not know it; files of Hysteron's own are
        stepped by Euler's rule.
    readout
        What the network answers with; None: potentials of a last layer that never resets, else spike counts.
    name
        For people.
    limit
        Inputs and neurons up to which a layer's matrix is made.

    Raises
    ------
    HysteronError
        If ``dt`` or ``reset`` is missing, or a node cannot be mapped, naming it.
    """
    facts = network_facts(getattr(graph, "metadata", {}))
    dt = _choose_dt(dt, facts)
    require(reference in REFERENCES, f"reference must be one of {', '.join(REFERENCES)}, not {reference!r}")
    require(firing in FIRINGS, f"firing must be one of {', '.join(FIRINGS)}, not {firing!r}")
    require(stepping in STEPPINGS, f"stepping must be one of {', '.join(STEPPINGS)}, not {stepping!r}")
    flat = flatten(graph)
    ends = []
    for kind in ("Input", "Output"):
        found = [key for key, node in flat.nodes.items() if type(node).__name__ == kind and "." not in key]
        require(len(found) == 1, f"the graph must have one {kind}, not {len(found)} ({', '.join(found) or 'none'})")
        ends.append(found[0])
    for source, target in flat.edges:
        require(
            target != ends[0],
            f"an edge leads from node {source!r} into the input {target!r}, which emits the network's input alone; "
            "remove the edge, or add its signal where the input is used",
        )
        require(
            source != ends[1], f"an edge leads from the output {source!r} to node {target!r}; nothing may follow it"
        )
    require(
        reset is None or isinstance(reset, (str, Mapping)),
        f"reset must be zero, subtract or none, or one of them for each node, not {reset!r}",
    )
    resets = {"": reset} if isinstance(reset, str) else dict(reset or {})
    for key in resets:
        require(
            not key or key in flat.nodes, f"reset (--reset) names node {key!r}, the graph has {', '.join(flat.nodes)}"
        )
    exact = stepping == "exact"
    meaning = {
        key: translate(key, node, dt, _choose_reset(key, node, resets), exact) for key, node in flat.nodes.items()
    }
    if firing == "at-or-above":
        meaning = {key: _at_threshold(node) for key, node in meaning.items()}
    tracer = Tracer(flat, meaning, ends[0], limit)
    tracer.infer_shapes(_input_shape(ends[0], flat.nodes[ends[0]], limit))

    def timing(node: Neuron, recurrent: bool) -> Timing:
        if reference == "nir" or node.facts is not None:
            return Timing.SAME_STEP
        if reference == "snntorch":
            return Timing.SAME_STEP_GUARDED
        return Timing.NEXT_STEP_BLANKING if recurrent or node.kind.startswith("Cuba") else Timing.NEXT_STEP

    layers = tracer.layers(ends[1], timing)
    remarks = [remark for node in meaning.values() if isinstance(node, Neuron) for remark in node.remarks]
    stated = [key for key, node in meaning.items() if isinstance(node, Neuron) and node.facts is not None]
    if firing == "at-or-above" and stated:
        remarks.append(f"the file states how {', '.join(stated)} fire itself: above the threshold")
    if exact and stated:
        remarks.append(f"the file states how {', '.join(stated)} are stepped itself: by Euler's rule")
    if resets and stated:
        remarks.append(f"the file states the reset of {', '.join(stated)} itself; the one given is not used there")
    if facts is None:
        return finish(layers, readout, name, tuple(remarks))
    network = finish(layers, readout or facts.readout, facts.name, tuple(remarks))
    return replace(network, encoder=facts.encoder, facts=facts)


def _choose_dt(dt: float | None, facts: NetworkFacts | None) -> float:
    if dt is None:
        if facts is None:
            raise MissingOptionError(
                "dt is missing: NIR has continuous time; give dt (--dt), the step in seconds; snnTorch writes 1e-4",
                {"dt": "1e-4", "resets": "zero"},
            )
        return facts.dt
    number = isinstance(dt, (int, float, np.integer, np.floating)) and not isinstance(dt, bool)
    require(number, f"dt must be a positive number of seconds, not {dt!r}")
    require(bool(np.isfinite(dt)) and dt > 0, f"dt must be a positive number of seconds, not {dt:g}")
    require(
        facts is None or bool(np.isclose(dt, facts.dt, rtol=1e-6)),
        f"dt is {dt:g} s, but the file was exported with {facts.dt if facts else 0:g} s; leave dt (--dt) away",
    )
    return facts.dt if facts is not None else float(dt)


def _choose_reset(name: str, node: Any, resets: dict[str, str]) -> Reset:
    """The reset of a node; nodes that never spike need none."""
    kind = type(node).__name__
    if kind not in ("LIF", "IF", "CubaLIF") or KEY in (getattr(node, "metadata", None) or {}):
        return Reset.NONE
    text = resets.get(name, resets.get(""))
    if text is None:
        raise MissingOptionError(
            f"the reset of node {name!r} is missing: NIR does not know it; give reset (--reset) zero, subtract or none",
            {"resets": "zero" if not resets else f"{name}=zero"},
        )
    return reset_of(text)


def _at_threshold(node: Any) -> Any:
    """A neuron that fires at its threshold, too; files of Hysteron's own say themselves how theirs fire."""
    if not isinstance(node, Neuron) or node.facts is not None or not np.isfinite(node.threshold).all():
        return node
    remarks = node.remarks
    if node.reset is Reset.SUBTRACT:
        remarks += (
            f"node {node.name!r} fires at its threshold, the hardware above it, and the threshold is taken off: each "
            "potential counts as one integer step lower than it is",
        )
    return replace(node, at_threshold=True, remarks=remarks)


def _input_shape(name: str, node: Any, limit: int) -> tuple[int, ...]:
    types = getattr(node, "input_type", None)
    value = types.get("input") if isinstance(types, dict) else None
    require(value is not None, f"node {name!r} has no shape; write it as nir.Input(shape of one sample in one step)")
    array = np.asarray(value).reshape(-1)
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "f" and bool((array == np.floor(array)).all()))
    shape = tuple(int(n) for n in array) if whole and bool(np.isfinite(array).all()) else ()
    require(
        bool(shape) and min(shape) > 0,
        f"node {name!r} must have a shape of positive whole numbers, not {' '.join(str(value).split())[:60]}",
    )
    require(
        size_of(shape) <= limit,
        f"node {name!r} has {size_of(shape)} inputs, more than {limit} (--limit); use a smaller network",
    )
    return shape
