# SPDX-License-Identifier: Apache-2.0
"""Networks by name, from files and back, and what they look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hyn
from support.convert import NEEDS_NIR
from support.networks import assert_same
from support.refusal import refusal


def test_shipped_networks() -> None:
    assert "digits" in hyn.networks()
    assert hyn.load("digits").shape == "64-128-10"


def test_a_file_round_trip(network: hyn.Network, tmp_path: Path) -> None:
    path = tmp_path / "net.hyn"
    hyn.save(network, path)
    assert_same(hyn.load(path), network)
    assert_same(hyn.load(str(path)), network)


def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    assert "did you mean 'digits'?" in refusal(lambda: hyn.load("digts"))
    assert "does not exist" in refusal(lambda: hyn.load(tmp_path / "net.hyn"))
    path = tmp_path / "net.nir"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(10))
    assert "hysteron import" in refusal(lambda: hyn.load(path))


def test_nir_round_trip(network: hyn.Network, tmp_path: Path) -> None:
    pytest.importorskip("nir", reason=NEEDS_NIR)
    pytest.importorskip("h5py", reason=NEEDS_NIR)
    hyn.export_nir(network, tmp_path / "net.nir", dt=1e-3)
    imported = hyn.import_network(tmp_path / "net.nir", dt=1e-3)
    assert isinstance(imported, hyn.Imported)
    assert_same(imported.network, network)


def test_what_a_network_and_a_layer_look_like(network: hyn.Network) -> None:
    text = repr(network)
    assert text.startswith("Network 'a <b> & c': 10-6-3\n") and "recurrent" in text and "potential: 12 bits" in text
    page = network._repr_html_()
    assert "a &lt;b&gt; &amp; c: 10-6-3" in page and "<b>a &lt;" in page and "a <b>" not in page
    assert repr(network.layers[0]) == ("Layer(10 → 6: latch, reset zero, 4-bit weights, θ 3 … 9, recurrent)")
    assert repr(network.layers[1]) == "Layer(6 → 3: latch, reset zero, 4-bit weights, θ 1 … 5)"


def test_a_network_built_by_hand() -> None:
    layer = hyn.Layer(np.ones((2, 2), int), 3, mode=hyn.Mode.PLAIN, reset=hyn.Reset.SUBTRACT)
    made = hyn.Network((layer,), readout=hyn.Readout.FIRST, encoder=hyn.Encoder(hyn.Coding.DIRECT, 4))
    assert hyn.compile_network(made, hyn.PRESETS["digits"].override({"direct": "true"})).config.name == "digits*"
    assert "weights" in refusal(lambda: hyn.Layer([[9]], 3))
