# SPDX-License-Identifier: Apache-2.0
"""A network imported in one call: the same as its parts give, and nothing printed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hysteron_base.progress import Progress
from hysteron_convert import (
    FloatNetwork,
    Imported,
    from_nir,
    give_input,
    import_network,
    make_encoder,
    quantise,
)
from hysteron_convert.importing import compare, spread
from hysteron_data.sets import DataSet
from hysteron_golden import run
from hysteron_spec import Coding, Encoder, Potential, Readout
from support.convert import NEEDS_TORCH, chain, lif, linear, node, spikes
from support.networks import assert_same
from support.refusal import refusal


def a_graph(seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    return chain(
        (20,),
        ("fc", linear(*rng.normal(0.05, 0.3, (30, 20)).tolist())),
        ("hidden", lif(30)),
        ("out fc", linear(*rng.normal(0.05, 0.3, (4, 30)).tolist())),
        ("last", lif(4)),
    )


def a_network() -> FloatNetwork:
    return from_nir(a_graph(), dt=1e-4, reset="zero")


def a_set(samples: int = 60) -> DataSet:
    return DataSet("mine", spikes(2, samples, 10, 20), np.arange(samples) % 4)


def test_what_a_notebook_shows() -> None:
    graph = a_graph()
    graph.nodes["<b>"] = graph.nodes.pop("hidden")
    graph.edges = [tuple("<b>" if name == "hidden" else name for name in edge) for edge in graph.edges]
    imported = import_network(graph, dt=1e-4, reset="zero", weight_bits=8, data=a_set(), name="mine")
    page, text = imported._repr_html_(), repr(imported)
    assert "mine (20-30-4)" in page and "mine (20-30-4)" in text and "\n" not in text
    assert imported.check.verdict.value in page and imported.check.layers[0].text in page
    assert imported.comparison is not None and imported.core is not None
    assert imported.comparison.accuracy is not None
    assert f"{100 * imported.comparison.accuracy:.2f} %" in page and imported.core.options in page
    assert "&lt;b&gt;" in page and "<b>:" not in page
    assert page.count("<tr>") == 7


def test_judged_over_the_steps() -> None:
    """The largest value over the steps, of both networks: the integers are made to answer at every step."""
    imported = import_network(
        a_graph(), dt=1e-4, reset="zero", weight_bits=8, readout=Readout.POTENTIAL, data=a_set(), judge="max"
    )
    assert imported.network.readout_every_step and imported.comparison is not None
    traced = from_nir(a_graph(), dt=1e-4, reset="zero", readout=Readout.POTENTIAL).run(a_set().inputs, trace=True)
    assert traced.potentials is not None
    wanted = traced.potentials[-1].max(axis=1).argmax(axis=-1)
    assert imported.comparison.accuracy_float == np.mean(wanted == a_set().labels)
    got = run(imported.network, a_set().inputs).step_values
    assert got is not None
    assert imported.comparison.accuracy == np.mean(got.max(axis=1).argmax(axis=-1) == a_set().labels)
    wrong = DataSet("mine", a_set().inputs[:3], np.array([0, 1, 4]))
    told = refusal(lambda: import_network(a_graph(), dt=1e-4, reset="zero", data=wrong))
    assert "label 4 of sample 2 in data set 'mine' cannot be answered by 4 outputs" in told


def test_is_what_its_parts_give(capsys: pytest.CaptureFixture[str]) -> None:
    data = a_set()
    told: list[Progress] = []
    imported = import_network(
        a_graph(), dt=1e-4, reset="zero", weight_bits=8, calibrate=data, samples=20, data=data, tell=told.append
    )
    want = quantise(a_network(), spread(data.inputs, 20), weight_bits=8)
    assert_same(imported.network, want.network)
    assert imported.rounding == want.rounding
    got = run(want.network, data.inputs)
    wanted = a_network().run(data.inputs)
    assert imported.comparison is not None
    (note,) = imported.comparison.notes
    assert note.startswith("the scales were chosen on the samples that are judged")
    assert replace(imported.comparison, notes=()) == compare(a_network(), want.network, data)
    assert imported.comparison.accuracy == np.mean(got.predictions == data.labels)
    assert imported.comparison.accuracy_float == np.mean(wanted.predictions == data.labels)
    assert imported.comparison.same_answer == np.mean(wanted.predictions == got.predictions)
    assert imported.core is not None and imported.core.changes == {"weight_bits": 8}
    summary = json.loads(json.dumps(imported.as_dict()))
    assert list(summary) == ["network", "source", "calibration", "rounding", "check", "data", "core"]
    assert summary["network"] == "network (20-30-4)" and summary["source"] == "a NIRGraph"
    assert summary["calibration"] == "mine, 20 samples"
    assert list(dict.fromkeys(message.what for message in told)) == [
        "quantising", "checking", "float network on mine", "integer network on mine",
    ]  # fmt: skip
    assert all(0 <= message.done <= 1 for message in told) and told[-1].finished
    assert capsys.readouterr() == ("", "")


def test_a_float_network_without_data() -> None:
    imported = import_network(a_network(), calibrate=spikes(2, 40, 10, 20), potential=Potential(12))
    assert isinstance(imported, Imported) and imported.comparison is None and imported.as_dict()["data"] is None
    assert imported.calibration == "inputs, 40 samples" and imported.network.potential.bits == 12
    assert import_network(a_network()).calibration is None


def test_firing_and_stepping_are_handed_on() -> None:
    options = {"dt": 1e-4, "reset": "zero", "firing": "at-or-above", "stepping": "exact"}
    imported = import_network(a_graph(), **options)
    assert all(layer.at_threshold and np.allclose(layer.beta, np.exp(-0.5)) for layer in imported.reference.layers)
    assert_same(imported.network, quantise(from_nir(a_graph(), **options)).network)
    assert not any(layer.at_threshold for layer in import_network(a_graph(), dt=1e-4, reset="zero").reference.layers)


def test_rows_of_the_report() -> None:
    rows = import_network(a_network()).rounding.rows()
    assert [(row["node"], row["kind"], row["inputs"], row["neurons"]) for row in rows] == [
        ("hidden", "weights", 20, 30), ("last", "weights", 30, 4),
    ]  # fmt: skip
    assert rows[0]["weight_bits"] == 4 and rows[0]["agreement"] is None and rows[0]["scale"] > 0


def test_without_labels_there_is_no_accuracy() -> None:
    data = DataSet("steps", spikes(2, 6, 10, 20), np.zeros((6, 10), np.int64))
    comparison = import_network(a_network(), data=data).comparison
    assert comparison is not None and comparison.accuracy is None and comparison.accuracy_float is None


def test_encoders() -> None:
    assert make_encoder("level", 4) == Encoder(Coding.LEVEL, 4, (32, 96, 160, 224))
    assert make_encoder("rate", 4, 7) == Encoder(Coding.RATE, 4, seed=7)
    # Over all pixels, the mean number of levels below a pixel is the pixel itself.
    levels = np.array(make_encoder("level", 8).thresholds)
    pixels = np.arange(256)
    assert np.abs((pixels[:, None] > levels).mean(axis=1) - pixels / 255).max() < 0.07


def test_calibration_samples_are_spread_over_the_set() -> None:
    inputs = np.arange(10)[:, None]
    assert spread(inputs, 4).ravel().tolist() == [0, 3, 6, 9]
    assert len(spread(inputs, 100)) == 10


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dt": 1e-4}, "dt is not for a FloatNetwork, which says it itself"),
        ({"firing": "above"}, "firing is not for a FloatNetwork, which says it itself"),
        ({"stepping": "exact"}, "stepping is not for a FloatNetwork, which says it itself"),
        ({"readout": Readout.COUNT}, "readout is not for a FloatNetwork"),
        ({"coding": "morse"}, "coding must be one of spikes, direct, rate, level, latency, not 'morse'"),
        ({"coding": "rate"}, "coding rate needs steps (--steps): how many time steps"),
        ({"steps": 4}, "steps 4 (--steps) are for pixels"),
        ({"calibrate": spikes(1, 3, 4, 20), "samples": 0}, "samples must be at least 1, not 0"),
        ({"data": "nowhere.npz"}, "data file 'nowhere.npz' does not exist"),
    ],
)
def test_refused(options: dict[str, Any], says: str) -> None:
    assert says in refusal(lambda: import_network(a_network(), **options))


def test_sources_that_are_none() -> None:
    assert "a network must be a NIR file or graph" in refusal(lambda: import_network(node("Thing")))
    assert "input_shape is not for a NIRGraph" in refusal(lambda: import_network(a_graph(), input_shape=(20,)))


def test_a_module_of_snntorch() -> None:
    torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
    snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)

    class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.lif = torch.nn.Linear(20, 6), snn.Leaky(beta=0.9)

        def forward(self, x: Any) -> Any:
            mem, record = self.lif.init_leaky(), []
            for _ in range(7):
                spk, mem = self.lif(self.fc(x), mem)
                record.append(spk)
            return torch.stack(record)

    torch.manual_seed(1)
    net = Net()
    pixels = np.random.default_rng(1).integers(0, 256, (50, 20), dtype=np.uint8)
    imported = import_network(net, calibrate=pixels, data=DataSet("pixels", pixels, None))
    # What the module does with an image, it does with the pixels; the encoder is that of its own loop.
    assert imported.network.encoder == Encoder(Coding.DIRECT, 7) and imported.network.name == "Net"
    with torch.no_grad():
        counts = net(torch.tensor(pixels / 255, dtype=torch.float32)).sum(0).numpy()
    assert (imported.reference.run(pixels).values == counts).all()
    assert import_network(net, coding="direct").network.encoder == Encoder(Coding.DIRECT, 7)
    assert import_network(net, steps=9).network.encoder == Encoder(Coding.DIRECT, 9)
    assert give_input(imported.reference, "spikes").encoder is None
    assert "reset is not for a Net" in refusal(lambda: import_network(net, reset="zero"))
    assert "firing is not for a Net" in refusal(lambda: import_network(net, firing="above"))
