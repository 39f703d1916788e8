"""Driver: a machine behind a serial line, a socket, a simulation or the golden model, all alike."""
