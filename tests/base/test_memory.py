# SPDX-License-Identifier: Apache-2.0
"""How much memory one thing may take."""

import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.memory import DEFAULT, VARIABLE, allowed, check_size


def test_the_limit_is_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert allowed() == DEFAULT * (1 << 30)
    monkeypatch.setenv(VARIABLE, "0.5")
    assert allowed() == 1 << 29
    check_size("a thing", 1 << 29)
    with pytest.raises(
        HysteronError, match=r"^a thing takes 1\.0 GiB .*more than 0\.5 GiB; take less, or set HYST"
    ) as e:
        check_size("a thing", 1 << 30, "take less")
    assert VARIABLE in str(e.value)


@pytest.mark.parametrize("text", ["x", "0", "-1", "nan", "inf"])
def test_a_wrong_limit_is_told(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(HysteronError, match=f"must be a number of GiB above 0, not '{text}'"):
        allowed()
