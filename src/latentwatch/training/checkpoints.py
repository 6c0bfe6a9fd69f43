"""Checkpoints that a full disk cannot spoil."""

import errno
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from latentwatch.errors import UsageError
from latentwatch.whole_file import whole_file


def last_checkpoint(folder: Path, *, resume: bool) -> Path:
    """Where a training in `folder` keeps its last checkpoint.

    Raises `UsageError` where it is to be resumed and there is none.
    """
    checkpoint = folder / "checkpoints" / "last.ckpt"
    if resume and not checkpoint.is_file():
        raise UsageError(f"{checkpoint}: nothing to resume; start without --resume")
    return checkpoint


class SafeCheckpoints(TorchCheckpointIO):
    """Writes beside the old checkpoint, on the same disk, then renames: the old one stays till then."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:  # noqa: ARG002
        """Saves `checkpoint` at `path`. Raises `OSError` where it cannot be written."""
        final = Path(path)
        try:
            with whole_file(final) as part:
                torch.save(checkpoint, part)
        except RuntimeError as error:  # what torch.save makes of a disk that fills up while it writes
            raise OSError(errno.ENOSPC, "no room for the checkpoint", str(final)) from error
