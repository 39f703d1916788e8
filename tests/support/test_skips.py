# SPDX-License-Identifier: Apache-2.0
"""What a run's last lines say of skipped tests."""

from pathlib import Path

import pytest

from support.convert import NEEDS_NIR, NEEDS_TORCH
from support.data import need_data
from support.skips import sentences


def test_each_kind_has_one_sentence() -> None:
    reasons = [
        f"Skipped: {NEEDS_TORCH}",
        "Skipped: needs data set mnist: set HYSTERON_DATA or run 'hysteron data fetch mnist'",
        "Skipped: needs data set fsdd: set HYSTERON_DATA or run 'hysteron data fetch fsdd'",
        "Skipped: needs data set mnist: set HYSTERON_DATA or run 'hysteron data fetch mnist'",
        "PDK_ROOT is not set",
        "iverilog is missing",
        "it comes with 'make gds-setup'",
        NEEDS_NIR,
        "gcov is not installed (Debian: package gcc)",
    ]
    assert sentences(reasons) == [
        "3 tests or files of tests were skipped for want of data sets (fsdd, mnist); "
        "to have them, set HYSTERON_DATA or run 'hysteron data fetch fsdd mnist'.",
        "1 test or file of tests was skipped for want of the PDK sky130A; "
        "to have it, set PDK_ROOT to the folder that has it.",
        "1 test or file of tests was skipped for want of PyTorch and snnTorch; to have it, run 'make test-train'.",
        "2 tests or files of tests were skipped for want of the tools of silicon; to have them, run 'make test-gds'.",
        "1 test or file of tests was skipped for want of optional packages; "
        "to have it, pip install 'hyn[convert]', or run 'make setup'.",
        "1 test or file of tests was skipped: gcov is not installed (Debian: package gcc).",
    ]
    assert sentences([]) == []


def test_data_that_are_missing_are_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYSTERON_DATA", str(tmp_path))
    need_data("digits")
    with pytest.raises(pytest.skip.Exception) as skipped:
        need_data("yin-yang", "mnist-14")
    assert sentences([str(skipped.value)])[0].endswith("run 'hysteron data fetch mnist-14'.")
