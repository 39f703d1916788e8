"""The command ``hysteron``."""
