"""What a result was obtained with: versions, hardware, code."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffzoo.errors import OptionError, nearest
from ffzoo.registry.loader import ZOO
from ffzoo.version import __version__

if TYPE_CHECKING:
    import torch

_PROCESSORS = Path("/proc/cpuinfo")
_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of mallopt(3)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on."""
    packages = ("torch", "torchvision", "timm", "numpy", "scikit-learn")
    found = {"ffzoo": __version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def plugins() -> dict[str, str]:
    """Return the loaded plugins and the distributions they came from."""
    ZOO.load()
    return {name: f"{p.distribution} {p.version}".strip() for name, p in sorted(ZOO.plugins.items())}


def git_commit() -> str | None:
    """Return the commit of a source checkout, with ``-dirty`` when it has changes; None for an installed package."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(root)]
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=10)
        status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip() + ("-dirty" if status.stdout.strip() else "")


def hardware(device: torch.device) -> dict[str, Any]:
    """Return the processor, the widest instructions of it that torch uses, cores in use and accelerator."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": name,
        "system": platform.system(),
    }


def _processor() -> str:
    """Return the processor's name, which Python does not know on Linux."""
    with contextlib.suppress(OSError):
        for line in _PROCESSORS.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def where(hardware: Mapping[str, Any]) -> str:
    """Return what :func:`hardware` found in words; older records hold no instructions."""
    parts = (hardware["processor"], hardware.get("instructions"), f"{hardware['threads']} threads")
    return hardware["accelerator"] or ", ".join(part for part in parts if part)


def resolve_device(name: str) -> torch.device:
    """Return the device of ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        OptionError: it is not there.
    """
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    there = [n for n, available in found.items() if available]
    if name == "auto":
        return torch.device(there[0])
    if name.partition(":")[0] not in there:
        raise OptionError(f"device {name!r} is not available here: {nearest(name, ['auto', *there])}")
    return torch.device(name)


def require_compiler(device: torch.device) -> None:
    """Check that ``torch.compile`` finds the compiler that it needs for a device.

    Raises:
        OptionError: it does not.
    """
    usual: tuple[str, ...]
    if device.type == "cpu":
        chosen, usual = "CXX", ({"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++"),)
    else:
        chosen, usual = "CC", ("gcc", "clang", "cc")
    named = os.environ.get(chosen, "").split()[:1]
    names = named or usual
    if not any(shutil.which(name) for name in names):
        language = "C++" if chosen == "CXX" else "C"
        raise OptionError(
            f"compile needs a {language} compiler, and there is no {' or '.join(names)} here; expected one in PATH or "
            f"in the variable {chosen}, or a run without --compile"
        )


def reset_peak_memory(device: torch.device) -> None:
    """Forget the peak so far, so that a run's peak is its own."""
    import torch

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # what was freed before is not this run's
        if trim is not None:
            trim(0)
        with contextlib.suppress(OSError):
            _CLEAR.write_text("5")


def peak_memory_bytes(device: torch.device) -> int | None:
    """Return the peak since the reset: of the allocator on CUDA, of resident memory on Linux; None if unknown."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type != "cpu" or sys.platform != "linux" or not os.access(_CLEAR, os.W_OK):
        return None
    peak = re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(), re.M)
    return int(peak[1]) * 1024 if peak else None


@contextlib.contextmanager
def random_state_kept(device: torch.device) -> Iterator[None]:
    """Restore torch's random state at the end, that of the CPU and that of a device."""
    import torch

    state = torch.mps.get_rng_state() if device.type == "mps" else None
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            if state is not None:
                torch.mps.set_rng_state(state)


def keep_freed_memory() -> None:
    """Make the C library of Linux keep freed memory for the next allocation; elsewhere it does nothing.

    It cannot be undone, so it is for the owner of a process, such as a command, to call.

    By default every large tensor is given back to the system and fetched again, page by zeroed page:
    measured on a CNN that is a quarter of a training step on the CPU, for backprop and local rules alike.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; others have none
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_M_MMAP_MAX, 0)
