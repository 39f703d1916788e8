"""The machine's firmware: its generated headers and its build."""
