"""The machine around a core: processor, memories, serial line and what moves data between them."""
