"""What lies in a folder of images: its sets, its classes, its files, and what of it is not read. No torch in here."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ffzoo.errors import DataError, nearest

SETS = {
    "train": frozenset({"train", "training", "trainset", "trainval", "tr"}),
    "validation": frozenset(
        {"val", "valid", "validation", "valset", "validset", "dev", "devset", "eval", "evaluation"}
    ),
    "test": frozenset({"test", "testing", "testset", "tests"}),
}
"""What the common tools call the training, validation and test set, in lower case."""

# What systems and tools leave beside the data.
_LEFTOVERS = frozenset(
    "__macosx|thumbs.db|desktop.ini|@eadir|#recycle|$recycle.bin|lost+found|system volume information".split("|")
)
# Pillow opens these too, but they are documents, films, or containers of numbers.
_NO_IMAGES = frozenset(".pdf .eps .ps .emf .wmf .mpg .mpeg .h5 .hdf .grib .bufr .iim .fli .flc .cur .icns".split())
_DEEPEST = 8  # folders one in the other before the classes


@dataclass
class Found:
    """Image files of one set.

    Attributes:
        files: one path per image.
        labels: the number of its class.
        skipped: by ending, how many files were left out.
        hidden: images that were left out because of their names.
    """

    files: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    hidden: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """Where the sets of a folder lie.

    Attributes:
        train: folder of the training set's class folders.
        validation: that of the validation set, or None.
        test: that of the test set, or None.
        notes: what is not read, and what was looked through, in sentences.
    """

    train: Path
    validation: Path | None = None
    test: Path | None = None
    notes: tuple[str, ...] = ()


@cache
def readable_endings() -> frozenset[str]:
    """Return the endings of files that are read as images, such as ``.png``: those that Pillow has a decoder for."""
    from PIL import Image

    known = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    return frozenset(known - _NO_IMAGES)


def is_hidden(name: str) -> bool:
    """Return whether a name is one that systems hide or leave behind: ``.ipynb_checkpoints``, ``._0.png``."""
    return name.startswith(".") or name.lower() in _LEFTOVERS


def is_image(name: str) -> bool:
    """Return whether a file is read as an image, by its ending."""
    return os.path.splitext(name)[1].lower() in readable_endings()


def set_of(name: str) -> str | None:
    """Return which set a folder or an array is, by its name: ``Training``, ``seg_test``, ``valid`` ...

    Returns:
        ``train``, ``validation`` or ``test``; None if it is called like none of them, or like several.
    """
    words = {re.sub(r"\d+$", "", word) for word in re.split(r"[\W_]+", name.lower())}
    found = [kind for kind, names in SETS.items() if words & names]
    return found[0] if len(found) == 1 else None


def subfolders(folder: Path) -> list[str]:
    """Return the sorted names of the folders in a folder that are not hidden."""
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not is_hidden(entry.name))


def _images_in(folder: Path) -> list[str]:
    """Return the sorted names of the images directly in a folder."""
    entries = os.scandir(folder)
    return sorted(e.name for e in entries if not e.is_dir() and not is_hidden(e.name) and is_image(e.name))


def look_at(base: Path) -> Layout:
    """Find out where the sets of a folder lie.

    Args:
        base: exists.

    Raises:
        DataError: there are images but no class folders, two folders are the same set, a set is missing, or nothing is
            there.
    """
    base, notes = _unwrapped(base)
    names = subfolders(base)
    sets: dict[str, list[str]] = {}
    for name in names:
        kind = set_of(name)
        if kind is not None:
            sets.setdefault(kind, []).append(name)
    in_sets = [name for of_kind in sets.values() for name in of_kind]
    # A class may be called "train", too: then there are images in it, and other classes beside it.
    if not any(subfolders(base / name) for name in in_sets) and set(names) - set(in_sets):
        in_sets = []
    if not in_sets:
        _refuse_sets_in_classes(base, names)
        return Layout(base, notes=(*notes, *_stray(base)))
    for kind, of_kind in sets.items():
        if len(of_kind) > 1:
            raise DataError(
                f"{base}: {' and '.join(of_kind)} are both the {kind} set by their names; expected one of them"
            )
    if "train" not in sets:
        raise DataError(f"{base} has {_listed(names)} but no training set: expected train/ beside it, or class folders")
    chosen = {kind: _of_set(base / of_kind[0], notes) for kind, of_kind in sets.items()}
    others = [name for name in names if name not in in_sets]
    if others:
        notes.append(f"not read: {_listed(others)} beside {_listed(in_sets)}")
    return Layout(notes=(*notes, *_stray(base)), **chosen)


def _unwrapped(base: Path) -> tuple[Path, list[str]]:
    """Go down to where there is more than one folder; returns the notes of that too."""
    inner = base
    for _ in range(_DEEPEST):
        names = subfolders(inner)
        if len(names) != 1 or set_of(names[0]) or _images_in(inner) or not subfolders(inner / names[0]):
            break
        inner = inner / names[0]
    return inner, [f"{inner} is read, the only folder in {base}"] if inner != base else []


def _of_set(folder: Path, notes: list[str]) -> Path:
    """Return the folder of a set's class folders, which may lie in a folder of the same name."""
    inner = folder
    for _ in range(_DEEPEST):
        names = subfolders(inner)
        if len(names) != 1 or _images_in(inner) or not subfolders(inner / names[0]):
            break
        inner = inner / names[0]
    class_folders(inner)
    return inner


