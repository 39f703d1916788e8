# SPDX-License-Identifier: Apache-2.0
"""What a build of a board ends with: its figures, and the page that shows them."""
