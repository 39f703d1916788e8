# SPDX-License-Identifier: Apache-2.0
"""One file a board; its name is the file's."""
