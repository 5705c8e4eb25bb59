"""Figures, not assertions: `make bench`, or `python -m tests.benchmarks [index] [retrieval]`."""
