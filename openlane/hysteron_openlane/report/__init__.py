"""The page and the pictures that a flow to silicon ends with."""
