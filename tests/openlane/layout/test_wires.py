# SPDX-License-Identifier: Apache-2.0
"""An extraction of wires against their geometry, on two wires that are drawn here."""

from pathlib import Path

import pytest

pytest.importorskip("klayout", reason="it comes with 'make gds-setup'")

import klayout.db as db

from hysteron_base.errors import HysteronError
from hysteron_openlane.layout import wires
from hysteron_openlane.layout.connectivity import Extracted
from hysteron_openlane.pdk import SKY130

SPEF = """*C_UNIT 1 PF
*R_UNIT 1 OHM
*NAME_MAP
*1 one
*2 b\\[0\\]

*D_NET one {one}
*CONN
*P a I
*P *2 O
*CAP
1 a {one}
*RES
1 a *2 {ohms}
*END

*D_NET two {two}
*CONN
*P c I
*P d O
*CAP
1 c {two}
*RES
1 c d {ohms}
*END
"""


def compared(folder: Path, one: float, two: float, ohms: float) -> wires.Compared:
    layout = db.Layout()
    layout.dbu = 0.001
    top = layout.create_cell("top")
    for y, names in ((0, ("a", "b[0]")), (5, ("c", "d"))):
        top.shapes(layout.layer(69, 20)).insert(db.DBox(0, y, 300, y + 0.2))
        for name, x in zip(names, (1, 299), strict=True):
            top.shapes(layout.layer(69, 5)).insert(db.DText(name, db.DTrans(x, y + 0.1)))
    layout.write(str(folder / "wires.gds"))
    (folder / "wires.spef").write_text(SPEF.format(one=one, two=two, ohms=ohms))
    (folder / "top.def").write_text("UNITS DISTANCE MICRONS 1000 ;\n")
    extracted = Extracted(SKY130, folder / "wires.gds", "top", [])
    return wires.compare_wires(SKY130, extracted, extracted.nets(folder / "top.def", {}), folder / "wires.spef")


#: By the LEF of met2: 60 µm² and 600.4 µm of edge; 1,499 squares.
FARADS = 60 * 16.9423e-6 + 600.4 * 37.759e-6
OHMS = 1499 * 0.125


@pytest.mark.usefixtures("pdk")
def test_capacitance_and_resistance_by_the_pdk_s_lef(tmp_path: Path) -> None:
    found = compared(tmp_path, 2 * FARADS, 2 * FARADS, 2 * OHMS)
    assert (found.nets, found.wrong) == (2, ())
    assert (found.capacitance, found.resistance) == (pytest.approx(2, rel=1e-3), pytest.approx(2, rel=1e-3))
    assert wires.CAPACITANCE[0] < found.capacitance < wires.CAPACITANCE[1]
    assert wires.RESISTANCE[0] < found.resistance < wires.RESISTANCE[1]


@pytest.mark.usefixtures("pdk")
def test_an_extraction_that_was_scaled_is_told(tmp_path: Path) -> None:
    found = compared(tmp_path, 0.2 * FARADS, 0.2 * FARADS, 0.2 * OHMS)
    assert found.capacitance < wires.CAPACITANCE[0]
    assert found.resistance < wires.RESISTANCE[0]


@pytest.mark.usefixtures("pdk")
def test_one_net_that_was_scaled_is_told(tmp_path: Path) -> None:
    found = compared(tmp_path, 0.2 * FARADS, 2 * FARADS, 2 * OHMS)
    assert any(line.startswith(".a: ") for line in found.wrong)


@pytest.mark.usefixtures("pdk")
def test_a_unit_that_is_another_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.spef").write_text(SPEF.replace("1 OHM", "1 KOHM"))
    with pytest.raises(HysteronError, match="must count in OHM"):
        wires.extracted_nets(tmp_path / "a.spef")
