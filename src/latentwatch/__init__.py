"""Learns what normal looks like in front of one camera, and says when something is not."""

from latentwatch.api import load, open_video, train

__all__ = ["load", "open_video", "train"]
