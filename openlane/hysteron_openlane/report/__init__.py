# SPDX-License-Identifier: Apache-2.0
"""The page and the pictures that a flow to silicon ends with."""
