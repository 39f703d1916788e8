# SPDX-License-Identifier: Apache-2.0
"""What is made and noted without a signal in between."""

import os
import signal

import pytest

from hysteron_base.closing import undisturbed


def test_a_signal_waits_until_it_is_noted() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("made")
            done.append("noted")
        done.append("not this")
    assert done == ["made", "noted"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
