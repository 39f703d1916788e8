# SPDX-License-Identifier: Apache-2.0
"""What every package stands on: errors, files that are never half written, baselines of figures."""
