# SPDX-License-Identifier: Apache-2.0
"""Counting changes, and what they cost, on a netlist that can be worked out by hand."""

import importlib.util
import signal
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.gate import power
from hysteron_openlane.gate.activity import Activity, Port, activity
from hysteron_openlane.gate.power import Design, Pin, Table
from hysteron_openlane.memory.macros import Macro, Timing
from hysteron_openlane.pdk import SKY130

VCD = """$timescale 1ps $end
$scope module gate $end
$scope module chip $end
$var wire 1 ! clk $end
$var wire 2 " \\a.b [1:0] $end
$var wire 1 # \\c[2] $end
$var wire 1 $ web $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
0!
b0x "
x#
1$
$end
#10
1!
b11 "
1#
#20
0!
b10 "
0$
#30
1!
0#
#40
0!
#50
1!
#60
0!
"""


@pytest.fixture
def vcd(tmp_path: Path) -> Path:
    path = tmp_path / "a.vcd"
    path.write_text(VCD)
    return path


def test_changes_are_counted_by_bit_and_window(vcd: Path) -> None:
    found = activity(vcd, "gate.chip.", {"all": (0, 100), "late": (25, 100)}, [])
    every, late = found["all"], found["late"]
    assert every.seconds == pytest.approx(100e-12)
    assert (every.rises["clk"], every.falls["clk"]) == (3, 3)
    # From x is no change.
    assert (every.rises["a.b[0]"], every.falls["a.b[0]"]) == (0, 1)
    assert (every.rises["a.b[1]"], every.falls["a.b[1]"]) == (1, 0)
    assert (every.rises["c[2]"], every.falls["c[2]"]) == (0, 1)
    assert (late.rises["clk"], late.falls["clk"]) == (2, 2)
    assert "a.b[0]" not in late.rises


def test_a_closed_pipe_is_still_an_error() -> None:
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN


def test_accesses_of_a_macro(vcd: Path) -> None:
    """Read while nothing is written, and the value at the clock's edge decides."""
    found = activity(vcd, "gate.chip.", {"all": (0, 100)}, [Port("ram", "clk", "web"), Port("rom", "clk", None)])["all"]
    assert found.accesses["rom"] == (3, 0)
    assert found.accesses["ram"] == (1, 2)


def test_energy_between_the_points_of_a_table() -> None:
    table = Table((1.0, 3.0), (10.0, 30.0))
    assert [table.at(load) for load in (0.5, 1.0, 2.0, 3.0, 9.0)] == [10.0, 10.0, 20.0, 30.0, 30.0]
    assert Table((), (7.0,)).at(5.0) == 7.0


def test_energy_of_a_pin_is_the_mean_of_its_conditions() -> None:
    pin = Pin(True, 0.0, (Table((), (1.0,)), Table((), (3.0,))), (Table((), (5.0,)),))
    assert pin.energy(2, 3, 0.0) == 2 * 2.0 + 3 * 5.0


def test_a_spef_s_wires(tmp_path: Path) -> None:
    path = tmp_path / "a.spef"
    path.write_text("*C_UNIT 1 PF\n*NAME_MAP\n*1 clk\n*2 a.b\\[1\\]\n\n*D_NET *1 0.25\n*D_NET *2 1e-3\n")
    assert power.read_spef(path) == {"clk": 0.25, "a.b[1]": 0.001}
    path.write_text("*C_UNIT 1 FF\n*D_NET a 1\n")
    with pytest.raises(HysteronError, match="must count in pF"):
        power.read_spef(path)
    path.write_text("*C_UNIT 1 PF\n")
    with pytest.raises(HysteronError, match="has no nets"):
        power.read_spef(path)


NETLIST = """
module top (input clk, input d, output q);
  wire n;
  sky130_fd_sc_hd__inv_1 inv (.A(d), .Y(n));
  sky130_fd_sc_hd__dfxtp_1 ff (.CLK(clk), .D(n), .Q(q));
  sram ram (.clk0(clk), .web0(d), .csb0(1'b0));
endmodule
"""
TIMING = Timing(1, 1, 1, 1, 1, 0.001, 10, 20, 5, 0, 0)
MACRO = Macro(SKY130, "sram", 1, 1, 1, 1, (1, 1), {}, "vccd1", "vssd1", TIMING)

