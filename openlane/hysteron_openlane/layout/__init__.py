# SPDX-License-Identifier: Apache-2.0
"""Layouts that come with the project, and checks of a layout that take no part in making it."""
