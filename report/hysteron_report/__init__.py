# SPDX-License-Identifier: Apache-2.0
"""Pages and pictures of what was measured: reports of simulations, the page of the networks, the documentation's.

Everything here makes text or bytes from figures that :mod:`hysteron_measure` found; it measures and prints nothing. The
same figures give the same bytes.
"""
