# SPDX-License-Identifier: Apache-2.0
"""From a graph of nodes to layers in order.

Nested graphs are flattened; then, from each neuron backwards, the linear nodes up to the neurons that feed it are
composed (:class:`~hysteron_convert.linear.Signal`). A layer listens to one layer before it and, through a cycle, to
its own spikes of the step before; everything else is refused by name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from hysteron_base.errors import require
from hysteron_spec import Readout, Reset

from .linear import LIMIT, Floats, Linear, Shape, Signal, size_of
from .metadata import KEY
from .model import FloatLayer, FloatNetwork, Timing
from .nodes import Neuron

#: Name of the source that stands for the network's input.
INPUT = "the input"
#: How far a leak code may be from the one in the metadata: float32 in the file, and no more.
_CODE_SLACK = 1e-3
#: Graphs in graphs that are followed.
_DEEPEST = 100


@dataclass(frozen=True, eq=False)
class Flat:
    """A graph without nested graphs: nodes by name and edges between names."""

    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    @cached_property
    def sources(self) -> dict[str, list[str]]:
        """For each node those with an edge to it."""
        result: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            result[target].append(source)
        return result

    @cached_property
    def targets(self) -> dict[str, list[str]]:
        """For each node those that it has an edge to."""
        result: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            result[source].append(target)
        return result


def flatten(graph: Any) -> Flat:
    """``graph`` with the nodes of nested graphs as ``graph.node``; their own inputs and outputs hand on."""
    flat = Flat()
    _flatten(graph, "", flat, ())
    for source, target in flat.edges:
        for name in (source, target):
            require(
                name in flat.nodes,
                f"an edge ends at node {name!r}, which does not exist; add the node or remove the edge",
            )
    return flat


def _flatten(graph: Any, prefix: str, flat: Flat, around: tuple[int, ...]) -> None:
    """Add a graph to ``flat``; ``around`` has the identities of the graphs that it lies in."""
    where = f"graph {prefix.rstrip('.')!r}" if prefix else "the graph"
    require(id(graph) not in around, f"{where} contains itself; a graph in a graph must be another one")
    require(len(around) < _DEEPEST, f"graphs lie in each other more than {_DEEPEST} deep; write them as one graph")
    nodes, edges = getattr(graph, "nodes", None), getattr(graph, "edges", None)
    require(
        isinstance(nodes, Mapping) and all(isinstance(name, str) for name in nodes),
        f"{where} must have nodes by names, not a {type(nodes).__name__}",
    )
    require(isinstance(edges, Iterable), f"{where} must have a list of edges, not a {type(edges).__name__}")
    inner: dict[str, tuple[str, str]] = {}  # of each nested graph the names of its input and output
    for name, node in graph.nodes.items():
        if type(node).__name__ != "NIRGraph":
            require(
                prefix + name not in flat.nodes, f"two nodes are called {prefix + name!r} where graphs are flattened"
            )
            flat.nodes[prefix + name] = node
            continue
        ends = []
        for kind in ("Input", "Output"):
            found = [key for key, part in node.nodes.items() if type(part).__name__ == kind]
            require(
                len(found) == 1,
                f"graph {prefix + name!r} must have one {kind}, not {len(found)}; split it into graphs of one each",
            )
            ends.append(f"{prefix}{name}.{found[0]}")
        inner[name] = (ends[0], ends[1])
        _flatten(node, f"{prefix}{name}.", flat, (*around, id(graph)))
    for edge in graph.edges:
        require(
            isinstance(edge, (tuple, list)) and len(edge) == 2,
            f"an edge of {where} must be two names of nodes, not {' '.join(repr(edge).split())[:60]}",
        )
    # Whether a duplicate edge counts once or twice nobody could tell; NIR's own check refuses it, too.
    seen: set[tuple[str, str]] = set()
    for source, target in ((str(a), str(b)) for a, b in graph.edges):
        require(
            (source, target) not in seen,
            f"{where} has two edges from {source!r} to {target!r}, which NIR does not allow; remove one, and double "
            "the weights if both are to count",
        )
        seen.add((source, target))
        flat.edges.append(
            (
                inner[source][1] if source in inner else prefix + source,
                inner[target][0] if target in inner else prefix + target,
            )
        )


@dataclass
class Tracer:
    """Composes the linear part of a flat graph.

    ``meaning`` holds what each node is: a linear map, a neuron, or None if it hands on.
    """

    flat: Flat
    meaning: dict[str, Linear | Neuron | None]
    start: str
    limit: int = LIMIT
    shapes: dict[str, Shape] = field(default_factory=dict)
    _signals: dict[str, Signal] = field(default_factory=dict)

    def infer_shapes(self, given: Shape) -> None:
        """Shape of what each node emits, from the input's on."""
        self.shapes = {self.start: given}
        waiting = [self.start]
        while waiting:
            name = waiting.pop()
            for target in self.flat.targets[name]:
                if target not in self.shapes:
                    self.shapes[target] = self._emitted(target, self.shapes[name])
                    waiting.append(target)
        lost = [name for name in self.flat.nodes if name not in self.shapes]
        require(not lost, f"node {next(iter(lost), '')!r} is not reached from the input; remove it or connect it")

    def _emitted(self, name: str, given: Shape) -> Shape:
        node = self.meaning[name]
        if node is None:
            return given
        if isinstance(node, Neuron):
            if size_of(node.shape) == size_of(given) and len(node.shape) == 1:
                return node.shape
            node.layout(given)
            return given
        return node.shape(given)

    def into(self, name: str) -> Signal:
        """What flows into node ``name``."""
        sources = self.flat.sources[name]
        require(bool(sources), f"node {name!r} is fed by nothing; connect it")
        for source in sources:
            self._compose(source)
        total = self._taken(sources[0])
        for source in sources[1:]:
            total = total.plus(self._taken(source), name)
        return total

    def _emits_itself(self, name: str) -> bool:
        return name == self.start or isinstance(self.meaning[name], Neuron)

    def _taken(self, name: str) -> Signal:
        """What node ``name`` emits: itself if it is a neuron or the input, else what was composed of it."""
        if self._emits_itself(name):
            return Signal.of(INPUT if name == self.start else name, self.shapes[name])
        # A matrix that nobody else needs is not kept: a long chain would fill the memory.
        return self._signals.pop(name) if len(self.flat.targets[name]) == 1 else self._signals[name]

    def _compose(self, name: str) -> None:
        """Make the signal of node ``name``, after those that it needs; without recursion, as chains may be long."""
        if self._emits_itself(name) or name in self._signals:
            return
        path = {name: None}  # a dictionary keeps the order
        while path:
            at = next(reversed(path))
            missing = (
                source
                for source in self.flat.sources[at]
                if not self._emits_itself(source) and source not in self._signals
            )
            needed = next(missing, None)
            if needed is None:
                node = self.meaning[at]
                signal = self.into(at)
                assert not isinstance(node, Neuron)
                self._signals[at] = signal if node is None else signal.through(node, self.limit)
                del path[at]
            else:
                require(
                    needed not in path,
                    f"node {needed!r} lies in a cycle without a neuron; put a neuron into it or cut it",
                )
                path[needed] = None

    def layers(self, end: str, timing: Callable[[Neuron, bool], Timing]) -> tuple[FloatLayer, ...]:
        """The layers from the input to node ``end``.

        ``timing`` says for a neuron, and whether its layer is recurrent, when its reset acts.
        """
        follower: dict[str, str] = {}
        drives: dict[str, Signal] = {}
        for name, node in self.meaning.items():
            if not isinstance(node, Neuron):
                continue
            drives[name] = self.into(name)
            others = [source for source in drives[name].terms if source != name]
            require(
                len(others) == 1,
                f"node {name!r} is fed by {_listed(others) or 'no layer before it'}; a layer takes spikes of one layer "
                "before it and of its own: make it a chain",
            )
            require(
                others[0] not in follower,
                f"nodes {follower.get(others[0])!r} and {name!r} both listen to {_listed(others)}; "
                "the hardware runs layers in a chain: join the two into one node",
            )
            follower[others[0]] = name
        result = []
        at = INPUT
        while at in follower:
            at = follower.pop(at)
            node = self.meaning[at]
            assert isinstance(node, Neuron)
            result.append(make_layer(node, drives[at], at, self.limit, timing(node, at in drives[at].terms)))
        require(not follower, f"node {next(iter(follower.values()), '')!r} lies in a cycle of several layers; cut it")
        require(bool(result), "the graph has no neuron; add at least one spiking node or an integrator")
        self._check_end(end, at)
        return tuple(result)

    def _check_end(self, end: str, last: str) -> None:
        """Refuse linear nodes behind the last neuron, unless they change no decision."""
        signal = self.into(end)
        require(
            list(signal.terms) == [last],
            f"the output is fed by {_listed(signal.terms)}; it must be the last layer {last!r} alone",
        )
        values = signal.terms[last]
        if values is None and not signal.constant.any():
            return
        matrix = signal.matrix(last)
        factor = matrix[0, 0]
        require(
            factor > 0 and not signal.constant.any() and np.array_equal(matrix, factor * np.eye(len(matrix))),
            f"linear nodes lie between the last neurons {last!r} and the output; "
            "end the graph with a neuron: an I or LI integrates what a linear node emits",
        )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(name if name == INPUT else repr(name) for name in names)


