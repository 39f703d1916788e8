"""Training of networks in the exact arithmetic of :mod:`hysteron_golden`; it needs PyTorch."""
