# SPDX-License-Identifier: Apache-2.0
"""Running the command in this process."""

from collections.abc import Callable

import pytest

from hysteron_cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hysteron(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``hysteron`` with the words given; returns exit status, output and errors."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["hysteron", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            main()
        output = capsys.readouterr()
        if stop.value.code is None:
            return 0, output.out, output.err
        if isinstance(stop.value.code, str):
            return 1, output.out, output.err + stop.value.code
        return int(stop.value.code), output.out, output.err

    return run
