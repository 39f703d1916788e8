"""What goes over wires, for every part of the project: registers, packets, frames, and how errors are told."""
