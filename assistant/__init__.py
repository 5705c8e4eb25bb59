"""A knowledge assistant that runs on machines its owner controls, and in which every sentence can be checked."""

__version__ = "0.1.0"
