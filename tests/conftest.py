# SPDX-License-Identifier: Apache-2.0
"""What holds for all tests: the longest come first, and a run's last lines say what was skipped and how to have it."""

from pathlib import Path

import pytest

from hysteron_base.files import write_file
from support.skips import sentences

#: Their tests build simulators: begun last, one would keep a process busy for long after all others have ended.
LONGEST = Path(__file__).parent / "sim"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST not in item.path.parents)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-skipped", type=Path, help="Write the skipped tests there, as arguments of pytest.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    reasons = [report.longrepr[2] for report in reports if isinstance(report.longrepr, tuple)]
    for sentence in sentences(reasons):
        terminalreporter.write_line(sentence)
    if place := terminalreporter.config.option.write_skipped:
        names = dict.fromkeys(report.nodeid for report in reports)
        write_file(place, "".join(f"{name}\n" for name in names).encode())
