# SPDX-License-Identifier: Apache-2.0
"""Graphs that are long, deep, closed in themselves or badly joined: each read, or refused in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hysteron_convert import FloatNetwork, from_nir
from support.convert import chain, graph, input_of, lif, linear, node, output_of
from support.refusal import refusal


def imported(made: Any, **options: Any) -> FloatNetwork:
    return from_nir(made, **{"dt": 1e-4, "reset": "zero", **options})


def test_a_long_chain_of_linear_nodes() -> None:
    parts = [(f"fc{k}", linear([0, 1], [1, 0])) for k in range(2001)]
    layer = imported(chain((2,), *parts, ("n", lif()))).layers[0]
    assert layer.weights.tolist() == [[0, 1], [1, 0]]


def test_a_long_cycle_without_a_neuron_is_refused() -> None:
    made = chain((2,), *[(f"fc{k}", linear([0, 1], [1, 0])) for k in range(1500)], ("n", lif()))
    made.edges.append(("fc1400", "fc2"))
    assert "lies in a cycle without a neuron" in refusal(lambda: imported(made))


def nest(depth: int) -> Any:
    inner: Any = lif()
    for _ in range(depth):
        inner = graph({"i": input_of(2), "x": inner, "o": output_of(2)}, [("i", "x"), ("x", "o")])
    return chain((2,), ("x", inner))


def test_deep_nesting() -> None:
    assert imported(nest(50)).shape == "2-2"
    assert "graphs lie in each other more than 100 deep" in refusal(lambda: imported(nest(400)))


def test_a_graph_that_contains_itself_is_refused() -> None:
    made = nest(1)
    made.nodes["x"].nodes["x"] = made.nodes["x"]
    assert "graph 'x.x' contains itself" in refusal(lambda: imported(made))


def test_edges_into_the_input_and_out_of_the_output_are_refused() -> None:
    made = chain((2,), ("n", lif()))
    made.nodes["w"] = linear([1, 0], [0, 1])
    made.edges += [("n", "w"), ("w", "in")]
    assert "an edge leads from node 'w' into the input 'in'" in refusal(lambda: imported(made))
    made.edges[-1:] = [("out", "w")]
    assert "an edge leads from the output 'out' to node 'w'" in refusal(lambda: imported(made))


def test_two_edges_between_two_nodes_are_refused() -> None:
    """Do they count once or twice? NIR's own check refuses them."""
    made = chain((2,), ("fc", linear([1, 0], [0, 1])), ("n", lif()))
    made.edges.insert(1, made.edges[0])
    assert "the graph has two edges from 'in' to 'fc', which NIR does not allow; remove one" in refusal(
        lambda: imported(made)
    )
    inner = nest(1)
    inner.nodes["x"].edges.append(["i", "x"])
    assert "graph 'x' has two edges from 'i' to 'x'" in refusal(lambda: imported(inner))


def test_names_that_meet_where_graphs_are_flattened_are_refused() -> None:
    made = nest(1)
    made.nodes["x.x"] = lif()
    assert "two nodes are called 'x.x' where graphs are flattened" in refusal(lambda: imported(made))


@pytest.mark.parametrize("edge", [("in",), "in", None, ("in", "n", 3)])
def test_edges_that_are_no_pairs_are_refused(edge: Any) -> None:
    made = chain((2,), ("n", lif()))
    made.edges.append(edge)
    assert "an edge of the graph must be two names of nodes" in refusal(lambda: imported(made))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("nodes", None, "the graph must have nodes by names, not a NoneType"),
        ("nodes", {3: lif()}, "the graph must have nodes by names, not a dict"),
        ("edges", None, "the graph must have a list of edges, not a NoneType"),
        ("metadata", "text", "metadata of the graph must be named values, not a str"),
    ],
)
def test_what_is_no_graph_is_refused(field: str, value: Any, says: str) -> None:
    made = chain((2,), ("n", lif()))
    setattr(made, field, value)
    assert says in refusal(lambda: imported(made))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dt": "1e-4"}, "dt must be a positive number of seconds, not '1e-4'"),
        ({"dt": True}, "dt must be a positive number of seconds, not True"),
        ({"reset": 3}, "reset must be zero, subtract or none, or one of them for each node, not 3"),
        ({"reset": {"n": 3}}, "reset must be zero, subtract or none, not 3"),
    ],
)
def test_options_of_another_type_are_refused(options: dict[str, Any], says: str) -> None:
    assert says in refusal(lambda: imported(chain((2,), ("n", lif())), **options))


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ([np.nan], "node 'in' must have a shape of positive whole numbers, not [nan]"),
        ([2.5], "positive whole numbers, not [2.5]"),
        ("text", "positive whole numbers, not text"),
        ([0, 2], "positive whole numbers"),
        ([-1, -2], "positive whole numbers"),
        ([], "positive whole numbers"),
        ([2**40, 2**40], "node 'in' has 1208925819614629174706176 inputs, more than 8192 (--limit)"),
        ([1e300], "inputs, more than 8192 (--limit)"),
    ],
)
def test_shapes_of_the_input_that_are_refused(shape: Any, says: str) -> None:
    made = chain((2,), ("n", lif()))
    made.nodes["in"] = node("Input", input_type={"input": np.array(shape)})
    assert says in refusal(lambda: imported(made))
