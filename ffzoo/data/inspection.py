"""Every image file is opened before anything is trained: what is broken is named, all of it at once."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffzoo.data.folders import DEFAULT_SIDE, GREY, READ, WIDE, FolderImages, Reading, quiet_about_size
from ffzoo.data.options import DataOptions
from ffzoo.errors import DataError

_TAIL = 4096  # bytes at the end of a JPEG file among which its end mark lies
_TURNED = {5, 6, 7, 8}  # EXIF orientations that swap height and width
_SEVERAL_FRAMES = {"GIF", "TIFF", "WEBP", "PNG"}
_SHOWN = 5


@dataclass(frozen=True)
class Header:
    """What is known of an image file before it is decoded.

    Attributes:
        size: width and height, upright.
        mode: of Pillow.
        transparent: it has an alpha channel or a transparent colour.
        frames: it has more than one.
        lowest: value, in modes of more than 8 bits.
        highest: like ``lowest``.
    """

    size: tuple[int, int]
    mode: str
    transparent: bool
    frames: bool
    lowest: float = 0.0
    highest: float = 0.0


def inspect_all(parts: Sequence[FolderImages], options: DataOptions) -> tuple[list[FolderImages], str, list[str]]:
    """Open every file, and decide how they are read.

    Args:
        parts: of one data set; the first is what is trained on, and decides about the side.
        options: ``resize``, ``channels`` and ``oblong``.

    Returns:
        The same parts with the reading; how images are read, in words; what the user should know.

    Raises:
        DataError: files that cannot be read, all of them in one sentence.
    """
    found = [_headers(part) for part in parts]
    every = [header for of_part in found for header in of_part.values()]
    if not every:
        return list(parts), "", []
    white = _white(parts, found)
    sizes = Counter(header.size for header in (found[0].values() or every))
    grey = all(header.mode in GREY for header in every)
    chosen = parts[0].chosen
    side, why = (chosen.side, "") if chosen else _side(sizes)
    if options.resize is not None:
        side, why = options.resize, ""
    channels = options.channels or (chosen.channels if chosen else 1 if grey else 3)
    reading = Reading(side, channels, options.oblong, white or Reading.white)
    notes = []
    if white:
        wide = Counter(header.mode for header in every if header.mode in WIDE)
        modes = ", ".join(sorted(wide))
        notes.append(f"{sum(wide.values()):,} images have more than 8 bits (mode {modes}): {white:g} is read as white")
    for count, words in (
        (sum(header.transparent for header in every), "images are transparent in part: they are laid on white"),
        (sum(header.frames for header in every), "files have several images: the first of each is read"),
    ):
        notes += [f"{count:,} {words}"] if count else []
    colour = "grey" if channels == 1 else "RGB"
    return [part.read_as(reading) for part in parts], f"{colour}, {_fitted(sizes, reading)}{why}", notes


def _side(sizes: Counter[tuple[int, int]]) -> tuple[int, str]:
    """Return the side to read a set at when nobody chose one, and the reason."""
    if len(sizes) == 1:
        (width, height) = next(iter(sizes))
        if width == height:
            return width, ""
        if min(width, height) <= DEFAULT_SIDE:
            return min(width, height), ""
    return DEFAULT_SIDE, " (the default; data.resize chooses another side)"


def _fitted(sizes: Counter[tuple[int, int]], reading: Reading) -> str:
    side = reading.side
    if set(sizes) == {(side, side)}:
        return f"{side}x{side} as stored"
    (small, large) = (min(sizes, key=math.prod), max(sizes, key=math.prod))
    stored = "{}x{}".format(*small) if len(sizes) == 1 else "{}x{} to {}x{}".format(*small, *large)
    if all(width == height for width, height in sizes):
        return f"{stored} scaled to {side}x{side}"
    how = {
        "crop": f"shorter side scaled to {side}, centre cut out",
        "squeeze": f"both sides scaled to {side}",
        "pad": f"longer side scaled to {side}, the rest black",
    }[reading.oblong]
    if reading.oblong == "crop":
        share = sum(n * (1 - min(size) / max(size)) for size, n in sizes.items()) / sizes.total()
        how += f": {100 * share:.0f} % of the pixels are cut off, data.oblong=squeeze or pad keeps them"
    return f"{stored}, {how}"


def _white(parts: Sequence[FolderImages], found: Sequence[dict[str, Header]]) -> float:
    """Return the value that is white in images of more than 8 bits; 0 where there are none."""
    highest, whole = 0.0, True
    for part, of_part in zip(parts, found, strict=True):
        for file, header in of_part.items():
            if header.mode not in WIDE:
                continue
            # NaN compares as false.
            if not (header.lowest >= 0 and header.highest < math.inf):
                raise DataError(
                    f"{part.root / file} (mode {header.mode}) has values from {header.lowest:g} to {header.highest:g}; "
                    "expected finite ones of at least 0: scale them to 8 or 16 bits"
                )
            highest, whole = max(highest, header.highest), whole and header.mode != "F"
    if not highest:
        return 65535.0 if any(h.mode in WIDE for of_part in found for h in of_part.values()) else 0.0
    steps = [2.0**bits - 1 for bits in (8, 10, 12, 14, 16)] if whole else [1.0, 255.0, 65535.0]
    return next(
        (step for step in steps if step / 2 < highest <= step), highest if highest > 255 or not whole else 255.0
    )


def _headers(part: FolderImages) -> dict[str, Header]:
    """Return each file's header.

    Raises:
        DataError: some cannot be read.
    """
    with quiet_about_size(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = dict(zip(part.files, pool.map(lambda file: _header(part.root / file), part.files), strict=True))
    broken = {file: header for file, header in found.items() if isinstance(header, str)}
    if broken:
        named = [f"{part.root / file} ({why})" for file, why in list(broken.items())[:_SHOWN]]
        if len(broken) == 1:
            file, why = next(iter(broken.items()))
            raise DataError(f"{part.root / file} is not a readable image ({why}): delete or replace it")
        more = f" and {len(broken) - _SHOWN:,} more" if len(broken) > _SHOWN else ""
        raise DataError(
            f"{len(broken):,} files are not readable images, delete or replace them: {', '.join(named)}{more}"
        )
    return {file: header for file, header in found.items() if isinstance(header, Header)}


def _header(path: Path) -> Header | str:
    """Return what an image file is, or what is wrong with it."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode not in READ:
                return f"its mode is {image.mode}; expected RGB or L"
            width, height = image.size
            if _orientation(image) in _TURNED:
                width, height = height, width
            transparent = image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info
            frames = image.format in _SEVERAL_FRAMES and getattr(image, "n_frames", 1) > 1
            values = (0.0, 0.0)
            if image.mode in WIDE:
                values = _extremes(image)
            elif not _whole(path, image):
                image.load()
            return Header((width, height), image.mode, transparent, frames, *values)
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        return f"it has more than {limit:.0f} million pixels: scale it down"
    except Exception as error:  # Pillow's decoders raise a different type for every format
        return " ".join(str(error).split()) or type(error).__name__


def _orientation(image: Any) -> int:
    if image.format == "PNG" and "exif" not in image.info:  # looking for it would decode the image
        return 1
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # broken EXIF data say nothing
        return 1


def _extremes(image: Any) -> tuple[float, float]:
    import numpy as np

    values = np.asarray(image)
    return float(values.min()), float(values.max())


def _whole(path: Path, image: Any) -> bool:
    """Return whether the end of a file is there, where that can be told without decoding it.

    Raises:
        Exception: a check sum of a PNG file is wrong.
    """
    if image.format == "PNG":
        image.verify()
        return True
    if image.format in ("JPEG", "MPO"):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return b"\xff\xd9" in file.read()
    return False
