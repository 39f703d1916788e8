# SPDX-License-Identifier: Apache-2.0
"""FPGA families: one file each, and all that the rest of the package may know of a family is in its object."""
