# SPDX-License-Identifier: Apache-2.0
"""What parameters of NIR nodes mean: shapes, resets, which potentials fire; and which values are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hysteron_convert import FloatNetwork, from_nir, quantise
from hysteron_golden import run
from hysteron_spec import Potential
from support.convert import chain, lif, linear, node, spikes
from support.refusal import refusal

DT = 1e-4
EXACT = {"stepping": "exact"}


def imported(made: Any, **options: Any) -> FloatNetwork:
    return from_nir(made, **{"dt": DT, "reset": "zero", **options})


@pytest.mark.parametrize("v_reset", [0.0, -0.5, 0.25])
def test_a_reset_by_subtraction_takes_off_the_threshold(v_reset: float) -> None:
    """The rule is u - θ from 0 on, whatever v_reset is; eighths, so that float64 is exact."""
    weights = np.random.default_rng(1).integers(-2, 8, (4, 6)) / 8
    made = chain((6,), ("fc", node("Linear", weight=weights)), ("n", lif(4, v_reset=np.full(4, v_reset))))
    network = imported(made, reset="subtract")
    inputs = spikes(2, 20, 30, 6)
    got = network.run(inputs, trace=True)
    u = np.zeros((20, 4))
    for t in range(30):
        u = 0.5 * u + inputs[:, t] @ weights.T
        fired = u > 1
        u = u - fired
        assert got.spikes is not None and (got.spikes[0][:, t] == fired).all()
    assert [remark for remark in network.remarks if "v_reset" in remark] == (
        [f"node 'n': v_reset is {v_reset:g} and not used, as a reset by subtraction takes off the threshold"]
        if v_reset
        else []
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), leaky=st.booleans(), reset=st.sampled_from(["zero", "none"]))
def test_firing_at_the_threshold_is_exact_between_integers(seed: int, leaky: bool, reset: str) -> None:
    """Small integers, so that potentials meet the threshold often; leak 1 (IF) or 0 (tau = dt)."""
    rng = np.random.default_rng(seed)
    weights, theta = rng.integers(-3, 4, (3, 4)), rng.integers(1, 5)
    ones = np.ones(3)
    neuron = (
        node("LIF", tau=DT * ones, r=ones, v_leak=0 * ones, v_threshold=theta * ones, v_reset=0 * ones)
        if leaky
        else node("IF", r=ones / DT, v_threshold=theta * ones, v_reset=0 * ones)
    )
    made = chain((4,), ("fc", node("Linear", weight=weights)), ("n", neuron))
    network = imported(made, reset=reset, firing="at-or-above", readout=None)
    inputs = (rng.random((5, 12, 4)) < 0.5).astype(np.uint8)
    u = np.zeros((5, 3))
    wanted = np.zeros((5, 12, 3), bool)
    for t in range(12):
        u = (0 if leaky else 1) * u + inputs[:, t] @ weights.T
        wanted[:, t] = u >= theta
        if reset == "zero":
            u = np.where(wanted[:, t], 0, u)
    if network.layers[0].spiking:
        traced = network.run(inputs, trace=True).spikes
        assert traced is not None and (traced[0] == wanted).all()
        integers = quantise(network, weight_bits=4, potential=Potential(16)).network
        assert integers.layers[0].theta_high == theta - 1
        golden = run(integers, inputs, trace=True).spikes
        assert golden is not None and (golden[0] == wanted).all()


def test_firing_at_the_threshold_by_hand() -> None:
    """Weight 1, threshold 2: a neuron that fires at 2 fires every second step, one that fires above every third."""
    made = chain((1,), ("fc", linear([1])), ("n", node("IF", r=[1e4], v_threshold=[2], v_reset=[0])))
    ones = np.ones((1, 6, 1), np.uint8)

    def counts(**options: Any) -> float:
        return float(imported(made, **options).run(ones).values[0, 0])

    assert (counts(firing="at-or-above"), counts(firing="above"), counts()) == (3, 2, 2)
    subtracted = imported(made, reset="subtract", firing="at-or-above")
    assert "each potential counts as one integer step lower than it is" in subtracted.remarks[0]
    assert quantise(subtracted).network.layers[0].theta_high == 2  # what is taken off must be right
    zero = chain((1,), ("fc", linear([1])), ("n", node("IF", r=[1e4], v_threshold=[0], v_reset=[0])))
    assert "must be above 0 where a potential that is equal to it fires" in refusal(
        lambda: imported(zero, firing="at-or-above")
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_exact_stepping_is_the_solution_of_the_equation(seed: int) -> None:
    """Against the equation itself, integrated in 20,000 small steps over one, and against the solution in other terms.

    dt may be longer than tau.
    """
    rng = np.random.default_rng(seed)
    tau, r, v_leak = rng.uniform(2e-5, 1e-3, 3), rng.uniform(-2, 3, 3), rng.uniform(-1, 1, 3)
    weights = rng.normal(0, 1, (3, 2))
    neuron = lif(3, tau=tau, r=r, v_leak=v_leak, v_threshold=np.full(3, 2.0))
    made = chain((2,), ("fc", node("Linear", weight=weights)), ("n", neuron))
    layer = imported(made, reset="none", stepping="exact").layers[0]
    u, current = rng.uniform(-1, 1, 3), weights @ [1, 1]
    v = u.copy()
    for _ in range(20_000):
        v += DT / 20_000 * ((v_leak - v) + r * current) / tau
    got = layer.beta * u + layer.weights.sum(axis=0) + layer.bias
    assert np.allclose(got, v, atol=1e-3)
    rest = v_leak + r * current  # where the potential goes
    assert np.allclose(got, rest + (u - rest) * 2 ** (-DT / (tau * np.log(2))), atol=1e-12)


def test_the_exact_stepping_of_powers_of_two() -> None:
    """A tau of dt / ln 2 halves a potential in a step, and takes half of input and resting potential."""
    ones = np.ones(2)
    neuron = lif(tau=ones * 20 / np.log([2, 4]), r=ones, v_leak=0.5 * ones, v_threshold=ones)
    made = chain((2,), ("fc", linear([1, 2], [4, 8])), ("n", neuron))
    layer = imported(made, dt=20.0, stepping="exact").layers[0]
    assert np.allclose(layer.beta, [1 / 2, 1 / 4], rtol=1e-15)
    assert np.allclose(layer.weights, [[1 / 2, 3], [1, 6]], rtol=1e-15)
    assert np.allclose(layer.bias, [1 / 4, 3 / 8], rtol=1e-15)
    inputs = spikes(1, 20, 30, 2)
    got = imported(made, dt=20.0, stepping="exact").run(inputs, trace=True).spikes
    u = np.zeros((20, 2))
    for t in range(30):
        u = u * [1 / 2, 1 / 4] + inputs[:, t] @ [[1 / 2, 3], [1, 6]] + [1 / 4, 3 / 8]
        assert got is not None and (got[0][:, t] == (u > 1)).all()
        u[u > 1] = 0


def test_the_exact_stepping_resets_to_v_reset() -> None:
    """Potentials are counted from it, and leak to v_leak all the same."""
    made = chain((1,), ("fc", linear([0])), ("n", lif(1, v_reset=np.array([-0.5]), v_leak=np.array([0.25]))))
    layer = imported(made, stepping="exact").layers[0]
    assert np.allclose(layer.bias, 0.75 * (1 - np.exp(-0.5))) and layer.threshold == 1.5


@pytest.mark.parametrize("kind", ["IF", "I", "Threshold"])
def test_what_does_not_leak_is_stepped_alike(kind: str) -> None:
    made = chain((1,), ("n", node(kind, r=[2e4], v_threshold=[1], v_reset=[0], threshold=[1])))
    euler, exact = (imported(made, stepping=stepping).layers[0] for stepping in ("euler", "exact"))
    assert (euler.beta, euler.weights, euler.bias) == (exact.beta, exact.weights, exact.bias)


def test_extreme_time_constants_are_stepped_exactly() -> None:
    def layer(tau: float, r: float) -> Any:
        return imported(chain((1,), ("fc", linear([1])), ("n", lif(1, tau=np.array([tau]), r=np.array([r])))), **EXACT)

    slow = layer(1e14, 1e18)  # 1 - exp(-1e-18) would be 0
    assert slow.layers[0].beta == 1 and np.isclose(slow.layers[0].weights, 1.0)
    assert "loses less than 0.0001 of its potential" in slow.remarks[0]
    endless = layer(np.inf, np.inf)
    assert endless.layers[0].beta == 1 and endless.layers[0].weights == 1
    fast = layer(1e-300, 1.0)
    assert fast.layers[0].beta == 0 and fast.layers[0].weights == 1
    assert (
        "node 'n' keeps less than 0.0001 of its potential in a step (tau 1e-300 s, dt 0.0001 s); check"
        in (fast.remarks[0])
    )


@pytest.mark.parametrize("kind", ["CubaLIF", "CubaLI"])
def test_a_synaptic_current_is_not_stepped_exactly(kind: str) -> None:
    tau = {"tau_syn": np.array([DT]), "tau_mem": np.array([2 * DT])}
    fields = {"r": [2], "v_leak": [0], "v_threshold": [1], "v_reset": [0], "w_in": [1]}
    made = chain((1,), ("n", node(kind, **tau, **fields)))
    assert imported(made).layers[0].beta == 0.5
    assert f"node 'n' is a {kind}: solved exactly, its synaptic current lasts longer than the one step" in refusal(
        lambda: imported(made, **EXACT)
    )


def conv(channels: int) -> Any:
    """A convolution that hands each channel on."""
    weight = np.eye(channels).reshape(channels, channels, 1, 1)
    return node("Conv2d", weight=weight, bias=None, stride=1, padding=0, dilation=1, groups=1)


@pytest.mark.parametrize("shape", [(3,), (3, 1, 1), (1, 3, 1, 1)])
@pytest.mark.parametrize("kind", ["LIF", "IF", "Scale", "Threshold"])
def test_a_parameter_for_each_channel(kind: str, shape: tuple[int, ...]) -> None:
    values = np.array([1.0, 2.0, 4.0]).reshape(shape)
    if kind == "Scale":
        parts = [("x", node("Scale", scale=values)), ("n", lif(1))]
    else:
        fields = {"v_threshold": values, "threshold": values, "tau": np.array(2e-4), "r": np.array([2.0])}
        made = node(kind, **fields, v_leak=np.array(0.0), v_reset=None)
        parts = [("c", conv(3)), ("n", made)]
    layer = imported(chain((3, 2, 4), *parts)).layers[0]
    each = np.repeat([1.0, 2.0, 4.0], 8)
    assert ((layer.weights.diagonal() if kind == "Scale" else layer.threshold) == each).all()


@pytest.mark.parametrize("kind", ["LIF", "Scale"])
@pytest.mark.parametrize(
    ("given_shape", "shape", "says"),
    [
        ((3, 2, 3), (3,), "3×1×1 for channels"),
        ((3, 3, 2), (3,), "3×1×1 for channels"),
        ((3, 2, 4), (4,), "3×1×1 for channels"),
        ((3, 2, 4), (2, 4), "must be equal"),
        ((3, 2, 4), (5,), "must be equal"),
        ((4, 4), (4,), "4×1 for channels"),
    ],
)
def test_a_parameter_that_could_be_of_either_axis_is_refused(
    kind: str, given_shape: tuple[int, ...], shape: tuple[int, ...], says: str
) -> None:
    values = np.ones(shape)
    part = node("Scale", scale=values) if kind == "Scale" else lif(1, v_threshold=values)
    if kind == "LIF":
        part = lif(1, v_threshold=values, tau=values * 2e-4, r=values * 2, v_leak=values * 0, v_reset=values * 0)
    message = refusal(lambda: imported(chain(given_shape, ("p", part), ("n", lif(1)))))
    assert "node 'p' has " in message and says in message


def test_parameters_of_unlike_shapes_are_refused() -> None:
    made = lif(3, v_threshold=np.ones((3, 1, 1)))
    assert "node 'n' has v_threshold of shape 3×1×1 and r of shape 3" in refusal(
        lambda: imported(chain((3, 2, 2), ("n", made)))
    )


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (node("Linear", weight=np.ones((2, 2)) * 1j), "weight of node 'p' must be real numbers, not complex ones"),
        (lif(v_threshold=np.ones(2) + 0j), "v_threshold of node 'p' must be real numbers"),
        (node("Linear", weight=np.array([["1", "2"], ["3", "4"]])), "weight of node 'p' must be numbers, not array("),
        (node("Linear", weight=None), "weight of node 'p' must be numbers, not None"),
        (node("Linear", weight=[[1.0], [1.0, 2.0]][0:0]), "must have shape (outputs, inputs)"),
        (node("Scale", scale=np.array(["a", "b"])), "scale of node 'p' must be numbers"),
        (node("Flatten", start_dim=None, end_dim=-1), "start_dim of node 'p' must be a whole number, not None"),
        (node("Flatten", start_dim=0.5, end_dim=-1), "start_dim of node 'p' must be a whole number, not 0.5"),
        (lif(v_threshold=np.ones(0)), "v_threshold of node 'p' is empty"),
        (lif(metadata={"spike_fn": "MultiSpike"}), "node 'p' emits several spikes in a step (its metadata 'spike_fn')"),
        (lif(metadata="x"), "metadata of node 'p' must be named values, not a str"),
    ],
)
def test_refused_values(part: Any, says: str) -> None:
    assert says in refusal(lambda: imported(chain((2,), ("p", part), ("n", lif()))))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"groups": None}, "groups of node 'p' must be a whole number, not None"),
        ({"groups": 1.5}, "groups of node 'p' must be a whole number, not 1.5"),
        ({"groups": 0}, "groups of node 'p' must be at least 1, not 0"),
        ({"weight": np.ones((0, 1, 3, 3))}, "weight of node 'p' has shape 0×1×3×3; no size may be 0"),
        ({"weight": np.ones((2, 0, 3, 3))}, "weight of node 'p' has shape 2×0×3×3; no size may be 0"),
        ({"bias": np.ones(3)}, "node 'p' has a bias of shape 3 and 2 output channels"),
        ({"padding": None}, "node 'p' has padding None; it must be 2 integers"),
        ({"padding": 10**6}, "node 'p' pads 1×4×4 to"),
    ],
)
def test_refused_convolutions(changes: dict[str, Any], says: str) -> None:
    fields = {"weight": np.ones((2, 1, 3, 3)), "bias": None, "stride": 1, "padding": 1, "dilation": 1, "groups": 1}
    stride = {"stride": 10**6} if changes.get("padding") == 10**6 else {}
    made = chain((1, 4, 4), ("p", node("Conv2d", **(fields | changes | stride))), ("n", lif(1)))
    assert says in refusal(lambda: imported(made))


def test_units_of_dt() -> None:
    slow = imported(chain((2,), ("n", lif(tau=np.full(2, 20.0), r=np.full(2, 2e5)))))
    assert "check that dt is in the unit of tau" in slow.remarks[0]
    fast = refusal(lambda: imported(chain((2,), ("n", lif())), dt=1.0))
    assert "in the unit of tau (in seconds a millisecond is 1e-3), or --stepping exact" in fast
    assert not imported(chain((2,), ("n", lif()))).remarks


def test_other_metadata_are_told() -> None:
    network = imported(chain((2,), ("n", lif(metadata={"refractory": 3}))))
    assert network.remarks == ("node 'n': its metadata 'refractory' are not read",)
