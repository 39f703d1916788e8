"""Unit tests of the blocks around the core: serial line, frames, memories, copier, and how the machine joins them."""
