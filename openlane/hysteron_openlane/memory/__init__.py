# SPDX-License-Identifier: Apache-2.0
"""Memories on silicon: the macros of a PDK, which of them a memory takes, and how the hardware uses them."""
