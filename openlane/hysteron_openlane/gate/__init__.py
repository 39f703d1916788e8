# SPDX-License-Identifier: Apache-2.0
"""A netlist of standard cells simulated with images: answers, activity, power."""
