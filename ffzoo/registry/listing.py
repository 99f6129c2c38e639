"""What there is to choose from; torch-free."""

from __future__ import annotations

from ffzoo.registry.loader import ZOO


def list_algorithms(pattern: str = "*") -> list[str]:
    """Return the names of the registered algorithms that match a shell pattern such as ``"*ff*"``."""
    return ZOO["algorithms"].names(pattern)


def list_backbones(pattern: str = "*") -> list[str]:
    """Return the names of the registered backbones; ``timm:NAME`` adds any timm model."""
    return ZOO["backbones"].names(pattern)


def list_datasets(pattern: str = "*") -> list[str]:
    """Return the names of the registered data sets; ``folder:PATH`` and ``npz:PATH`` add your own."""
    return ZOO["datasets"].names(pattern)
