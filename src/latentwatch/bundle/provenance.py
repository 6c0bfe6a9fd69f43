"""What made a model or a result: versions and commit."""

import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def software() -> dict[str, str]:
    """Versions of Latentwatch and torch, and the checkout's commit ("unknown" outside one)."""
    return {"latentwatch": version("latentwatch"), "torch": version("torch"), "commit": _commit()}


def training_run(minutes: float, clips: int, frames: int, settings: BaseModel) -> dict[str, Any]:
    """What a model file says of the training that ends now: how long, on how much, how, and by what."""
    return {
        **software(),
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "minutes": round(minutes, 1),
        "clips": clips,
        "frames": frames,
        "settings": settings.model_dump(),
    }


def _commit() -> str:
    try:
        asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--exclude=*"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
