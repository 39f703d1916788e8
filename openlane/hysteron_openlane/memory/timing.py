# SPDX-License-Identifier: Apache-2.0
"""The LIB of a macro for the flow: the PDK's with its limits mended, or an estimate where the PDK has none."""

import re
from pathlib import Path

from hysteron_base.files import write_file

from ..pdk import Pdk
from ..pdk.kit import read
from .macros import Macro

#: Load in pF of an input pin of a macro, and the slope of its outputs in ns, where there is only an estimate: about
#: what the LIBs of its sisters say.
_LOAD, _SLOPE = 0.007, 1.0


def library_of(macro: Macro, folder: Path) -> Path:
    """The file, written to ``folder``."""
    path = folder / "macros" / f"{macro.name}.lib"
    known = macro.pdk.macro_liberty(macro.name)
    write_file(path, (estimate(macro) if known is None else _possible(macro.pdk, read(known))).encode())
    return path


def _possible(pdk: Pdk, text: str) -> str:
    """OpenRAM's LIB with limits of slopes that a layout can meet.

    It limits the slopes of inputs to the largest one that it was characterised with, 0.04 ns, and those of outputs to
    0.5 ns, which is less than what it says they have without any load: OpenROAD's repair_design adds buffers to
    the data pins for ever. Outputs get the standard cells' own limit.
    """
    text = re.sub(r"(default_max_transition\s*:\s*)[\d.]+", rf"\g<1>{pdk.cells.limit_ns}", text)
    return re.sub(r"(\bmax_transition\s*:\s*)[\d.]+", rf"\g<1>{pdk.macros.input_limit_ns}", text)


def estimate(macro: Macro) -> str:
    """A LIB with the macro's estimated timing, the same for all loads and slopes."""
    timing, corner = macro.timing, macro.pdk.typical
    power, ground = macro.power.upper(), macro.ground.upper()
    buses = {name: bits for name, bits in macro.pins.items() if bits > 1}
    types = "".join(
        f"  type (bus_{bits}) {{ base_type : array; data_type : bit; bit_width : {bits}; "
        f"bit_from : {bits - 1}; bit_to : 0; }}\n"
        for bits in sorted(set(buses.values()))
    )
    pins = "".join(
        _pin(name, bits, macro) for name, bits in macro.pins.items() if name not in (macro.power, macro.ground)
    )
    return f"""/* An estimate (see hysteron_openlane.memory.macros): the PDK has no LIB for this macro. */
library ({macro.name}_estimate) {{
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  pulling_resistance_unit : "1kohm";
  leakage_power_unit : "1mW";
  capacitive_load_unit (1, pf);
  nom_voltage : {corner.volts};
  nom_temperature : {corner.celsius};
  nom_process : 1.0;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 10;
  slew_lower_threshold_pct_fall : 10;
  slew_upper_threshold_pct_rise : 90;
  slew_upper_threshold_pct_fall : 90;
  default_max_transition : {macro.pdk.cells.limit_ns};
  voltage_map ({power}, {corner.volts});
  voltage_map ({ground}, 0);
{types}  cell ({macro.name}) {{
    memory () {{ type : ram; address_width : {macro.pins["addr0"]}; word_width : {macro.width}; }}
    interface_timing : true;
    dont_use : true;
    map_only : true;
    dont_touch : true;
    area : {macro.size[0] * macro.size[1]:.3f};
    cell_leakage_power : {timing.leakage_mw:.8f};
    pg_pin ({macro.power}) {{ voltage_name : {power}; pg_type : primary_power; }}
    pg_pin ({macro.ground}) {{ voltage_name : {ground}; pg_type : primary_ground; }}
{pins}  }}
}}
"""


def _pin(name: str, bits: int, macro: Macro) -> str:
    clock = "clk1" if name.endswith("1") else "clk0"
    if name.startswith("clk"):
        body = _limit(name, "min_pulse_width", macro.timing.pulse_ns)
        body += _limit(name, "minimum_period", macro.timing.period_ns)
        return f"    pin ({name}) {{ clock : true; direction : input; capacitance : {_LOAD};\n{body}    }}\n"
    if name.startswith("dout"):
        kinds = {"cell_rise": macro.timing.access_ns, "cell_fall": macro.timing.access_ns}
        kinds |= {"rise_transition": _SLOPE, "fall_transition": _SLOPE}
        tables = "".join(f'        {kind} (scalar) {{ values ("{value:.4f}"); }}\n' for kind, value in kinds.items())
        body = f"      timing () {{ related_pin : {clock}; timing_type : falling_edge;\n{tables}      }}\n"
        head = "direction : output; max_capacitance : 0.1; memory_read () { address : addr" + clock[-1] + "; }"
    else:
        body = "".join(
            f"      timing () {{ related_pin : {clock}; timing_type : {kind}_rising;\n"
            f'        rise_constraint (scalar) {{ values ("{value:.4f}"); }}\n'
            f'        fall_constraint (scalar) {{ values ("{value:.4f}"); }}\n      }}\n'
            for kind, value in (("setup", macro.timing.setup_ns), ("hold", macro.timing.hold_ns))
        )
        head = f"direction : input; capacitance : {_LOAD};"
    if bits == 1:
        return f"    pin ({name}) {{ {head}\n{body}    }}\n"
    inside = f"      pin ({name}[{bits - 1}:0]) {{\n{body}      }}\n"
    return f"    bus ({name}) {{ bus_type : bus_{bits}; {head}\n{inside}    }}\n"


def _limit(name: str, kind: str, value: float) -> str:
    return (
        f"      timing () {{ timing_type : {kind}; related_pin : {name};\n"
        f'        rise_constraint (scalar) {{ values ("{value:.4f}"); }}\n'
        f'        fall_constraint (scalar) {{ values ("{value:.4f}"); }}\n      }}\n'
    )
