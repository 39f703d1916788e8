"""What ``hysteron gds`` shows: pictures of the die, and one page."""
