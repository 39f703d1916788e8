# SPDX-License-Identifier: Apache-2.0
"""The machine's firmware: its generated headers and its build."""
