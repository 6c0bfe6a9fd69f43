"""What PyTorch says of this CPU's instructions."""

from collections.abc import Callable
from typing import Any

import torch


def cpu_has_bf16() -> bool:
    """Whether this CPU has bfloat16 instructions, without which bf16 is slower than fp32."""
    return _has("avx512_bf16") or _has("amx_bf16")


def _has(instructions: str) -> bool:
    ask: Callable[[], dict[str, Any]] | None = getattr(torch.cpu, "get_capabilities", None)
    return bool(ask and ask().get(instructions))  # older versions of PyTorch cannot say
