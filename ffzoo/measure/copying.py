"""A copy of an algorithm to measure on; the measured object has no say in how it is made."""

from __future__ import annotations

import copy
import dataclasses

from ffzoo.algorithms.contract import Algorithm


def copy_of(algorithm: Algorithm) -> Algorithm:
    """Return a copy that runs as the algorithm does, but uncompiled: compiling would take minutes."""
    copied = copy.deepcopy(algorithm)
    if getattr(copied, "execution", None) is not None and copied.execution.compile:
        copied.execution = dataclasses.replace(copied.execution, compile=False)
    return copied
