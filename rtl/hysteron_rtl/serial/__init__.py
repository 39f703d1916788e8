"""The small core's engine: one circuit updates neuron after neuron, and memories are narrow."""
