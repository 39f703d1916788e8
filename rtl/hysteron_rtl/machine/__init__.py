# SPDX-License-Identifier: Apache-2.0
"""The machine around a core: processor, memories, serial line and what moves data between them."""
