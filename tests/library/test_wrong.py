# SPDX-License-Identifier: Apache-2.0
"""Arguments of a wrong kind: one line that names the value and says what to give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hyn
from support.convert import NEEDS_TORCH
from support.refusal import refusal

net = hyn.load("digits")
data = hyn.data("digits").take(slice(3))
core = hyn.PRESETS["digits"]


def layer(**fields: Any) -> Any:
    return hyn.Layer(np.ones((3, 2), int), 5, **fields)


def traced() -> Any:
    return hyn.run(net, data, trace=True)


#: Calls, and what their refusals say.
WRONG: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "run, a name": (lambda: hyn.run("digits", data), ("network must be a Network, not 'digits'", "hyn.load(name)")),
    "run, None": (lambda: hyn.run(None, data), ("network must be a Network, not None",)),
    "simulate, a name": (lambda: hyn.simulate("digits", data), ("network must be a Network, not 'digits'",)),
    "predict, a name": (lambda: hyn.predict("digits", data), ("network must be a Network, not 'digits'",)),
    "export, a name": (lambda: hyn.export_nir("digits", "x.nir"), ("network must be a Network, not 'digits'",)),
    "save, a name": (lambda: hyn.save("digits", "x.hyn"), ("network must be a Network, not 'digits'",)),
    "compile, a name": (lambda: hyn.compile_network("digits", core), ("network must be a Network, not 'digits'",)),
    "compile for a name": (lambda: hyn.compile_network(net, "digits"), ("config must be a CoreConfig", "PRESETS")),
    "samples, None": (lambda: hyn.run(net, None), ("samples must be a data set, its name, or an array", "None")),
    "samples, rows that differ": (lambda: hyn.run(net, [[1, 2], [3]]), ("samples must be a rectangular array",)),
    "samples, a mapping": (lambda: hyn.run(net, {}), ("samples must be a data set", "{}", "hyn.data(name)")),
    "no samples": (lambda: hyn.predict(net, data.take(slice(0))), ("at least one sample, not 0",)),
    "judge, a number": (lambda: hyn.run(net, data, judge=3), ("judge must be one of winner,", "not 3")),
    "images 0": (lambda: hyn.predict(net, data, images=0), ("images must be from 1 to", "not 0")),
    "images -1": (lambda: hyn.predict(net, data, images=-1), ("images must be from 1 to", "not -1")),
    "images, text": (lambda: hyn.predict(net, data, images="3"), ("images must be an integer from 1", "'3'")),
    "simulated images -1": (lambda: hyn.simulate(net, data, images=-1), ("images must be from 1 to", "not -1")),
    "settings, a list": (
        lambda: hyn.predict(net, data, settings=["lanes=64"]),
        ("['lanes=64']", "{'lanes"),
    ),
    "settings, text": (lambda: hyn.predict(net, data, settings="lanes=64"), ("'lanes=64'", "{'lanes'")),
    "settings of a core": (
        lambda: hyn.predict(net, data, core=core, settings=["a"]),
        ("['a']", "{'lanes'"),
    ),
    "a setting, None": (
        lambda: hyn.predict(net, data, settings={"lanes": None}),
        ("lanes must be an integer, not None",),
    ),
    "a setting, half": (
        lambda: hyn.predict(net, data, settings={"lanes": 2.5}),
        ("lanes must be an integer, not 2.5",),
    ),
    "a flag": (lambda: core.override({"encoder": 3}), ("encoder must be true or false, not '3'",)),
    "verilog of a number": (lambda: hyn.verilog(3), ("preset must be one of tiny", "not 3")),
    "an address, a number": (lambda: hyn.open(3), ("address must be text", "not 3")),
    "an option": (lambda: hyn.open("golden:", jiter=3), ("takes no option 'jiter'", "did you mean 'jitter'?")),
    "an option of a port": (lambda: hyn.open("serial:x", speed=3), ("takes no option 'speed'", "baud")),
    "an option's value": (
        lambda: hyn.open("golden:", dropped="a"),
        ("dropped must be a number, not 'a'", "give one from 0 up"),
    ),
    "mode": (lambda: layer(mode="latch"), ("not 'latch'; did you mean 'Mode.LATCH'?",)),
    "reset": (
        lambda: layer(reset="no"),
        ("reset must be one of Reset.ZERO, Reset.SUB", "'no'"),
    ),
    "readout": (
        lambda: hyn.Network((layer(),), readout="count"),
        ("readout must be one of Readout.COUNT", "'Readout.COUNT'?"),
    ),
    "coding": (lambda: hyn.Encoder("level", 1, (3,)), ("coding must be one of Coding.RATE", "'Coding.LEVEL'?")),
    "layers, one": (lambda: hyn.Network(layer()), ("layers must be a list of Layer, not Layer(3", "(layer,)")),
    "layers, None": (lambda: hyn.Network(None), ("layers must be a list of Layer, not None",)),
    "save, no path": (lambda: hyn.save(net, None), ("path must be the path of a file, not None",)),
    "export, dt": (
        lambda: hyn.export_nir(net, "x.nir", dt="a"),
        ("dt must be a number, not 'a'; give seconds, as 1e-4",),
    ),
    "picture of a network": (lambda: hyn.plot.raster(net), ("run must be a GoldenRun", "hyn.run makes one")),
    "confusion of a network": (lambda: hyn.plot.confusion(net), ("run must be a GoldenRun",)),
    "utilisation of a number": (lambda: hyn.plot.utilisation(3), ("must be a Prediction or a Simulation, not 3",)),
    "one neuron": (lambda: hyn.plot.membrane(traced(), neurons=3), ("neurons must be a list of numbers, not 3",)),
    "import, potential": (
        lambda: hyn.import_network("x.nir", potential=16),
        ("must be a Potential, not 16",),
    ),
    "import, limit": (lambda: hyn.import_network("x.nir", limit="8"), ("limit must be an integer", "'8'")),
}


@pytest.mark.parametrize(("call", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument(call: Callable[..., Any], told: tuple[str, ...], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    message = refusal(call)
    assert "\n" not in message
    for part in told:
        assert part in message
    assert not list(tmp_path.iterdir())


def test_a_wrong_share_that_is_held_back() -> None:
    pytest.importorskip("torch", reason=NEEDS_TORCH)
    assert "held_back must be a number, not 'a'" in refusal(lambda: hyn.train("yin-yang", held_back="a"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for save in (
        lambda path: hyn.save(net, path),
        lambda path: hyn.export_nir(net, path),
        lambda path: hyn.plot.Picture("<svg/>").save(path),
    ):
        for path in (tmp_path, str(tmp_path)):
            message = refusal(lambda save=save, path=path: save(path))
            assert message == f"path: '{tmp_path}' is a folder, where a file is to be written; give the path of a file"
        assert "a part of the path is a file" in refusal(lambda save=save: save(tmp_path / "file" / "x"))


def test_numbers_and_files_that_mean_the_same_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, inputs=data.inputs)
    wanted = hyn.run(net, data).predictions.tolist()
    assert hyn.run(net, path).predictions.tolist() == hyn.run(net, data.inputs.tolist()).predictions.tolist() == wanted
    assert core.override({"lanes": 64}) == core.override({"lanes": "64"})
    assert core.override({"counters": False}) == core.override({"counters": "false"})
    assert hyn.predict(net, data, images=99).samples == 3
