# SPDX-License-Identifier: Apache-2.0
"""Data sets that training and simulation share: pixels that the on-chip encoder takes, or spikes."""
