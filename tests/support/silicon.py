# SPDX-License-Identifier: Apache-2.0
"""What tests of silicon need: the PDK, its macros by name, small netlists and layouts."""

from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.memory.macros import Macro, macros
from hysteron_openlane.pdk import SKY130


def need_pdk() -> Path:
    """The PDK's folder; without it the test is skipped, and the reason says what it is and how to have it."""
    try:
        return SKY130.root()
    except HysteronError as error:
        pytest.skip(str(error))


def pdk_macro(name: str) -> Macro:
    """A macro of the PDK."""
    return macros(SKY130)[name]


#: Two inverters one after the other, and where they are.
NETLIST = """
module top (input a, output y);
  wire n;
  inv one (.A(a), .Y(n));
  inv two (.A(n), .Y(y));
endmodule
"""
PLACEMENT = """UNITS DISTANCE MICRONS 1000 ;
DIEAREA ( 0 0 ) ( 10000 5000 ) ;
COMPONENTS 2 ;
    - one inv + PLACED ( 0 0 ) N ;
    - two inv + PLACED ( 4000 0 ) FN ;
END COMPONENTS
"""
