# SPDX-License-Identifier: Apache-2.0
"""Hysteron's hardware generator, in Amaranth."""

from .core import Core

__all__ = ["Core"]
