"""timm's name of a model that is written as elsewhere; importing this module imports no timm."""

from __future__ import annotations

import re


def timm_name(text: str) -> str | None:
    """Return timm's name of a model, if what is written is another form of it.

    Args:
        text: such as ``timm/resnet18.a1_in1k``, ``hf-hub:timm/resnet18`` or ``ResNet-18``.

    Returns:
        Its name, with the tag of its weights where there is such a tag; None if timm has no such model, or is not
        installed.
    """
    try:
        import timm
    except ImportError:
        return None
    name, dot, tag = re.split(r"[/:]", text)[-1].partition(".")
    known = {_plain(model): model for model in timm.list_models()}
    found = known.get(_plain(name))
    if found is None:
        return None
    return f"{found}.{tag}" if dot and f"{found}.{tag}" in timm.list_pretrained(f"{found}.*") else found


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())
