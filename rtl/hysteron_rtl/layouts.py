# SPDX-License-Identifier: Apache-2.0
"""Records that travel between the blocks."""

from amaranth.lib import data

from hysteron_spec.core import CoreConfig, bits_for

#: What the sequencer must know of a filled input slot.
SLOT_FLAGS = data.StructLayout({"start": 1, "last": 1, "direct": 1})


def pass_layout(config: CoreConfig) -> data.StructLayout:
    """What the events of one tile in one time step have in common."""
    return data.StructLayout(
        {
            "layer": bits_for(config.max_layers),
            "tile": bits_for(config.tiles),  # address of the tile's state
            "parity": 1,  # which of the layer's two spike buffers it fills
            "start": 1,  # a sample's first step: the neurons are fresh
            "output": 1,  # the last layer
            "answer": 1,  # the read-out answers after this step
            "final": 1,  # that answer is the sample's last
            "job_last": 1,  # the layer's last tile
            "unit": 1,  # 0/1 weights
        }
    )


def source_layout(config: CoreConfig) -> data.StructLayout:
    """Where spikes are read: an input bitmap or a layer's spike buffer."""
    return data.StructLayout(
        {
            "hidden": 1,
            "slot": 1,
            "plane": config.plane_bits,
            "layer": bits_for(config.max_layers),
            "parity": 1,
            "tile": bits_for(config.tiles),
        }
    )


def segment_layout(config: CoreConfig) -> data.StructLayout:
    """One source of events for one tile."""
    return data.StructLayout(
        {
            "source": source_layout(config),
            "row": bits_for(config.weight_rows),  # weight row of the source's event 0
            "first": 1,  # begins the pass
            "last": 1,  # ends the pass
            "double": 1,  # doubles the accumulator first: the next bit plane of the pixels
            "scan_last": 1,  # ends the job's scan
            "frees": 1,  # ... which is the last use of an input slot
            "pass_": pass_layout(config),
        }
    )


def word_bits(config: CoreConfig) -> int:
    """Width of a spike word's number."""
    return bits_for(max(config.input_words, config.hidden_words))


def word_layout(config: CoreConfig) -> data.StructLayout:
    """One spike word to be read and taken apart."""
    return data.StructLayout(
        {
            "hidden": 1,
            "word": word_bits(config),
            "row": bits_for(config.weight_rows),
            "first": 1,
            "last": 1,
            "double": 1,
            "empty": 1,  # stands for a source without any spike
            "pass_": pass_layout(config),
        }
    )


def event_layout(config: CoreConfig) -> data.StructLayout:
    """One lane-cycle: a weight row to add, or nothing (``empty``)."""
    return data.StructLayout(
        {
            "row": bits_for(config.weight_rows),
            "first": 1,
            "last": 1,
            "double": 1,
            "empty": 1,
            "pass_": pass_layout(config),
        }
    )
