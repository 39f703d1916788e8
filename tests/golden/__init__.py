"""Tests of the golden model, one module for each of its modules."""
