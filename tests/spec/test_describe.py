# SPDX-License-Identifier: Apache-2.0
"""Networks in words."""

import json
import re

import numpy as np
import pytest

from hysteron_spec.describe import as_html, as_text, describe, facts, layer_rows, leak_text
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import LAYER_FIELDS, Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset


@pytest.mark.parametrize(
    ("codes", "text"), [([8, 8], "1"), ([4, 4], "1/2"), ([2, 7], "1/4 … 7/8"), ([0, 8], "0 … 1"), ([6, 4], "1/2 … 3/4")]
)
def test_leak_is_a_fraction(codes: list[int], text: str) -> None:
    assert leak_text(Layer(np.ones((1, 2), int), 5, leak=np.array(codes))) == text


@pytest.fixture
def two() -> Network:
    """Two layers that differ in everything that tables show."""
    return Network(
        (
            Layer(np.ones((5, 4), int), 9, 3, leak=[2, 8, 8, 8], recurrent=np.ones((4, 4), int), weight_bits=2),
            Layer(np.ones((4, 3), int), 70, -6, mode=Mode.PLAIN, reset=Reset.SUBTRACT),
        ),
        Potential(12, signed=True),
        Encoder(Coding.LEVEL, 2, (9, 3)),
        Readout.FIRST,
        readout_every_step=True,
        name="a <b>bold</b> & name",
    )


def test_rows_of_a_table(two: Network) -> None:
    heads, rows = layer_rows(two)
    wanted: list[dict[str, str]] = [
        {"layer": "0", "inputs": "5", "neurons": "4", "high": "9", "low": "3", "<mode": "latch", "<reset": "zero"}
        | {"bits": "2", "leak": "1/4 … 1", "<recurrent": "yes"},
        {"layer": "1", "inputs": "4", "neurons": "3", "high": "70", "low": "-6", "<mode": "plain"}
        | {"<reset": "subtract", "bits": "4", "leak": "1", "<recurrent": "no"},
    ]
    for row, want in zip(rows, wanted, strict=True):
        assert want.items() <= dict(zip(heads, row, strict=True)).items()


def test_facts(two: Network) -> None:
    assert facts(two) == [
        "potential: 12 bits, signed",
        "input: pixels, level coding over 2 steps",
        "read-out: first after every step",
    ]
    assert facts(Network((Layer([[1]], 1),), Potential(8, False))) == [
        "potential: 8 bits, unsigned",
        "input: spikes",
        "read-out: count",
    ]


def test_text(two: Network) -> None:
    lines = as_text(two).splitlines()
    assert repr(two) == as_text(two)
    assert lines[0] == "Network 'a <b>bold</b> & name': 5-4-3"
    assert lines[1].split() == [head.lstrip("<") for head in layer_rows(two)[0]]
    assert len({len(line) for line in lines[1:4]}) == 1, "columns are aligned"
    assert lines[4:] == facts(two)


def test_a_layer_in_a_notebook(two: Network) -> None:
    for layer in two.layers:
        page = layer._repr_html_()
        for name, value in (
            ("inputs", layer.n_in),
            ("neurons", layer.n_out),
            ("theta_high", layer.theta_high),
            ("mode", layer.mode.name.lower()),
            ("recurrent", "no" if layer.recurrent is None else "yes"),
        ):
            assert f"{name}</th><td style='text-align:left'>{value}</td>" in page
        assert page.count("<tr>") == page.count("</tr>") == 3 + len(LAYER_FIELDS)


def test_html(two: Network) -> None:
    text = as_html(two)
    assert two._repr_html_() == text
    assert "a &lt;b&gt;bold&lt;/b&gt; &amp; name: 5-4-3" in text and "<b>bold" not in text
    assert text.count("<tr>") == 3 and text.count("<td>") == 2 * text.count("<th>") == 2 * len(layer_rows(two)[0])
    for fact in facts(two):
        assert fact in text
    tags = re.findall(r"<(/?)(\w+)", text)
    for tag in {name for _, name in tags}:
        assert tags.count(("", tag)) == tags.count(("/", tag)), tag


def test_plain_values(two: Network) -> None:
    told = describe(two)
    assert json.loads(json.dumps(told)) == json.loads(json.dumps(told, default=str)), "everything is plain"
    assert told["name"] == two.name and told["shape"] == "5-4-3" and told["readout"] == "first"
    assert told["encoder"] == {"coding": "level", "steps": 2, "thresholds": (9, 3), "seed": 0}
    assert [each["name"] for each in told["layers"][0]["projections"]] == ["weights", "recurrent"]
    assert told["layers"][0]["projections"][1] == {"name": "recurrent", "source": "own", "sources": 4, "rows": 4}
    assert (told["layers"][1]["inputs"], told["layers"][1]["neurons"]) == (4, 3)
