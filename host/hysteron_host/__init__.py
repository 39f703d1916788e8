# SPDX-License-Identifier: Apache-2.0
"""The driver: a program's way to a machine, on a board or simulated."""

from hysteron_spec.answers import Answer

from .accelerator import Accelerator
from .machines import open_machine

__all__ = ["Accelerator", "Answer", "open_machine"]
