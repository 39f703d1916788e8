# SPDX-License-Identifier: Apache-2.0
"""What a network does, measured: on golden, on the generated hardware, against a data set; and where figures are kept.

Nothing here prints. Long work takes a ``tell`` (:data:`hysteron_base.progress.Tell`) and reports its stages to it.
"""
