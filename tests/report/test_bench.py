# SPDX-License-Identifier: Apache-2.0
"""The performance table."""

from hysteron_report.bench import table


def test_a_line_for_each_core_and_activity() -> None:
    rows = [
        {"preset": "mnist", "activity": 0.05, "cycles_per_step": 50.0, "bound": 49.5, "utilisation": 0.99},
        {"preset": "openspike", "activity": 0.0, "cycles_per_step": 20.0, "bound": 16.0, "utilisation": 0.8},
    ]
    speeds = {"golden_images_per_second": 41234.5, "golden_over_matmul": 2.345}
    speeds |= {"rtl_cycles_per_second": 98765.4, "cocotb_over_bare": 1.234}
    lines = table({"rows": rows, **speeds}).splitlines()
    assert lines[2] == "| mnist | 5 % | 50.0 | 49.5 | 99.0 % | 2,000,000 |  |"
    assert lines[3] == "| openspike | 0 % | 20.0 | 16.0 | 80.0 % | 5,000,000 | 518 / 1,092 |"
    for text in ("41,23", "2.35", "98,765", "1.23"):
        assert any(text in line for line in lines[6:]), text
