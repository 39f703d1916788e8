"""The look of the project's pictures, as the pictures of this package take it: the one import of it."""

from hysteron_cli.report.style import BAND, BLUE, FAINT, INK, MUTED, SKY, WIDTH, picture, svg

__all__ = ["BAND", "BLUE", "FAINT", "INK", "MUTED", "SKY", "WIDTH", "picture", "svg"]
