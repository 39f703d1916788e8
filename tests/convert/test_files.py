# SPDX-License-Identifier: Apache-2.0
"""NIR files, with the package itself: what snnTorch exports comes in, and what goes out comes back bit for bit."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import hysteron_networks
from hysteron_convert import KEY, from_nir, from_snntorch, quantise, read_nir, to_nir, write_nir
from hysteron_convert.libraries import library
from hysteron_golden import run
from hysteron_spec import Coding, Encoder, Layer, Mode, Network, Potential, Readout, Reset, load
from hysteron_spec.store import VERSION
from support.convert import NEEDS_NIR, NEEDS_TORCH, run_snntorch, spikes
from support.networks import assert_same, examples, networks, random_network
from support.refusal import refusal

nir = pytest.importorskip("nir", reason=NEEDS_NIR)
h5py = pytest.importorskip("h5py", reason=NEEDS_NIR)
ROOT = Path(__file__).parents[2]


def through_a_file(graph: Any, path: Path) -> Any:
    nir.write(path, graph)
    return read_nir(path)


# -- out and back ----------------------------------------------------------------------------------------------


@examples(60)
@given(networks(encoded=True))
def test_a_network_comes_back_bit_for_bit(network: Network) -> None:
    back = quantise(from_nir(to_nir(network, dt=3e-4)))
    assert back.rounding.exact
    assert_same(network, back.network)


@pytest.mark.parametrize("seed", range(12))
def test_through_a_file(tmp_path: Path, seed: int) -> None:
    encoder = [None, Encoder(Coding.RATE, 5, seed=(1 << 64) - 1), Encoder(Coding.DIRECT, 6)][seed % 3]
    network = random_network(np.random.default_rng(seed), (9, 6, 7), encoder=encoder)
    write_nir(network, tmp_path / "net.nir", dt=[1e-4, 1e-3, 0.7, 3e-5][seed % 4])
    back = quantise(from_nir(read_nir(tmp_path / "net.nir")))
    assert back.rounding.exact
    assert_same(network, back.network)


def test_shipped_network(tmp_path: Path) -> None:
    network = load(hysteron_networks.path("digits"))
    write_nir(network, tmp_path / "net.nir")
    graph = read_nir(tmp_path / "net.nir")
    assert {type(node).__name__ for node in graph.nodes.values()} == {"Input", "Affine", "LIF", "I", "Output"}
    assert_same(network, quantise(from_nir(graph)).network)


def test_what_is_written(tmp_path: Path) -> None:
    """Integers as weights and thresholds; tau and r give each leak code; the cycle of recurrence."""
    layer = Layer([[1, -2], [3, 4]], 9, leak=[6, 8], recurrent=[[0, 5], [6, 0]], mode=Mode.PLAIN, bias=[7, 0])
    write_nir(Network((layer,)), tmp_path / "net.nir", dt=1e-3)
    graph = nir.read(tmp_path / "net.nir")
    neurons = graph.nodes["neurons0"]
    assert isinstance(neurons, nir.LIF)
    assert np.allclose(1 - 1e-3 / neurons.tau, [0.75, 1]) and np.allclose(neurons.r * 1e-3 / neurons.tau, 1)
    assert neurons.v_threshold.tolist() == [9, 9] and neurons.v_reset.tolist() == [0, 0]
    assert graph.nodes["weights0"].weight.tolist() == [[1, 3], [-2, 4]]
    assert graph.nodes["weights0"].bias.tolist() == [7, 0]
    assert graph.nodes["recurrent0"].weight.tolist() == [[0, 6], [5, 0]]
    assert set(graph.edges) == {
        ("input", "weights0"),
        ("weights0", "neurons0"),
        ("neurons0", "recurrent0"),
        ("recurrent0", "neurons0"),
        ("neurons0", "output"),
    }
    assert {values.dtype.name for values in (neurons.tau, neurons.r, graph.nodes["weights0"].weight)} == {"float32"}


def test_the_same_bytes_again(tmp_path: Path) -> None:
    network = random_network(np.random.default_rng(1), (9, 6, 7))
    for name in "ab":
        write_nir(network, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_our_metadata_the_numbers_still_are_the_network(tmp_path: Path) -> None:
    """Another tool drops the metadata: a plain network without hysteresis still comes back, given dt and reset."""
    network = Network(
        (
            Layer([[1, -2], [3, 4]], 9, leak=[6, 8], bias=[1, 0], mode=Mode.PLAIN),
            Layer([[7], [-8]], 5, leak=0, mode=Mode.PLAIN),
        ),
        Potential(16),
    )
    graph = to_nir(network)
    graph.metadata = {}
    for node in graph.nodes.values():
        node.metadata = {}
    back = quantise(from_nir(through_a_file(graph, tmp_path / "net.nir"), dt=1e-4, reset="zero"))
    assert back.rounding.exact
    assert_same(network, back.network)


def test_hysteresis_survives_another_format() -> None:
    layer = Layer([[6, -2], [3, 4]], 40, theta_low=20, mode=Mode.WINDOW, leak=6)
    network = Network((layer,), Potential(12), name="mine", notes={"a": "b"})
    inputs = spikes(1, 30, 8, 2)
    back = quantise(from_nir(to_nir(network)), inputs, weight_bits=2, leak_bits=4).network
    got = back.layers[0]
    assert (got.mode, got.weight_bits, got.leak_bits, got.reset) == (Mode.WINDOW, 2, 4, Reset.ZERO)
    assert got.theta_high / 2 - 1 <= got.theta_low <= got.theta_high / 2 + 1
    assert (back.potential, back.name, back.notes) == (Potential(12), "mine", {"a": "b"})


def test_metadata_survives_in_every_node(tmp_path: Path) -> None:
    """A fact about nir 1.0.8 that exporting relies on."""
    one = np.ones(2, np.float32)
    nodes = {
        "input": nir.Input(np.array([2])),
        "affine": nir.Affine(np.eye(2), one),
        "linear": nir.Linear(np.eye(2)),
        "lif": nir.LIF(tau=one, r=one, v_leak=one, v_threshold=one, v_reset=one),
        "if": nir.IF(r=one, v_threshold=one, v_reset=one),
        "li": nir.LI(tau=one, r=one, v_leak=one),
        "i": nir.I(r=one),
        "output": nir.Output(np.array([2])),
    }
    for name, node in nodes.items():
        node.metadata[KEY] = f'{{"of": "{name} µ"}}'
    edges = list(itertools.pairwise(nodes))
    graph = through_a_file(nir.NIRGraph(nodes, edges, metadata={KEY: "graph"}), tmp_path / "net.nir")
    assert graph.metadata == {KEY: "graph"}
    for name, node in graph.nodes.items():
        assert node.metadata == {KEY: f'{{"of": "{name} µ"}}'}


def changed(network: Network, change: Any) -> Any:
    graph = to_nir(network)
    change(graph)
    return graph


SMALL = Network((Layer([[1, -2], [3, 4]], 9, leak=6), Layer([[1], [2]], 5)), Potential(16))


def other_tau(graph: Any) -> None:
    graph.nodes["neurons0"].tau = graph.nodes["neurons0"].tau * np.float32(1.5)


def other_threshold(graph: Any) -> None:
    graph.nodes["neurons1"].v_threshold = graph.nodes["neurons1"].v_threshold + 1


def newer(graph: Any) -> None:
    node = graph.nodes["neurons0"]
    node.metadata[KEY] = node.metadata[KEY].replace(f'"version": {VERSION}', f'"version": {VERSION + 1}')


def no_json(graph: Any) -> None:
    graph.metadata[KEY] = "latch"


def no_key(graph: Any) -> None:
    graph.metadata[KEY] = '{"version": 1}'


def no_mode(graph: Any) -> None:
    node = graph.nodes["neurons1"]
    node.metadata[KEY] = node.metadata[KEY].replace("LATCH", "RELAY")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other_tau, "node 'neurons0' was changed after it was exported"),
        (other_threshold, "node 'neurons1' was changed after it was exported"),
        (
            newer,
            f"metadata 'hysteron' of node 'neurons0' has version {VERSION + 1}, this release reads 1 to {VERSION}; up",
        ),
        (no_json, "metadata 'hysteron' of the graph cannot be read (JSONDecodeError"),
        (no_key, "metadata 'hysteron' of the graph cannot be read (KeyError: 'encoder')"),
        (no_mode, "metadata 'hysteron' of node 'neurons1' cannot be read (KeyError: 'RELAY')"),
    ],
)
def test_what_contradicts_the_metadata_is_refused(change: Any, says: str) -> None:
    assert says in refusal(lambda: from_nir(changed(SMALL, change)))


def test_dt_and_reset_of_the_file() -> None:
    graph = to_nir(SMALL, dt=2e-3)
    assert "dt is 0.0001 s, but the file was exported with 0.002 s" in refusal(lambda: from_nir(graph, dt=1e-4))
    network = from_nir(graph, dt=2e-3, reset="none")
    assert network.layers[0].reset is Reset.ZERO
    assert "the file states the reset of neurons0, neurons1 itself" in network.remarks[0]
    assert "dt must be a positive number of seconds, not 0" in refusal(lambda: to_nir(SMALL, dt=0))


def test_firing_and_stepping_of_the_file() -> None:
    """They are the hardware's own, whatever is asked for, and a remark says so."""
    graph = to_nir(SMALL)
    plain, asked = from_nir(graph), from_nir(graph, firing="at-or-above", stepping="exact")
    assert plain.remarks == ()
    assert asked.remarks == (
        "the file states how neurons0, neurons1 fire itself: above the threshold",
        "the file states how neurons0, neurons1 are stepped itself: by Euler's rule",
    )
    assert_same(quantise(asked).network, SMALL)


