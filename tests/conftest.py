"""What holds for all tests: a run's last lines say what was skipped and how to have it."""

import pytest

from support.skips import sentences


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    reasons = [report.longrepr[2] for report in reports if isinstance(report.longrepr, tuple)]
    for sentence in sentences(reasons):
        terminalreporter.write_line(sentence)
