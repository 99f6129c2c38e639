"""How long a call takes on a device."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def seconds(call: Callable[[], object], device: torch.device) -> float:
    """Time of one call, until its work on the device is done."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
            begin.record()
            call()
            end.record()
            end.synchronize()
            return begin.elapsed_time(end) / 1000
    if device.type == "mps":
        torch.mps.synchronize()
    begun = time.perf_counter()
    call()
    if device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter() - begun
