# SPDX-License-Identifier: Apache-2.0
"""The page about the networks, ``docs/networks.md``, and its pictures."""
