"""Checkpoints that a full disk cannot spoil."""

import errno
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from latentwatch.errors import LatentwatchError, StoppedError, UsageError
from latentwatch.whole_file import whole_file


def last_checkpoint(folder: Path, *, resume: bool) -> Path:
    """Where a training in `folder` keeps its last checkpoint.

    Raises `UsageError` where it is to be resumed and there is none.
    """
    checkpoint = folder / "checkpoints" / "last.ckpt"
    if resume and not checkpoint.is_file():
        raise UsageError(f"{checkpoint}: nothing to resume; start without --resume")
    return checkpoint


def forget_last(folder: Path) -> None:
    """Removes the checkpoint that an earlier training has left in `folder`, if any, before a new one begins.

    A new one that is stopped before its first checkpoint would else be resumed with the old one. Call it
    while the folder is held (`only_one_in`). Raises `LatentwatchError` where it cannot be removed.
    """
    checkpoint = last_checkpoint(folder, resume=False)
    try:
        checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise LatentwatchError(
            f"{checkpoint}: an earlier training's, and cannot be removed: {error.strerror}"
        ) from error


def stopped(folder: Path) -> StoppedError:
    """What Ctrl-C during a training in `folder` is told as: with how to go on, where there is something."""
    if last_checkpoint(folder, resume=False).is_file():
        return StoppedError(f"stopped; go on with --resume (checkpoints are in {folder})")
    return StoppedError("stopped before an epoch was finished: nothing to go on from; start anew")


def no_room(folder: Path, error: OSError) -> LatentwatchError:
    """What a disk that cannot be written on during a training in `folder` is told as."""
    again = "use --resume" if last_checkpoint(folder, resume=False).is_file() else "start anew"
    return LatentwatchError(f"{folder}: cannot write while training ({error}); free some space, then {again}")


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