# -- files -----------------------------------------------------------------------------------------------------


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    assert "does not exist; check the path" in refusal(lambda: read_nir(path))
    assert "is a folder, not a NIR file" in refusal(lambda: read_nir(tmp_path))
    assert "'/dev/null' is a device or a pipe, not a NIR file" in refusal(lambda: read_nir("/dev/null"))
    path.write_bytes(b"no")
    assert "is no NIR file or is damaged" in refusal(lambda: read_nir(path))
    write_nir(SMALL, path)
    path.write_bytes(path.read_bytes()[:-3000])
    assert "is no NIR file or is damaged" in refusal(lambda: read_nir(path))
    nir.write(path, nir.Linear(np.eye(2)))
    assert "is no NIR file or is damaged (Linear" in refusal(lambda: read_nir(path))


@pytest.mark.parametrize(
    ("name", "says"), [("a.hyn", "needs no import: give it to 'hysteron info'"), ("a.pt", "holds weights but no graph")]
)
def test_files_of_networks_that_need_another_way(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK")
    assert says in refusal(lambda: read_nir(tmp_path / name))


@pytest.mark.parametrize("scalar", ["v_threshold", "tau", "r"])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_single_numbers_in_a_file_serve_all_neurons(scalar: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    """Also where other parameters have a value for each neuron, which the package nir refuses."""
    path = tmp_path / "net.nir"
    ones = np.ones(2)
    nodes = {
        "input": nir.Input(np.array([2])),
        "inner": nir.NIRGraph(
            {
                "input": nir.Input(np.array([2])),
                "lif": nir.LIF(tau=2e-4 * ones, r=2 * ones, v_leak=0 * ones, v_threshold=3 * ones, v_reset=0 * ones),
                "output": nir.Output(np.array([2])),
            },
            [("input", "lif"), ("lif", "output")],
        ),
        "output": nir.Output(np.array([2])),
    }
    nir.write(path, nir.NIRGraph(nodes, [("input", "inner"), ("inner", "output")]))
    with h5py.File(path, "r+") as file:
        node = file["node/nodes/inner/nodes/lif"]
        value = node[scalar][0]
        del node[scalar]
        node[scalar] = np.full(shape, value)
    layer = from_nir(read_nir(path), dt=1e-4, reset="zero").layers[0]
    assert layer.beta.tolist() == [0.5, 0.5] and layer.threshold.tolist() == [3, 3]
    assert layer.weights.tolist() == [[1, 0], [0, 1]]


def test_a_node_type_that_nir_does_not_know_is_named(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    write_nir(SMALL, path)
    with h5py.File(path, "r+") as file:
        del file["node/nodes/neurons0/type"]
        file["node/nodes/neurons0/type"] = "MaxPool2d"
    assert "has a node of type 'MaxPool2d', which the package nir" in refusal(lambda: read_nir(path))


def test_a_missing_package_is_named() -> None:
    says = refusal(lambda: library("hysteron_nowhere"))
    assert says.startswith("hysteron_nowhere is missing") and "pip install 'hyn[convert]'" in says


def test_every_node_of_the_package(tmp_path: Path) -> None:
    """One graph with every supported node, made with the package's classes, through a file."""
    f = np.float32
    rng = np.random.default_rng(1)

    def full(value: float, *shape: int) -> Any:
        return np.full(shape, value, f)

    inner = nir.NIRGraph(
        {
            "input": nir.Input(np.array([8])),
            "lif": nir.LIF(
                tau=full(2e-4, 8), r=full(2, 8), v_leak=full(0, 8), v_threshold=full(1, 8), v_reset=full(0, 8)
            ),
            "w_rec": nir.Affine(rng.normal(size=(8, 8)).astype(f), full(0.5, 8)),
            "output": nir.Output(np.array([8])),
        },
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    nodes = {
        "in": nir.Input(np.array([1, 8, 8])),
        "conv": nir.Conv2d((8, 8), rng.normal(size=(2, 1, 3, 3)).astype(f), 1, (1, 1), 1, 1, np.zeros(2, f)),
        "if": nir.IF(r=full(1e4, 2, 8, 8), v_threshold=full(1, 2, 8, 8)),
        "sum": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "scale": nir.Scale(full(0.5, 2, 4, 4)),
        "average": nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flatten": nir.Flatten({"input": np.array([2, 2, 2])}, 0, -1),
        "threshold": nir.Threshold(full(0.25, 8)),
        "linear": nir.Linear(rng.normal(size=(8, 8)).astype(f)),
        "rnn": inner,
        "reshape": nir.Scale(full(2, 8)),
        "cuba": nir.CubaLIF(
            tau_syn=full(1e-4, 8),
            tau_mem=full(4e-4, 8),
            r=full(4, 8),
            v_leak=full(0, 8),
            v_threshold=full(1, 8),
            w_in=full(1, 8),
        ),
        "affine": nir.Affine(rng.normal(size=(3, 8)).astype(f), full(0.25, 3)),
        "li": nir.LI(tau=full(8e-4, 3), r=full(8, 3), v_leak=full(0, 3)),
        "out": nir.Output(np.array([3])),
    }
    edges = list(itertools.pairwise(nodes))
    graph = through_a_file(nir.NIRGraph(nodes, edges), tmp_path / "net.nir")
    network = from_nir(graph, dt=1e-4, reset="subtract")
    assert network.shape == "64-128-8-8-8-3" and network.readout is Readout.POTENTIAL
    assert [layer.name for layer in network.layers] == ["if", "threshold", "rnn.lif", "cuba", "li"]
    inputs = spikes(2, 40, 8, 64)
    quantised = quantise(network, inputs, weight_bits=8)
    assert all(rate > 0.01 for rate in network.run(inputs).rates[:-1])
    assert np.mean(run(quantised.network, inputs).predictions == network.run(inputs).predictions) > 0.7


# -- snnTorch --------------------------------------------------------------------------------------------------


def exported(module: Any, sample: tuple[int, ...]) -> Any:
    torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
    export = pytest.importorskip("snntorch.export_nir", reason=NEEDS_TORCH)
    return export.export_to_nir(module, torch.zeros(1, *sample), ignore_dims=[0])


def snntorch_networks() -> dict[str, Any]:
    """Networks as snnTorch's users have them; the exporter needs beta and threshold for each neuron."""
    torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
    snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)
    nn = torch.nn
    torch.manual_seed(1)

    def leaky(*shape: int, **options: Any) -> Any:
        full = {"beta": torch.full(shape, 0.5), "threshold": torch.full(shape, 0.25), "reset_mechanism": "zero"}
        return snn.Leaky(**(full | {"init_hidden": True, "reset_delay": False, **options}))

    return {
        "feed-forward": (nn.Sequential(nn.Linear(12, 9), leaky(9), nn.Linear(9, 4, bias=False), leaky(4)), (12,)),
        "each neuron its own": (
            nn.Sequential(nn.Linear(12, 9), leaky(9, beta=torch.arange(9) / 8, threshold=0.25 + torch.arange(9) / 8)),
            (12,),
        ),
        "recurrent": (
            nn.Sequential(
                nn.Linear(12, 9),
                snn.RLeaky(
                    beta=0.5,
                    threshold=0.25,
                    linear_features=9,
                    init_hidden=True,
                    reset_mechanism="zero",
                    reset_delay=False,
                ),
                nn.Linear(9, 4),
                leaky(4),
            ),
            (12,),
        ),
        "recurrent one to one": (
            nn.Sequential(
                nn.Linear(12, 9),
                snn.RLeaky(
                    beta=0.5,
                    threshold=0.25,
                    all_to_all=False,
                    V=torch.rand(9),
                    init_hidden=True,
                    reset_mechanism="zero",
                    reset_delay=False,
                ),
            ),
            (12,),
        ),
        "convolution and pool": (
            nn.Sequential(
                nn.Conv2d(1, 2, 3, padding=1),
                leaky(2, 8, 8),
                nn.AvgPool2d(2),
                nn.Flatten(),
                nn.Linear(32, 4),
                leaky(4),
            ),
            (1, 8, 8),
        ),
        "synaptic": (
            nn.Sequential(
                nn.Linear(12, 9),
                snn.Synaptic(
                    alpha=torch.zeros(9),
                    beta=torch.full((9,), 0.5),
                    threshold=torch.full((9,), 0.25),
                    init_hidden=True,
                    reset_mechanism="zero",
                    reset_delay=False,
                ),
            ),
            (12,),
        ),
    }


SNNTORCH = [
    "feed-forward",
    "each neuron its own",
    "recurrent",
    "recurrent one to one",
    "convolution and pool",
    "synaptic",
]


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", SNNTORCH)
def test_what_snntorch_exports(name: str, tmp_path: Path) -> None:
    """The file gives the same float network as the module itself, and spikes as snnTorch's."""
    module, sample = snntorch_networks()[name]
    network = from_nir(through_a_file(exported(module, sample), tmp_path / "net.nir"), dt=1e-4, reset="zero")
    direct = from_snntorch(module, input_shape=sample)
    for one, two in zip(network.layers, direct.layers, strict=True):
        for field in ("weights", "bias", "beta", "threshold", "recurrent"):
            a, b = getattr(one, field), getattr(two, field)
            assert (a is None) == (b is None)
            assert a is None or np.allclose(a, b, rtol=0, atol=1e-6), field
        assert one.reset is two.reset
    inputs = spikes(3, 100, 10, int(np.prod(sample)))
    got, (want, _) = network.run(inputs, trace=True).spikes, run_snntorch(module, inputs.reshape(100, 10, *sample))
    assert got is not None
    for a, b in zip(got, want, strict=True):
        # snnTorch computes in single precision: a potential within 1e-7 of θ may fall on either side.
        assert np.mean(a != b) < 1e-4
        assert 0.01 < b.mean() < 0.99


def test_a_scalar_beta_serves_all_neurons() -> None:
    """The default of snnTorch, a single number for a layer, in a graph that was never written (nir 1.0.8 cannot)."""
    one = np.array(2e-4, np.float32)
    zero = np.zeros((), np.float32)
    nodes = {
        "input": nir.Input(np.array([3])),
        "0": nir.Affine(np.ones((2, 3), np.float32), np.zeros(2, np.float32)),
        "1": nir.LIF(tau=one, r=one * 1e4, v_leak=zero, v_threshold=zero + 1, v_reset=zero),
        "output": nir.Output(np.array([2])),
    }
    graph = nir.NIRGraph(nodes, [("input", "0"), ("0", "1"), ("1", "output")], type_check=False)
    network = from_nir(graph, dt=1e-4, reset="zero")
    assert np.allclose(network.layers[0].beta, [0.5, 0.5]) and network.layers[0].weights.tolist() == [[1, 1]] * 3


@pytest.mark.parametrize("code", [0, 4, 6, 7])
def test_snntorch_imports_what_is_exported(code: int, tmp_path: Path) -> None:
    """The importer of snnTorch itself, in single precision, fires as golden does: its β and our weights are exact."""
    rng = np.random.default_rng(code)
    sizes = ((8, 12), (12, 5))
    # Multiples of 64 decay for three steps without a fraction, so that nothing is truncated.
    layers = tuple(
        Layer(rng.choice([-128, -64, 0, 64], size), 64, leak=code, mode=Mode.PLAIN, weight_bits=8) for size in sizes
    )
    network = Network(layers, Potential(16))
    write_nir(network, tmp_path / "net.nir")
    inputs = spikes(code, 100, 3, 8, rate=0.7)
    want = run(network, inputs, trace=True).spikes
    assert want is not None
    for got, spiked in zip(read_by_snntorch(nir.read(tmp_path / "net.nir"), inputs), want, strict=True):
        assert (got == spiked).all() and spiked.any()


def read_by_snntorch(graph: Any, inputs: Any) -> list[Any]:
    """Spikes of each layer, ``(samples, steps, neurons)``, of what snnTorch's importer makes of a graph."""
    torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
    bring_in = pytest.importorskip("snntorch.import_nir", reason=NEEDS_TORCH)
    snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)
    module = bring_in.import_from_nir(graph)
    neurons = [part for part in module.modules() if isinstance(part, snn.Leaky)]
    fired: list[list[Any]] = [[] for _ in neurons]
    for part, into in zip(neurons, fired, strict=True):
        part.register_forward_hook(lambda *call, into=into: into.append(call[2].detach().numpy() > 0))
    with torch.no_grad():
        state = None
        for t in range(inputs.shape[1]):
            out = module(torch.tensor(inputs[:, t], dtype=torch.float32), state)
            state = out[1] if isinstance(out, tuple) else None
    return [np.stack(steps, axis=1) for steps in fired]


SHIPPED = sorted(path.stem for path in Path(hysteron_networks.path("digits")).parent.glob("*.hyn"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_networks_are_read_by_snntorch_or_refused(name: str, tmp_path: Path) -> None:
    """What snnTorch would run otherwise is refused; the rest fires as golden but for the leak that truncates."""
    network = load(hysteron_networks.path(name))
    if any(layer.mode is not Mode.PLAIN or layer.recurrent is not None for layer in network.layers):
        says = refusal(lambda: to_nir(network, reader="snntorch"))
        assert "has hysteresis" in says or "has recurrent weights" in says
        return
    write_nir(network, tmp_path / "net.nir", reader="snntorch")
    assert_same(network, quantise(from_nir(read_nir(tmp_path / "net.nir"))).network)
    inputs = spikes(1, 8, 20, network.n_in, rate=0.15)
    want = run(replace(network, encoder=None), inputs, trace=True).spikes
    assert want is not None and want[0].any()
    for got, spiked in zip(read_by_snntorch(nir.read(tmp_path / "net.nir"), inputs), want, strict=True):
        assert (got == spiked).mean() > 0.98


@pytest.mark.parametrize(
    ("layer", "dt", "says"),
    [
        (Layer([[1]], 2, mode=Mode.PLAIN, reset=Reset.SUBTRACT), 1e-4, "layer 0 has reset subtract, snnTorch's"),
        (Layer([[1]], 2, mode=Mode.PLAIN, reset=Reset.NONE), 1e-4, "layer 0 has reset none"),
        (Layer([[1]], 2, mode=Mode.LATCH), 1e-4, "layer 0 has hysteresis (latch), which snnTorch does not know"),
        (Layer([[1]], 2, mode=Mode.PLAIN, recurrent=[[1]]), 1e-4, "layer 0 has recurrent weights"),
        (Layer([[1]], 2, mode=Mode.PLAIN), 1e-3, "snnTorch reads every file with dt = 0.0001 s, not 0.001 s"),
    ],
)
def test_what_snntorch_would_change_is_refused(layer: Layer, dt: float, says: str) -> None:
    assert says in refusal(lambda: to_nir(Network((layer,)), dt=dt, reader="snntorch"))
    to_nir(Network((layer,)), dt=dt)
    assert "reader must be one of any, snntorch, not 'norse'" in refusal(
        lambda: to_nir(Network((layer,)), reader="norse")
    )


def test_snntorch_keeps_potentials_where_they_are_kept() -> None:
    """A layer without leak, and a read-out, become LIF nodes whose leak single precision does not see."""
    rng = np.random.default_rng(3)
    layers = (
        Layer(rng.integers(-4, 5, (6, 8)), 7, mode=Mode.PLAIN, weight_bits=4),
        Layer(rng.integers(-4, 5, (8, 3)), Potential(16).high, reset=Reset.NONE, weight_bits=4),
    )
    network = Network(layers, Potential(16), readout=Readout.POTENTIAL)
    graph = to_nir(network, reader="snntorch")
    assert [type(graph.nodes[f"neurons{k}"]).__name__ for k in (0, 1)] == ["LIF", "LIF"]
    assert_same(network, quantise(from_nir(graph)).network)
    inputs = spikes(4, 50, 20, 6)
    want = run(network, inputs, trace=True).spikes
    assert want is not None and want[0].any()
    assert all((got == spiked).all() for got, spiked in zip(read_by_snntorch(graph, inputs), want, strict=True))


# -- sizes are looked at before memory is taken ----------------------------------------------------------------


def test_a_small_file_that_claims_a_huge_array_is_refused(tmp_path: Path) -> None:
    """An array of zeros that was never written takes no room in a file, and gigabytes where it is read."""
    path = tmp_path / "huge.nir"
    write_nir(random_network(np.random.default_rng(0), (4, 3)), path)
    with h5py.File(path, "r+") as file:
        weights = next(name for name in file["node/nodes"] if name.startswith("weights"))
        del file[f"node/nodes/{weights}/weight"]
        file[f"node/nodes/{weights}"].create_dataset("weight", (30000, 30000), "f8", chunks=True)
    assert path.stat().st_size < 100_000
    says = f"{str(path)!r} has 'nodes/{weights}/weight' of 30000×30000 elements, more than 8192 × 8192 (--limit)"
    assert says in refusal(lambda: read_nir(path))


def test_a_file_whose_groups_contain_themselves_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.nir"
    write_nir(random_network(np.random.default_rng(0), (4, 3)), path)
    with h5py.File(path, "r+") as file:
        file["node/nodes/again"] = file["node"]
    assert "is no NIR file or is damaged" in refusal(lambda: read_nir(path))
