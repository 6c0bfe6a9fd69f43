"""What made a model or a result: versions and commit."""

import subprocess
from importlib.metadata import version
from pathlib import Path


def software() -> dict[str, str]:
    """Versions of Latentwatch and torch, and the checkout's commit ("unknown" outside one)."""
    return {"latentwatch": version("latentwatch"), "torch": version("torch"), "commit": _commit()}


def _commit() -> str:
    try:
        asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--exclude=*"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