def make_layer(node: Neuron, drive: Signal, source: str, limit: int, timing: Timing) -> FloatLayer:
    """The layer of ``node``, driven by ``drive``; ``source`` is what its own spikes are called there."""
    shape = drive.shape
    n = size_of(shape)
    require(n <= limit, f"node {node.name!r} has {n} neurons, more than {limit}; use a smaller network")

    def each(values: Floats) -> Floats:
        # Some parameters may be one number where others are not; those that are not have one shape.
        laid = values.reshape(node.layout(shape) if values.size > 1 else ())
        return np.array(np.broadcast_to(laid, shape).reshape(-1), np.float64)

    gain = each(node.gain)
    before = next(name for name in drive.terms if name != source)
    require(
        source not in drive.terms or bool(np.isfinite(node.threshold).all()),
        f"node {node.name!r} only integrates but feeds itself; only spikes travel: replace it with a spiking node",
    )
    rows = len(values) if (values := drive.terms[before]) is not None else n
    require(rows <= limit, f"node {node.name!r} has {rows} inputs, more than {limit}; use a smaller network")
    start = each(node.start)
    layer = FloatLayer(
        name=node.name,
        weights=drive.matrix(before) * gain,
        bias=drive.constant * gain + each(node.drift),
        beta=each(node.beta),
        threshold=each(node.threshold),
        reset=node.reset,
        timing=timing,
        recurrent=drive.matrix(source) * gain if source in drive.terms else None,
        start=start if start.any() else None,
        at_threshold=node.at_threshold and bool(np.isfinite(node.threshold).all()),
    )
    facts = node.facts
    if facts is None:
        return layer
    codes = layer.beta * (1 << facts.leak_bits)
    require(
        len(facts.leak) == n
        and bool(np.allclose(codes, facts.leak, rtol=0, atol=_CODE_SLACK))
        and bool((layer.threshold[np.isfinite(layer.threshold)] == facts.theta_high).all()),
        f"node {node.name!r} was changed after it was exported: its tau or threshold is not what its metadata "
        f"{KEY!r} says; remove that key from the node's metadata, and give its reset (--reset)",
    )
    return replace(layer, mode=facts.mode, theta_low=float(facts.theta_low), facts=facts)


def finish(
    layers: tuple[FloatLayer, ...], readout: Readout | None, name: str, remarks: tuple[str, ...]
) -> FloatNetwork:
    """The network of ``layers``; where nothing says otherwise potentials are read of neurons that never reset."""
    last = layers[-1]
    if readout is None:
        # Without memory (beta 0) there is nothing that a reset could take away.
        quiet = not np.isfinite(last.threshold).all() or (last.reset is Reset.NONE and bool(last.beta.any()))
        readout = Readout.POTENTIAL if quiet else Readout.COUNT
    if readout is Readout.POTENTIAL:
        require(
            last.start is None or len(set(last.start)) == 1,
            f"v_reset of node {last.name!r} differs between neurons, so the potentials that are read could not be "
            "compared; give one v_reset",
        )
        if last.reset is Reset.NONE and np.isfinite(last.threshold).all() and last.facts is None:
            # Its spikes are not read and reset nothing: without them the scale of the potentials is free.
            layers = (*layers[:-1], replace(last, threshold=np.full(last.n_out, np.inf), at_threshold=False))
    return FloatNetwork(layers, readout=readout, name=name, remarks=remarks)
