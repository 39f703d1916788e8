# SPDX-License-Identifier: Apache-2.0
"""A SPEF made small: what a timing analysis sees of it stays the same."""

from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError
from hysteron_openlane.gate.power import read_spef
from hysteron_openlane.gate.spef import lumped

HEADER = """*SPEF "ieee 1481-1999"
*C_UNIT 1 PF
*NAME_MAP
*1 one
*2 two
*3 u1
*4 u2

"""
TEXT = (
    HEADER
    + """*D_NET *1 0.00654321
*CONN
*I *3:Y O *D inv
*I *4:A I *D inv
*CAP
1 *3:Y 0.001
2 *1:17 0.002
3 *4:A 0
4 *1:17 *2:5 0.003
5 *2:5 *4:A 0.00054321
*RES
1 *3:Y *1:17 12.3456
2 *1:17 *4:A 7
*END

*D_NET *2 0.00354321
*CONN
*P y O
*I *4:Y O *D inv
*CAP
1 *2:5 *1:17 0.003
2 *2:5 *4:A 0.00054321
*END

"""
)


def test_couplings_become_capacitances_to_ground_at_the_net_s_own_node() -> None:
    assert lumped(TEXT) == (
        HEADER
        + """*D_NET *1 0.00654
*CONN
*I *3:Y O *D inv
*I *4:A I *D inv
*CAP
1 *3:Y 0.001
2 *1:1 0.005
3 *4:A 0.000543
*RES
1 *3:Y *1:1 12.3
2 *1:1 *4:A 7
*END

*D_NET *2 0.00354
*CONN
*P y O
*I *4:Y O *D inv
*CAP
1 *2:1 0.00354
*END

"""
    )


def test_a_net_s_capacitance_stays(tmp_path: Path) -> None:
    before, after = tmp_path / "before.spef", tmp_path / "after.spef"
    before.write_text(TEXT)
    after.write_text(lumped(TEXT))
    wanted, found = read_spef(before), read_spef(after)
    assert wanted.keys() == found.keys() == {"one", "two"}
    assert all(abs(found[net] / wanted[net] - 1) < 5e-3 for net in wanted)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEADER, r"must have nets \(\*D_NET\)"),
        (TEXT.replace("4 *1:17 *2:5 0.003", "4 *9:17 *2:5 0.003"), "must sum up to 0.00654321, not 0.00354321"),
    ],
)
def test_a_spef_that_does_not_add_up_is_told(text: str, told: str) -> None:
    with pytest.raises(HysteronError, match=told):
        lumped(text)


def test_what_is_small_already_stays() -> None:
    assert lumped(lumped(TEXT)) == lumped(TEXT)
