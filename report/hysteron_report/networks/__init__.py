"""The page about the networks, ``docs/networks.md``, and its pictures."""
