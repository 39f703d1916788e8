# SPDX-License-Identifier: Apache-2.0
"""The front door: what ``import hyn`` gives, what it loads, and what it says of an extra that is missing."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hyn
from hysteron_base.extras import EXTRAS

ROOT = Path(__file__).parents[2]
PUBLIC = sorted(hyn._PUBLIC)


def fresh(code: str) -> Any:
    """What ``code``, run by a process of its own, prints as JSON."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_import_loads_nothing_heavy() -> None:
    loaded = set(fresh("import sys, json, hyn; print(json.dumps(sorted(sys.modules)))"))
    assert "hyn" in loaded
    named = re.search(r"heavy = (\{.*?\})", (ROOT / "tests/wheel/run").read_text())
    assert named
    heavy = {*ast.literal_eval(named[1]), *EXTRAS, "numpy", "click", "rich"}
    assert not {name.partition(".")[0] for name in loaded} & heavy
    assert not {name for name in loaded if name.startswith("hysteron_")}, "a package is loaded when it is needed"


def test_the_names_agree() -> None:
    """Those that are listed, those that are found, and those that type checkers see."""
    assert sorted(hyn.__all__) == PUBLIC == sorted(set(dir(hyn)))
    tree = ast.parse(Path(hyn.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.asname or alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert sorted(seen) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there_and_explained(name: str) -> None:
    value = getattr(hyn, name)
    assert getattr(hyn, name) is value
    if isinstance(value, types.FunctionType | type | types.ModuleType) and name != "Tell":
        assert value.__doc__ and value.__doc__.strip().split("\n")[0].endswith((".", ":"))


def test_no_module_of_the_package_takes_the_place_of_a_name() -> None:
    """An imported module becomes an attribute of its package, and would hide a function that is called like it."""
    modules = {path.stem for path in Path(hyn.__file__).parent.glob("*.py")} - {"__init__"}
    assert "runs" in modules and modules & set(PUBLIC) == {"plot"}


def test_public_names_need_no_extra() -> None:
    """All of them are there where nothing optional is."""
    code = f"""
import json, sys
for name in {sorted(EXTRAS)!r}:
    sys.modules[name] = None
import hyn
print(json.dumps([name for name in hyn.__all__ if getattr(hyn, name) is not None]))
"""
    assert sorted(fresh(code)) == PUBLIC


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'hyn' has no attribute 'simualte'"):
        hyn.simualte  # noqa: B018 (it raises)
    with pytest.raises(ImportError, match="simualte"):
        from hyn import simualte  # noqa: F401


def test_what_is_missing_is_told_with_its_extra() -> None:
    """Each call in an installation without extras; what needs none works."""
    calls = {
        "hyn.plot.raster(run)": "report",
        "hyn.plot.membrane(run)": "report",
        "hyn.plot.utilisation(hyn.predict(network, pixels))": "report",
        "hyn.plot.confusion(hyn.run(network, hyn.DataSet('x', pixels, numpy.zeros(2, int))))": "report",
        "hyn.simulate(network, pixels)": "sim",
        "hyn.verilog('tiny')": "sim",
        "hyn.train('digits')": "train",
        "hyn.export_nir(network, 'never.nir')": "convert",
        "hyn.data('digits')": "data",
        "hyn.open('sim:digits')": "machine",
        "hyn.open('serial:/dev/nothing')": "host",
    }
    code = f"""
import json, sys
for name in {sorted(EXTRAS)!r}:
    sys.modules[name] = None
import hyn, numpy
network = hyn.load("digits")
pixels = numpy.zeros((2, 64), numpy.uint8)
run = hyn.run(network, pixels, trace=True)
assert hyn.predict(network, pixels).cycles > 0
with hyn.open("golden:") as machine:
    machine.load(network)
    assert len(list(machine.infer(pixels))) == 2
said = {{}}
for call in {list(calls)!r}:
    try:
        said[call] = repr(eval(call))
    except hyn.HysteronError as error:
        said[call] = str(error)
print(json.dumps(said))
"""
    said = fresh(code)
    for call, extra in calls.items():
        assert said[call].endswith(f"pip install 'hyn[{extra}]'"), (call, said[call])
        assert "\n" not in said[call]


def test_the_example_in_the_documentation_of_the_package(network: hyn.Network, samples: hyn.DataSet) -> None:
    """Every call that the docstring shows is one."""
    shown = re.findall(r"hyn\.(\w+)\(", hyn.__doc__ or "")
    assert len(shown) >= 6 and set(shown) <= set(hyn.__all__)
    assert np.array_equal(hyn.run(network, samples).predictions, hyn.run(network, samples.inputs).predictions)
