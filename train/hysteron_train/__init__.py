# SPDX-License-Identifier: Apache-2.0
"""Training of networks in the exact arithmetic of :mod:`hysteron_golden`; it needs PyTorch."""
