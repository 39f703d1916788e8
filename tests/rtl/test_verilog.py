# SPDX-License-Identifier: Apache-2.0
"""The Verilog that leaves the generator."""

import re

import pytest

from hysteron_rtl.verilog import convert, merge_modules
from support.bench import TINY


@pytest.fixture(scope="module")
def text() -> str:
    return convert(TINY)


def modules(text: str) -> list[str]:
    return re.findall(r"^module (\\\S+|\w+)", text, re.M)


def header(text: str) -> list[str]:
    """Ports of the top module."""
    (ports,) = re.findall(r"^module hysteron_core\((.*?)\);", text, re.M | re.S)
    return [port.strip() for port in ports.split(",")]


def test_all_lanes_are_one_module(text: str) -> None:
    names = modules(text)
    assert names.count("neuron") == 1
    assert not [name for name in names if "neuron_" in name]
    assert len(re.findall(r"^  neuron +\S+ +\(", text, re.M)) == TINY.lanes
    assert len(names) == len(set(names)) == text.count("endmodule")
    assert not re.search(r"^  \\?\S*\.neuron_\d+ ", text, re.M), "an instance of a module that is gone"


def test_every_instance_has_its_module(text: str) -> None:
    instances = set(re.findall(r"^  (\\hysteron_core\.\S+|neuron) +\S+ +\(", text, re.M))
    assert len(instances) > 10
    assert instances == set(modules(text)) - {"hysteron_core"}


def test_the_same_core_gives_the_same_text(text: str) -> None:
    assert convert(TINY) == text


def test_the_text_names_no_source_file(text: str) -> None:
    assert "(* src" not in text
    assert ".py" not in text


def test_only_a_traced_core_has_trace_ports(text: str) -> None:
    plain = header(text)
    assert {"clk", "rst", "bus__adr", "bus__ack", "i__payload", "i__ready", "o__payload", "o__valid"} <= set(plain)
    assert not [port for port in plain if "trace" in port]
    trace = {f"trace__{name}" for name in ("read", "row", "stored", "layer", "tile", "spikes", "potentials")}
    assert set(header(convert(TINY, trace=True))) == set(plain) | trace


TWO = r"""module \top.x_0 (a);
  reg \$auto$dump_module$12  = 0;
  {0}
endmodule

module \top.x_1 (a);
  reg \$auto$dump_module$13  = 0;
endmodule

module top(a);
  \top.x_0  x_0 (
  \top.x_1  x_1 (
endmodule
"""


def test_merge_modules() -> None:
    merged = merge_modules(TWO.replace("  {0}\n", ""), "x")
    assert modules(merged) == ["top", "x"]
    assert re.findall(r"^  (\S+)  x_\d", merged, re.M) == ["x", "x"]


def test_merge_modules_refuses_different_ones() -> None:
    with pytest.raises(AssertionError, match="2 different modules are called x"):
        merge_modules(TWO, "x")
