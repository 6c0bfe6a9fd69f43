"""Learns what normal looks like in front of one camera, and says when something is not."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentwatch.api import load, open_video, train
else:

    def __getattr__(name: str) -> object:
        # On first use: `latentwatch --help` imports this package too, and must not wait for PyTorch.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from latentwatch import api

        return getattr(api, name)


__all__ = ["load", "open_video", "train"]
