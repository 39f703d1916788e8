"""What ``hysteron results`` is made of: measure a network, keep its figures, write the page and its pictures."""
