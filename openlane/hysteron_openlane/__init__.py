# SPDX-License-Identifier: Apache-2.0
"""From the generated hardware to a layout: ``pdk``, ``memory``, ``flow``, ``gate``, ``layout`` and ``report``."""
