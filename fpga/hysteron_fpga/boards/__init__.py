"""One file a board; its name is the file's."""