def _stray(folder: Path) -> list[str]:
    images = _images_in(folder)
    return [f"not read: {_count(images, 'image')} beside the folders ({_few(images)})"] if images else []


def _refuse_sets_in_classes(base: Path, names: Sequence[str]) -> None:
    inside = {name: [of for of in subfolders(base / name) if set_of(of)] for name in names}
    if len(names) > 1 and all(inside.values()):
        first = names[0]
        raise DataError(
            f"{base}: each class folder holds {_listed(inside[first])}; expected the classes in the sets, such as "
            f"{Path(inside[first][0]) / first}, and not the sets in the classes"
        )


def class_folders(folder: Path) -> list[str]:
    """Return the names of the class folders in a folder, in the order that numbers them.

    Raises:
        DataError: there are none.
    """
    names = subfolders(folder)
    if names:
        return names
    expected = f"expected one folder of images per class, such as {folder / 'cat' / '0.png'}"
    images = _images_in(folder)
    if images:
        raise DataError(f"{folder} has {_count(images, 'image')} but no class folders ({_few(images)}): {expected}")
    files = sorted(e.name for e in os.scandir(folder) if not is_hidden(e.name))
    if files:
        raise DataError(f"{folder} has neither class folders nor images, but {_few(files)}: {expected}")
    raise DataError(f"{folder} is empty: {expected}")


def scan(folder: Path, classes: Sequence[str], allow_empty: bool = False) -> Found:
    """Find the images of each class, at any depth below its folder.

    Args:
        folder: holds the class folders.
        classes: their names, in order.
        allow_empty: a class may have no image or no folder.

    Raises:
        DataError: a class has no image.
    """
    found, empty = Found(), []
    for label, name in enumerate(classes):
        before = len(found.files)
        skipped = found.skipped.copy()
        for path in _walk(folder / name, found):
            found.files.append(path)
            found.labels.append(label)
        if len(found.files) == before:
            left = found.skipped - skipped
            empty.append(f"{name} (has {_endings(left)})" if left else name)
    if empty and not allow_empty:
        raise DataError(f"{folder}: no image for the classes {_few(empty)}")
    return found


def _walk(folder: Path, found: Found) -> Iterable[str]:
    """Yield the paths of images, sorted; note in ``found`` what is left out."""
    seen: set[str] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:  # a link that leads back up
            folders.clear()
            continue
        seen.add(real)
        for name in [name for name in folders if is_hidden(name)]:
            found.hidden += [os.path.join(root, name, inner) for inner in _images_in(Path(root, name))]
            folders.remove(name)
        folders.sort()
        for name in sorted(names):
            if is_image(name) and is_hidden(name):
                found.hidden.append(os.path.join(root, name))
            elif is_image(name):
                yield os.path.join(root, name)
            elif not is_hidden(name):
                found.skipped[os.path.splitext(name)[1].lower() or "no ending"] += 1


def notes_of(found: Sequence[Found]) -> list[str]:
    """Return in sentences what was left out."""
    skipped: Counter[str] = Counter()
    for one in found:
        skipped += one.skipped
    hidden = [os.path.basename(path) for one in found for path in one.hidden]
    notes = []
    if skipped:
        notes.append(f"skipped {sum(skipped.values()):,} files that are not read as images: {_endings(skipped)}")
    if hidden:
        notes.append(f"skipped {_count(hidden, 'hidden image')} ({_few(hidden)})")
    return notes


def refuse_unknown(folder: Path, classes: Sequence[str], train: Path) -> None:
    """Check that a set has no class that is not one of the training set.

    Raises:
        DataError: it has.
    """
    unknown = [name for name in class_folders(folder) if name not in classes]
    if unknown:
        raise DataError(f"{folder}: classes {unknown[:5]} are not in {train}: {nearest(unknown[0], classes)}")


def _endings(skipped: Counter[str]) -> str:
    ordered = sorted(skipped.items(), key=lambda item: (-item[1], item[0]))
    return _few([f"{count:,} {ending}" for ending, count in ordered])


def _count(things: Sequence[str], noun: str) -> str:
    return f"{len(things):,} {noun}{'s' if len(things) > 1 else ''}"


def _listed(names: Sequence[str]) -> str:
    return _few([f"{name}/" for name in names])


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
