# SPDX-License-Identifier: Apache-2.0
"""Pictures of runs: SVG that shows what it is asked for, and refusals of what cannot be shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

import hyn
from support.refusal import refusal

pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra 'report')")
pytest.importorskip("jinja2", reason="jinja2 is not installed (extra 'report')")


@pytest.fixture
def run(network: hyn.Network, samples: hyn.DataSet) -> hyn.GoldenRun:
    return hyn.run(network, samples, trace=True)


PICTURES: dict[str, Callable[[hyn.GoldenRun], hyn.plot.Picture]] = {
    "raster": lambda run: hyn.plot.raster(run),
    "another raster": lambda run: hyn.plot.raster(run, 3),
    "membrane": lambda run: hyn.plot.membrane(run, 1),
    "membrane of the last layer": lambda run: hyn.plot.membrane(run, 1, layer=1),
    "membrane of a neuron": lambda run: hyn.plot.membrane(run, 1, neurons=[4]),
    "utilisation": lambda run: hyn.plot.utilisation(hyn.predict(run.network, run.data, core="tiny")),
    "confusion": lambda run: hyn.plot.confusion(run),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name: str, run: hyn.GoldenRun, tmp_path: Path) -> None:
    """They are SVG, the same for the same run, and are saved as they are."""
    picture = PICTURES[name](run)
    assert ElementTree.fromstring(picture.svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert picture._repr_svg_() == picture.svg and picture == PICTURES[name](run)
    assert repr(picture) == f"Picture({len(picture.svg):,} bytes of SVG)"
    picture.save(tmp_path / "picture.svg")
    assert (tmp_path / "picture.svg").read_text() == picture.svg


def test_every_picture_is_another(run: hyn.GoldenRun) -> None:
    assert len({draw(run).svg for draw in PICTURES.values()}) == len(PICTURES)


def test_a_picture_of_spikes_needs_a_trace(network: hyn.Network, samples: hyn.DataSet) -> None:
    untraced = hyn.run(network, samples)
    for draw in (hyn.plot.raster, hyn.plot.membrane):
        assert refusal(lambda draw=draw: draw(untraced)) == "a picture needs a traced run; call hyn.run(…, trace=True)"


def test_what_is_not_there(run: hyn.GoldenRun) -> None:
    assert "sample must be from 0 to 5, not 6" in refusal(lambda: hyn.plot.raster(run, 6))
    assert "layer must be from 0 to 1, not 2" in refusal(lambda: hyn.plot.membrane(run, layer=2))
    assert "neuron must be from 0 to 2, not 3" in refusal(lambda: hyn.plot.membrane(run, layer=1, neurons=[3]))
    predicted = hyn.predict(run.network, run.data, core="tiny")
    assert "first must be from 0 to 5, not 6" in refusal(lambda: hyn.plot.utilisation(predicted, 6))
    assert "one label a sample" in refusal(lambda: hyn.plot.confusion(hyn.run(run.network, run.data.inputs)))
