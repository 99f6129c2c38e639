"""What a result was obtained with: versions, hardware, code."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from ffzoo import __version__
from ffzoo.loader import ZOO


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    packages = ("torch", "torchvision", "timm", "numpy", "scikit-learn")
    found = {"ffzoo": __version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def plugins() -> dict[str, str]:
    """Loaded plugins and the distributions they came from."""
    ZOO.load()
    return {name: f"{p.distribution} {p.version}".strip() for name, p in sorted(ZOO.plugins.items())}


def git_commit() -> str | None:
    """Commit of a source checkout, with ``-dirty`` when it has changes; None for an installed package."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(root)]
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=10)
        status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip() + ("-dirty" if status.stdout.strip() else "")


def hardware(device: str) -> dict[str, Any]:
    """Processor, cores in use and accelerator."""
    import torch

    name = torch.cuda.get_device_name() if device.startswith("cuda") else None
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": name,
        "system": platform.system(),
    }


def peak_memory_bytes(device: str) -> int | None:
    """Peak memory: of the allocator on CUDA, resident memory of the process elsewhere; None if unknown."""
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
