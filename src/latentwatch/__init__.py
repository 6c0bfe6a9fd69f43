"""Learns what normal looks like in front of one camera, and says when something is not."""

__version__ = "0.1.0"