needs_yosys = pytest.mark.skipif(
    importlib.util.find_spec("pyosys") is None, reason="pyosys is missing; it comes with 'make gds-setup'"
)


@pytest.fixture
def design(tmp_path: Path, pdk: Path, build: Path) -> Design:
    (tmp_path / "top.v").write_text(NETLIST)
    return Design(SKY130, tmp_path / "top.v", "top", [MACRO], tmp_path)


@needs_yosys
def test_a_netlist_worked_out_by_hand(design: Design) -> None:
    still = Activity(1e-6, accesses={"ram": (0, 0)})
    nothing = design.power(still)
    leakage = sum(design.library[f"sky130_fd_sc_hd__{name}"].leakage for name in ("inv_1", "dfxtp_1"))
    assert nothing.leakage == pytest.approx(1e-9 * leakage)
    assert (nothing.switching, nothing.clock, nothing.cells, nothing.macros) == (0, 0, 0, pytest.approx(1e-6))

    once = Activity(1e-6, {"n": 1}, {"n": 0}, {"ram": (3, 1)})
    busy = design.power(once)
    load = design.library["sky130_fd_sc_hd__dfxtp_1"].pins["D"].load + power.WIRE
    assert busy.switching == pytest.approx(0.5 * load * 1.8**2 * 1e-12 / 1e-6)
    assert busy.macros == pytest.approx((3 * 10 + 20) * 1e-12 / 1e-6 + 1e-6)
    assert busy.cells > 0
    assert busy.clock == 0
    clock = design.power(Activity(1e-6, {"clk": 1}, {"clk": 1}, {"ram": (0, 0)}))
    assert clock.clock > 0
    assert clock.cells == 0
    assert design.unknown(Activity(1, {"n": 1, "other": 1, "quiet": 0})) == ["other"]


@needs_yosys
def test_ports_of_macros(design: Design) -> None:
    assert design.ports() == [Port("ram", "clk", "d")]


@needs_yosys
@pytest.mark.usefixtures("pdk", "build")
def test_cells_that_no_library_has_are_told(tmp_path: Path) -> None:
    (tmp_path / "top.v").write_text(NETLIST)
    with pytest.raises(HysteronError, match="cells that no library has: sram"):
        Design(SKY130, tmp_path / "top.v", "top", [], tmp_path)


def with_wires(folder: Path, wires: dict[str, float]) -> Design:
    (folder / "top.v").write_text(NETLIST)
    spef = folder / "top.spef"
    spef.write_text("*C_UNIT 1 PF\n" + "".join(f"*D_NET {net} {load}\n" for net, load in wires.items()))
    return Design(SKY130, folder / "top.v", "top", [MACRO], folder, spef=spef)


@needs_yosys
@pytest.mark.usefixtures("pdk", "build")
def test_wires_of_a_layout_take_the_place_of_the_estimate(tmp_path: Path) -> None:
    design = with_wires(tmp_path, {"n": 0.5, "clk": 0.25, "d": 0.125})
    load = design.library["sky130_fd_sc_hd__dfxtp_1"].pins["D"].load + 0.5
    assert [each for bit, each in design.loads.items() if "n" in design.names[bit]] == [pytest.approx(load)]


@needs_yosys
@pytest.mark.usefixtures("pdk", "build")
def test_a_spef_of_another_netlist_is_told(tmp_path: Path) -> None:
    design = with_wires(tmp_path, {"other": 0.5})
    with pytest.raises(HysteronError, match=r"the SPEF has no wire \w+; is it of another netlist\?"):
        _ = design.loads


@needs_yosys
@pytest.mark.usefixtures("pdk", "build")
def test_cells_with_nothing_but_the_supply_need_no_library(tmp_path: Path) -> None:
    (tmp_path / "top.v").write_text(NETLIST.replace("endmodule", "  sky130_fd_sc_hd__fill_1 fill ();\nendmodule"))
    assert "fill" not in Design(SKY130, tmp_path / "top.v", "top", [MACRO], tmp_path).netlist["cells"]
