"""What the arrays of an archive are, by their names and headers: known before anything heavy is imported."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from ffzoo.data.scanning import set_of

_SAMPLES = frozenset("x images image imgs img data features inputs".split())
_LABELS = frozenset("y labels label targets target".split())


def place_of(key: str) -> tuple[str, str] | None:
    """Return what an array is, by its name: ``x_train``, ``train_images``, ``XValid``, ``y`` ...

    Returns:
        ``samples`` or ``labels``, and the set: ``train``, ``validation`` or ``test``; None if it is called otherwise.
    """
    words = set(re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", key).lower()))
    kind = set_of("_".join(words)) or ("train" if words <= _SAMPLES | _LABELS else None)
    if kind is None or not words & (_SAMPLES | _LABELS):
        return None
    return "labels" if words & _LABELS else "samples", kind


def defaults_of_npz(path: str) -> dict[str, Any]:
    """Return the defaults of a run on an archive: a backbone without convolutions where samples are features (N, D).

    Args:
        path: the file. Where it cannot be read there are no defaults; reading it in earnest tells what is wrong.
    """
    from numpy.lib import format as npy

    try:
        with zipfile.ZipFile(Path(path).expanduser()) as archive:
            for name in archive.namelist():
                if place_of(name.removesuffix(".npy")) == ("samples", "train"):
                    with archive.open(name) as file:
                        version = npy.read_magic(file)
                        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                        return {"backbone": "mlp"} if len(read(file)[0]) == 2 else {}
    except (OSError, ValueError, zipfile.BadZipFile):
        pass
    return {}
