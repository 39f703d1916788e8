# SPDX-License-Identifier: Apache-2.0
"""NIR graphs in: what every node becomes, which graphs are chains of layers, and what is refused by name.

The nodes are stand-ins with the package's class and field names, so that this runs without it; that the package's own
nodes give the same is in ``test_files.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hysteron_convert import FloatNetwork, Timing, from_nir
from hysteron_spec import Readout, Reset
from support.convert import chain, graph, input_of, lif, linear, node, output_of
from support.refusal import refusal

DT = 1e-4


def imported(made: Any, **options: Any) -> FloatNetwork:
    return from_nir(made, **{"dt": DT, "reset": "zero", **options})


def one_layer(neuron: Any, **options: Any) -> Any:
    """The layer of ``neuron``, two of them, behind the matrix ``[[1, 2], [3, 4]]`` (outputs first)."""
    return imported(chain((2,), ("fc", linear([1, 2], [3, 4])), ("n", neuron)), **options).layers[0]


def test_by_hand() -> None:
    """With tau = 0.4 ms at dt = 0.1 ms: beta = 3/4, dt/tau = 1/4, r dt/tau = 2.

    Neuron 0 with v_leak = 1, v_reset = 0.5 has, counted from its reset potential, θ = 2 - 0.5 = 1.5 and gains
    (1 - 0.5)/4 = 0.125 a step; weights double: 2 and 4 from inputs 0 and 1.
    """
    neuron = node("LIF", tau=[4e-4, 4e-4], r=[8, 8], v_leak=[1, 0], v_threshold=[2, 7], v_reset=[0.5, 0.5])
    network = imported(chain((2,), ("fc", linear([1, 2], [3, 4])), ("n", neuron)))
    layer = network.layers[0]
    assert layer.beta.tolist() == [0.75, 0.75]
    assert layer.weights.tolist() == [[2, 6], [4, 8]]
    assert layer.threshold.tolist() == [1.5, 6.5]
    assert layer.bias.tolist() == [0.125, -0.125]
    assert layer.start is not None and layer.start.tolist() == [-0.5, -0.5]
    assert "the hardware starts a sample at v_reset (0.5)" in network.remarks[0]
    # v starts at 0. Step 1, input 0 fires: v = 0 + (1 - 0)/4 + 2 = 2.25 > 2, fires, v = 0.5.
    # Step 2, nothing: v = 0.5 + (1 - 0.5)/4 = 0.625. Step 3, both: v = 0.625 + 0.375/4 + 6 = 6.71875, fires.
    # Neuron 1: 6 (not above 7); 6 · 3/4 = 4.5; 3.375 + 6 + 8 = 17.375, fires.
    result = network.run(np.array([[[1, 0], [0, 0], [1, 1]]]), trace=True)
    assert result.spikes is not None and result.potentials is not None
    assert result.spikes[0][0].astype(int).tolist() == [[1, 0], [0, 0], [1, 1]]
    assert (result.potentials[0][0] + 0.5).tolist() == [[0.5, 6.0], [0.625, 4.5], [0.5, 0.5]]
    assert result.values.tolist() == [[2, 1]] and result.predictions.tolist() == [0]


@pytest.mark.parametrize(
    ("neuron", "expected"),
    [
        (lif(), {"beta": 0.5, "gain": 1, "threshold": 1}),
        (lif(tau=np.full(2, 1e-4)), {"beta": 0, "gain": 2, "threshold": 1}),
        (lif(tau=np.full(2, 1e-4 * (1 - 1e-8))), {"beta": 0, "gain": 2, "threshold": 1}),
        (lif(r=np.full(2, 2 * (1 + 1e-7))), {"beta": 0.5, "gain": 1, "threshold": 1}),
        (lif(tau=np.full(2, np.inf)), {"beta": 1, "gain": 0, "threshold": 1}),
        (node("IF", r=[1e4, 2e4], v_threshold=[1, 1], v_reset=None), {"beta": 1, "gain": [1, 2], "threshold": 1}),
        (node("IF", r=[1e4, 1e4], v_threshold=[3, 3], v_reset=[1, 1]), {"beta": 1, "gain": 1, "threshold": 2}),
        (node("LI", tau=[2e-4, 4e-4], r=[2, 4], v_leak=[0, 0]), {"beta": [0.5, 0.75], "gain": 1, "threshold": np.inf}),
        (node("I", r=[1e4, 1e4]), {"beta": 1, "gain": 1, "threshold": np.inf}),
        (node("Threshold", threshold=[0.5, 0.25]), {"beta": 0, "gain": 1, "threshold": [0.5, 0.25]}),
        (
            node(
                "CubaLIF",
                tau_syn=[1e-4, 1e-4],
                tau_mem=[2e-4, 2e-4],
                r=[2, 2],
                v_leak=[0, 0],
                v_threshold=[1, 1],
                v_reset=[0, 0],
                w_in=[3, 3],
            ),
            {"beta": 0.5, "gain": 3, "threshold": 1},
        ),
        (
            node("CubaLI", tau_syn=[1e-4, 1e-4], tau_mem=[2e-4, 2e-4], r=[2, 2], v_leak=[0, 0], w_in=[3, 3]),
            {"beta": 0.5, "gain": 3, "threshold": np.inf},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_neuron(neuron: Any, expected: dict[str, Any]) -> None:
    layer = one_layer(neuron)
    assert np.allclose(layer.beta, expected["beta"], rtol=0, atol=1e-15)
    assert np.allclose(layer.weights, np.array([[1, 3], [2, 4]]) * expected["gain"], rtol=1e-15)
    assert np.allclose(layer.threshold, expected["threshold"], rtol=1e-15)
    assert not layer.bias.any()


def test_beta_1_as_snntorch_writes_it() -> None:
    neuron = lif(tau=np.full(2, np.inf), r=np.full(2, np.inf))
    network = imported(chain((2,), ("fc", linear([1, 2], [3, 4])), ("n", neuron)))
    assert network.layers[0].beta.tolist() == [1, 1]
    assert network.layers[0].weights.tolist() == [[1, 3], [2, 4]]
    assert "node 'n': tau and r are infinite, as snnTorch writes beta = 1" in network.remarks[0]


def test_linear_nodes_compose() -> None:
    """Affine, Scale, Flatten, Conv1d, Conv2d and both pools between the input and the neurons."""
    rng = np.random.default_rng(1)
    weight, kernel, line = (
        rng.integers(-4, 5, (3, 8)),
        rng.integers(-4, 5, (2, 1, 3, 3)),
        rng.integers(-4, 5, (4, 2, 2)),
    )
    conv = node("Conv2d", weight=kernel, bias=np.array([1, 2]), stride=1, padding=(1, 1), dilation=1, groups=1)
    conv.input_shape = None
    pool = node("AvgPool2d", kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=np.array([0, 0]))
    made = chain(
        (1, 4, 4),
        ("conv", conv),
        ("pool", pool),
        ("scale", node("Scale", scale=np.array([[[2.0]], [[4.0]]]))),
        ("flat", node("Flatten", start_dim=0, end_dim=-1)),
        ("fc", node("Affine", weight=weight, bias=np.array([1.0, 2.0, 3.0]))),
        ("n", lif(3)),
    )
    layer = imported(made).layers[0]
    assert layer.weights.shape == (16, 3)
    for index in range(16):
        x = np.zeros((1, 4, 4))
        x.flat[index] = 1
        padded = np.pad(x[0], 1)
        maps = np.array(
            [
                [[(padded[i : i + 3, j : j + 3] * kernel[c, 0]).sum() for j in range(4)] for i in range(4)]
                for c in (0, 1)
            ]
        )
        pooled = maps.reshape(2, 2, 2, 2, 2).mean(axis=(2, 4)) * np.array([2, 4])[:, None, None]
        assert (layer.weights[index] == weight @ pooled.reshape(-1)).all()
    bias = np.repeat([1 * 2, 2 * 4], 4)
    assert (layer.bias == weight @ bias + [1, 2, 3]).all()
    # One dimension, and a sum.
    made = chain(
        (2, 5),
        ("conv", node("Conv1d", weight=line, bias=np.zeros(4), stride=1, padding="valid", dilation=2, groups=1)),
        ("n", lif(12)),
    )
    assert imported(made).layers[0].weights.shape == (10, 12)
    summed = node("SumPool2d", kernel_size=2, stride=2, padding=0)
    made = chain((1, 2, 2), ("pool", summed), ("n", lif(1)))
    assert imported(made).layers[0].weights.tolist() == [[1]] * 4


def test_scalar_parameters_serve_all_neurons() -> None:
    neuron = lif(tau=np.array(2e-4), r=np.array(2.0), v_leak=np.array(0.0), v_threshold=np.array(1.0), v_reset=None)
    assert one_layer(neuron).beta.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("nested", [False, True])
def test_recurrence(nested: bool) -> None:
    """A cycle from a neuron through a matrix to itself acts on its spikes of the step before, nested or flat."""
    loop = node("Affine", weight=np.array([[0.0, 5.0], [7.0, 0.0]]), bias=np.array([0.25, 0.0]))
    if nested:
        inner = graph(
            {"input": input_of(2), "lif": lif(), "w_rec": loop, "output": output_of(2)},
            [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
        )
        made = chain((2,), ("fc", linear([1, 2], [3, 4])), ("rnn", inner))
    else:
        made = chain((2,), ("fc", linear([1, 2], [3, 4])), ("rnn.lif", lif()))
        made.nodes["rnn.w_rec"] = loop
        made.edges += [("rnn.lif", "rnn.w_rec"), ("rnn.w_rec", "rnn.lif")]
    network = imported(made)
    layer = network.layers[0]
    assert layer.name == "rnn.lif"
    assert layer.recurrent is not None and layer.recurrent.tolist() == [[0, 7], [5, 0]]
    assert layer.bias.tolist() == [0.25, 0]
    result = network.run(np.array([[[1, 0], [0, 0]]]), trace=True)
    assert result.potentials is not None and result.spikes is not None
    # Step 1: 1.25 and 3 fire and are reset. Step 2: 0.25 + 5 and 7.
    assert result.spikes[0].tolist() == [[[True, True], [True, True]]]


def test_parallel_linear_paths_add_up() -> None:
    made = chain((2,), ("fc", linear([1, 2], [3, 4])), ("n", lif()))
    made.nodes["side"] = linear([10, 0], [0, 10])
    made.edges += [("in", "side"), ("side", "n")]
    assert imported(made).layers[0].weights.tolist() == [[11, 3], [2, 14]]


def test_layers_in_the_order_of_the_edges() -> None:
    made = chain((2,), ("z", linear([1, 2], [3, 4])), ("b", lif()), ("y", linear([1, 1])), ("a", lif(1)))
    made.edges.reverse()
    network = imported(made, name="mine")
    assert [layer.name for layer in network.layers] == ["b", "a"]
    assert (network.shape, network.name, network.readout) == ("2-2-1", "mine", Readout.COUNT)


def test_neurons_without_a_matrix_between_them() -> None:
    network = imported(chain((2,), ("a", lif()), ("b", lif())))
    assert [layer.weights.tolist() for layer in network.layers] == [[[1, 0], [0, 1]]] * 2


def test_one_positive_factor_behind_the_last_neuron_changes_nothing() -> None:
    made = chain((2,), ("n", lif()), ("scale", node("Scale", scale=[3, 3])))
    assert imported(made).shape == "2-2"


def test_resets_and_read_outs() -> None:
    def two() -> Any:
        return chain((2,), ("a", lif()), ("b", lif()))

    network = imported(two(), reset={"": "subtract", "b": "none"})
    assert [layer.reset for layer in network.layers] == [Reset.SUBTRACT, Reset.NONE]
    assert network.readout is Readout.POTENTIAL and not network.layers[1].spiking
    assert imported(two(), reset="none", readout=Readout.FIRST).layers[1].spiking
    assert from_nir(chain((2,), ("n", node("I", r=[1e4, 1e4]))), dt=DT).readout is Readout.POTENTIAL
    assert from_nir(chain((2,), ("n", node("Threshold", threshold=[1, 1]))), dt=DT).readout is Readout.COUNT


@pytest.mark.parametrize(
    ("reference", "plain", "recurrent"),
    [
        ("nir", Timing.SAME_STEP, Timing.SAME_STEP),
        ("snntorch", Timing.SAME_STEP_GUARDED, Timing.SAME_STEP_GUARDED),
        ("snntorch-delayed", Timing.NEXT_STEP, Timing.NEXT_STEP_BLANKING),
    ],
)
def test_the_reference_may_reset_as_snntorch(reference: str, plain: Timing, recurrent: Timing) -> None:
    made = chain((2,), ("a", lif()), ("b", lif()))
    made.nodes["w"] = linear([1, 2], [3, 4])
    made.edges += [("b", "w"), ("w", "b")]
    layers = imported(made, reference=reference).layers
    assert [layer.timing for layer in layers] == [plain, recurrent]


def broken(change: Any) -> Any:
    """A chain of two layers that ``change`` has spoilt."""
    made = chain((2,), ("fc", linear([1, 2], [3, 4])), ("a", lif()), ("fc2", linear([1, 1])), ("b", lif(1)))
    change(made)
    return made


def drop_edge(made: Any) -> None:
    made.edges.remove(("fc", "a"))


def skip_connection(made: Any) -> None:
    made.nodes["skip"] = linear([1, 1])
    made.edges += [("in", "skip"), ("skip", "b")]


def feedback(made: Any) -> None:
    made.nodes["back"] = linear([1], [1])
    made.edges += [("b", "back"), ("back", "a")]


def fork(made: Any) -> None:
    made.nodes |= {"fc3": linear([1, 1]), "c": lif(1)}
    made.edges += [("a", "fc3"), ("fc3", "c")]


def linear_cycle(made: Any) -> None:
    made.nodes |= {"p": linear([1, 0], [0, 1]), "q": linear([1, 0], [0, 1])}
    made.edges += [("fc", "p"), ("p", "q"), ("q", "p"), ("p", "a")]


def two_inputs(made: Any) -> None:
    made.nodes["in2"] = input_of(2)


def no_output(made: Any) -> None:
    del made.nodes["out"]
    made.edges.pop()


def early_output(made: Any) -> None:
    made.edges[-1] = ("a", "out")


def linear_end(made: Any) -> None:
    made.nodes["fc3"] = linear([1], [2])
    made.edges[-1:] = [("b", "fc3"), ("fc3", "out")]


def dangling(made: Any) -> None:
    made.edges.append(("a", "nowhere"))


def alone(made: Any) -> None:
    made.nodes["lost"] = lif(1)


def put(name: str, other: Any) -> Any:
    def change(made: Any) -> None:
        made.nodes[name] = other

    return change


def nested_twice(made: Any) -> None:
    made.nodes["a"] = graph(
        {"x": input_of(2), "y": input_of(2), "n": lif(), "z": output_of(2)}, [("x", "n"), ("n", "z")]
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (drop_edge, "node 'a' is not reached from the input"),
        (skip_connection, "node 'b' is fed by 'a' and the input; a layer takes spikes of one layer before it"),
        (feedback, "node 'a' is fed by the input and 'b'"),
        (fork, "nodes 'b' and 'c' both listen to 'a'; the hardware runs layers in a chain"),
        (linear_cycle, "lies in a cycle without a neuron"),
        (two_inputs, "the graph must have one Input, not 2 (in, in2)"),
        (no_output, "the graph must have one Output, not 0 (none)"),
        (early_output, "the output is fed by 'a'; it must be the last layer 'b' alone"),
        (linear_end, "linear nodes lie between the last neurons 'b' and the output"),
        (dangling, "an edge ends at node 'nowhere', which does not exist"),
        (alone, "node 'lost' is not reached from the input"),
        (nested_twice, "graph 'a' must have one Input, not 2"),
        (put("in", node("Input", input_type={"input": None})), "node 'in' has no shape"),
        (
            put("fc", node("Delay", delay=[1, 1])),
            "node 'fc' is a Delay, which cannot be mapped: the hardware has no axonal",
        ),
        (
            put("fc", node("MaxPool2d")),
            "node 'fc' is a MaxPool2d, which cannot be mapped: the hardware has linear maps",
        ),
        (put("fc", linear([1, 2, 3], [4, 5, 6])), "node 'fc' takes 3 inputs, not 2"),
        (put("fc", linear([1, np.nan], [3, 4])), "weight of node 'fc' is not a number"),
        (
            put("fc", node("Linear", weight=np.zeros((2, 2, 2)))),
            "weight of node 'fc' must have shape (outputs, inputs)",
        ),
        (
            put("fc", node("Affine", weight=np.ones((2, 2)), bias=np.ones((2, 1)))),
            "node 'fc' has a bias of shape 2×1, it puts out 2",
        ),
        (put("fc", node("Scale", scale=[1, 2, 3])), "node 'fc' has factors of shape 3, its input has 2"),
        (put("a", lif(3)), "node 'a' has parameters of shape 3, its input has 2"),
        (put("a", lif(tau=np.full(2, 5e-5))), "node 'a' has tau = 5e-05 s, shorter than dt = 0.0001 s"),
        (put("a", lif(tau=np.array([1e-3, -1e-3]))), "tau of node 'a' must be positive, not -0.001 … 0.001"),
        (put("a", lif(r=np.array([1, np.inf]))), "r of node 'a' must be finite where tau is"),
        (put("a", lif(v_threshold=np.array([-1.0, 1.0]))), "threshold of node 'a' lies below its reset potential"),
        (
            put("a", lif(v_reset=np.array([2.0, 2.0]))),
            "threshold of node 'a' lies below its reset potential (-1 above it)",
        ),
        (
            put("a", node("LI", tau=[2e-4, 2e-4], r=[2, 2], v_leak=[0, 0])),
            "node 'a' only integrates, but 'b' listens to it",
        ),
        (
            put(
                "a",
                node(
                    "CubaLIF",
                    tau_syn=[5e-4, 1e-4],
                    tau_mem=[2e-4, 2e-4],
                    r=[2, 2],
                    v_leak=[0, 0],
                    v_threshold=[1, 1],
                    w_in=[1, 1],
                ),
            ),
            "node 'a' has tau_syn = 0.0001 … 0.0005 s; the hardware's synaptic current lasts one step",
        ),
    ],
)
def test_refused_graphs(change: Any, says: str) -> None:
    assert says in refusal(lambda: imported(broken(change)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dt": None}, "dt is missing: NIR has continuous time; give dt (--dt), the step in"),
        ({"dt": 0.0}, "dt must be a positive number of seconds, not 0"),
        ({"reset": None}, "the reset of node 'a' is missing: NIR does not know it"),
        ({"reset": {"a": "zero"}}, "the reset of node 'b' is missing"),
        ({"reset": "soft"}, "reset must be zero, subtract or none, not 'soft'"),
        ({"reset": {"": "zero", "c": "none"}}, "reset (--reset) names node 'c', the graph has in, fc, a, fc2, b, out"),
        ({"reference": "norse"}, "reference must be one of nir, snntorch, snntorch-delayed, not 'norse'"),
        ({"limit": 1}, "node 'in' has 2 inputs, more than 1 (--limit)"),
        ({"firing": "at"}, "firing must be one of above, at-or-above, not 'at'"),
        ({"stepping": "rk4"}, "stepping must be one of euler, exact, not 'rk4'"),
    ],
)
def test_refused_options(options: dict[str, Any], says: str) -> None:
    assert says in refusal(lambda: imported(broken(lambda _: None), **options))


def test_a_read_out_that_feeds_itself_is_refused() -> None:
    made = chain((2,), ("n", node("I", r=[1e4, 1e4])))
    made.nodes["w"] = linear([1, 2], [3, 4])
    made.edges += [("n", "w"), ("w", "n")]
    assert "node 'n' only integrates but feeds itself" in refusal(lambda: imported(made))


def test_potentials_from_different_reset_potentials_are_refused() -> None:
    made = chain((2,), ("n", lif(v_reset=np.array([0.0, 0.5]))))
    says = refusal(lambda: imported(made, readout=Readout.POTENTIAL))
    assert "v_reset of node 'n' differs between neurons" in says


def test_no_neuron() -> None:
    assert "the graph has no neuron" in refusal(lambda: imported(chain((2,), ("fc", linear([1, 2])))))
