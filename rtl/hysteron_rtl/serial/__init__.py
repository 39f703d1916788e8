# SPDX-License-Identifier: Apache-2.0
"""The small core's engine: one circuit updates neuron after neuron, and memories are narrow."""
