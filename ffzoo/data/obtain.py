"""A named data set from its archive, from the files that were downloaded, or from the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ffzoo.data.archives import read_npz
from ffzoo.data.bundle import RawData
from ffzoo.errors import DataError, one_line

PUBLISHED: dict[str, tuple[int | None, int]] = {
    "mnist": (60_000, 10_000),
    "fashion_mnist": (60_000, 10_000),
    "kmnist": (60_000, 10_000),
    "svhn": (73_257, 26_032),
    "cifar10": (50_000, 10_000),
    "cifar100": (50_000, 10_000),
    "cifar100_coarse": (50_000, 10_000),
    "stl10": (5_000, 8_000),
    "imagenette": (9_469, 3_925),
    "tiny_imagenet": (100_000, 10_000),
    "imagenet100": (None, 5_000),
}
"""Training and test samples of named sets, as published; None where that is not checked."""

_REMEDY = "connect to the network, or set FFZOO_DATA or --data-dir to a folder that holds it"


@dataclass(frozen=True)
class File:
    """A file or folder a set is read from, and what is known about its content."""

    path: Path
    md5: str | None = None
    size: int | None = None

    def intact(self) -> bool:
        """Return whether its checksum or its size is as known."""
        from torchvision.datasets.utils import check_integrity

        if self.size is not None:
            return self.path.stat().st_size == self.size
        return self.md5 is None or bool(check_integrity(self.path, self.md5))


def wrong_counts(name: str, raw: RawData) -> str:
    """Return in words how many samples there are and how many there should be; empty where these are the same."""
    train, test = PUBLISHED.get(name, (None, None))
    found = len(raw.train_images), 0 if raw.test_images is None else len(raw.test_images)
    if train in (None, found[0]) and test in (None, found[1]):
        return ""
    published = " and ".join(f"{n:,} {kind}" for n, kind in ((train, "training"), (test, "test")) if n is not None)
    return f"has {found[0]:,} training and {found[1]:,} test samples instead of {published} samples"


def missing_error(name: str, places: Sequence[Path], why: str, remedy: str) -> DataError:
    """Return the error of a set that is in none of its places, and what to do."""
    looked = ", ".join(str(place) for place in places)
    return DataError(f"data set {name!r} is missing ({why}); looked for {looked}; {remedy}")


def obtain(
    name: str,
    root: Path,
    download: bool,
    files: Sequence[File],
    read: Callable[[bool], RawData],
    npz_name: str | None = None,
    coarse: bool = False,
) -> RawData:
    """Read a named set: its npz file, else ``files`` through ``read``, downloading them when absent.

    Args:
        name: of the set.
        root: the folder data sets are kept in.
        download: whether it may be downloaded.
        files: what ``read`` reads.
        read: reads them; with True it downloads them first.
        npz_name: of its npz file, where that is another.
        coarse: see :func:`ffzoo.data.archives.read_npz`.

    Raises:
        DataError: missing or corrupt.
    """
    packed = root / f"{npz_name or name}.npz"
    if packed.is_file():
        raw = read_npz(packed, coarse)
        wrong = wrong_counts(name, raw)
        return replace(raw, notes=(*raw.notes, f"{packed} {wrong}")) if wrong else raw
    missing = [file.path for file in files if not file.path.exists()]
    if missing and not download:
        raise missing_error(name, [packed, *missing], "downloading is switched off", _REMEDY)
    # What a reader raises on broken bytes or a broken connection is of no fixed type.
    try:
        if missing:
            root.mkdir(parents=True, exist_ok=True)
        raw = read(bool(missing))
        wrong = wrong_counts(name, raw)
        if wrong:
            raise DataError(f"it {wrong}")
        return raw
    except Exception as error:
        if missing:
            why = f"the download failed: {one_line(error)}"
            raise missing_error(name, [packed, *missing], why, _REMEDY) from error
        broken = [file.path for file in files if not file.intact()] or [file.path for file in files]
        which = ", ".join(str(path) for path in broken)
        raise DataError(
            f"data set {name!r} is corrupt ({one_line(error)}): delete {which} and run again to download"
        ) from error
