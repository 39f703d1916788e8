# SPDX-License-Identifier: Apache-2.0
"""Counting changes, and what they cost, on a netlist that can be worked out by hand."""

import importlib.util
from dataclasses import replace
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
    every = activity(vcd, "gate.chip.", {"all": (0, 100)}, [])["all"]
    assert every.seconds == pytest.approx(100e-12)
    assert (every.rises["clk"], every.falls["clk"]) == (3, 3)
    # From a value that was never known is no change.
    assert (every.rises["a.b[0]"], every.falls["a.b[0]"]) == (0, 1)
    assert (every.rises["a.b[1]"], every.falls["a.b[1]"]) == (1, 0)
    assert (every.rises["c[2]"], every.falls["c[2]"]) == (0, 1)
    assert every.unknown == ["a.b[0]", "c[2]"]
    both = activity(vcd, "gate.chip.", {"late": (25, 100), "early": (0, 25)}, [])
    assert (both["late"].rises["clk"], both["late"].falls["clk"]) == (2, 2)
    assert (both["early"].rises["clk"], both["early"].falls["clk"]) == (1, 1)
    # What stands still is there too, so that a net that is not in the file can be told.
    assert both["late"].rises["a.b[0]"] == 0
    assert both["late"].unknown == []


def test_windows_that_overlap_are_refused(vcd: Path) -> None:
    with pytest.raises(HysteronError, match="must not overlap"):
        activity(vcd, "gate.chip.", {"all": (0, 100), "late": (25, 100)}, [])


def test_changes_through_an_unknown_value_are_counted(tmp_path: Path) -> None:
    """An unknown value keeps the one before it: 0, x, 1 is a rise, 1, x, 1 is none."""
    head = "$scope module t $end\n$var wire 1 ! a $end\n$upscope $end\n$enddefinitions $end\n"
    values = "0x1x1x01"
    (tmp_path / "x.vcd").write_text(head + "".join(f"#{time}\n{value}!\n" for time, value in enumerate(values)))
    found = activity(tmp_path / "x.vcd", "t.", {"all": (0, 10)}, [])["all"]
    assert (found.rises["a"], found.falls["a"], found.unknown) == (2, 1, ["a"])


def test_a_clock_that_the_file_lacks_is_told(vcd: Path) -> None:
    with pytest.raises(HysteronError, match="has no net other"):
        activity(vcd, "gate.chip.", {"all": (0, 100)}, [Port("ram", "other", None)])


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
  wire n, loose;
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
    assert busy.bit_lines is None
    load = design.library["sky130_fd_sc_hd__dfxtp_1"].pins["D"].load + power.WIRE
    assert busy.switching == pytest.approx(0.5 * load * 1.8**2 * 1e-12 / 1e-6)
    assert busy.macros == pytest.approx((3 * 10 + 20) * 1e-12 / 1e-6 + 1e-6)
    assert busy.cells > 0
    assert busy.clock == 0
    clock = design.power(Activity(1e-6, {"clk": 1}, {"clk": 1}, {"ram": (0, 0)}))
    assert clock.clock > 0
    assert clock.cells == 0
    known = {name: 0 for names in design.names.values() for name in names}
    assert design.unknown(Activity(1, known)) == []
    # One that is in the simulation only, one that it lacks, one that was unknown.
    assert design.unknown(Activity(1, {**known, "other": 1})) == ["other"]
    assert design.unknown(Activity(1, {name: 0 for name in known if name != "n"})) == ["n"]
    assert design.unknown(Activity(1, known, unknown=["q"])) == ["q"]


@needs_yosys
@pytest.mark.usefixtures("pdk", "build")
def test_bit_lines_come_on_top_where_they_are_known(tmp_path: Path) -> None:
    (tmp_path / "top.v").write_text(NETLIST)
    name = "sky130_sram_2kbyte_1rw_32x512_8"
    (tmp_path / "top.v").write_text(NETLIST.replace("sram ram", f"{name} ram"))
    found = Design(SKY130, tmp_path / "top.v", "top", [replace(MACRO, name=name)], tmp_path)
    busy = found.power(Activity(1e-6, accesses={"ram": (3, 1)}))
    assert busy.bit_lines == pytest.approx(4 * 45e-12 / 1e-6)
    assert busy.macros == pytest.approx((3 * 10 + 20) * 1e-12 / 1e-6 + 1e-6)
    assert busy.total == pytest.approx(busy.macros + busy.leakage)


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
