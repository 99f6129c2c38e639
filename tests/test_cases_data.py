"""Data as people have them: what is read, what is skipped and said, and what is refused in one sentence."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ffzoo.data import archives, folder_sources, folders, sources
from ffzoo.data import bundle as bundle_module
from ffzoo.data.archive_names import defaults_of_npz, place_of
from ffzoo.data.bundle import DataBundle, RawData, load_data
from ffzoo.data.folders import READ, FolderImages, Reading, eight_bits, square
from ffzoo.data.options import DataOptions
from ffzoo.data.scanning import set_of
from ffzoo.errors import DataError, OptionError, UnknownNameError

ALL = DataOptions(validation=0)


def picture(kind: int, width: int = 8, height: int = 8) -> np.ndarray[Any, Any]:
    """Stripes along rows (kind 0) or columns, uint8 (height, width)."""
    rows, columns = np.mgrid[:height, :width]
    return np.where((columns if kind else rows) % 4 < 2, 40, 215).astype(np.uint8)


def put(path: Path, pixels: Any, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **how)
    return path


def classes(
    root: Path, names: tuple[str, ...] = ("cat", "dog"), count: int = 5, ending: str = "png", **size: int
) -> Path:
    for kind, name in enumerate(names):
        for i in range(count):
            put(root / name / f"{i}.{ending}", picture(kind, **size))
    return root


def read(root: Path, options: DataOptions = ALL) -> DataBundle:
    return load_data("mine", folder_sources.folder(str(root)), options, Path())


def sizes(data: DataBundle) -> list[int]:
    return [0 if part is None else len(part) for part in (data.train, data.validation, data.test)]


# --- names of the sets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("train", "held", "test"),
    [
        ("train", "val", "test"),
        ("Train", "Valid", "Test"),
        ("training", "validation", "testing"),
        ("TRAINING", "dev", "TEST"),
        ("training_set", "validation_set", "test_set"),
        ("seg_train", "seg_val", "seg_test"),
        ("train2017", "val2017", "test2017"),
        ("trainset", "eval", "testset"),
        ("train-images", "valid-images", "test-images"),
    ],
)
def test_sets_are_known_by_the_names_that_tools_write(tmp_path: Path, train: str, held: str, test: str) -> None:
    for name, count in ((train, 5), (held, 3), (test, 2)):
        classes(tmp_path / name, count=count)
    assert sizes(read(tmp_path)) == [16, 0, 4], "validation=0 trains on it too"
    data = read(tmp_path, DataOptions())
    assert sizes(data) == [10, 6, 4] and "validation part as given" in data.split


@pytest.mark.parametrize("name", ["station", "training_test", "cat", "trainer", "contest", "valley"])
def test_other_names_are_no_sets(name: str) -> None:
    assert set_of(name) is None


def test_a_validation_set_alone_is_the_test_set(tmp_path: Path) -> None:
    classes(tmp_path / "train")
    classes(tmp_path / "valid", count=2)
    data = read(tmp_path)
    assert sizes(data) == [10, 0, 4]
    assert "valid/ is the test set, as there is no other" in data.notes


def test_a_training_set_alone_gets_a_test_set(tmp_path: Path) -> None:
    classes(tmp_path / "train", count=10)
    assert sizes(read(tmp_path)) == [16, 0, 4]


def test_a_level_too_high_is_looked_through(tmp_path: Path) -> None:
    classes(tmp_path / "a" / "b" / "train" / "train")
    classes(tmp_path / "a" / "b" / "test" / "test", count=2)
    (tmp_path / "__MACOSX").mkdir()
    data = read(tmp_path)
    assert sizes(data) == [10, 0, 4] and data.class_names == ("cat", "dog")
    assert f"{tmp_path / 'a' / 'b'} is read, the only folder in {tmp_path}" in data.notes


def test_what_is_beside_the_sets_is_named(tmp_path: Path) -> None:
    for name in ("train", "test", "extra", "unlabeled"):
        classes(tmp_path / name)
    put(tmp_path / "sample.png", picture(0))
    notes = read(tmp_path).notes
    assert "not read: extra/, unlabeled/ beside test/, train/" in notes
    assert "not read: 1 image beside the folders (sample.png)" in notes


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    assert read(classes(tmp_path, ("bus", "car", "train"))).class_names == ("bus", "car", "train")


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["test/cat", "val/cat"], "has test/, val/ but no training set: expected train/"),
        (["train/cat", "Training/cat", "test/cat"], "Training and train are both the train set by their names"),
        (["cat/train", "cat/test", "dog/train", "dog/test"], r"expected the classes in the sets, such as test/cat"),
        (["train/cat", "train/dog", "test/Cat"], r"classes \['Cat'\] are not in .*did you mean 'cat'"),
    ],
)
def test_what_cannot_be_sorted_out_is_refused(tmp_path: Path, folders: list[str], message: str) -> None:
    for folder in folders:
        put(tmp_path / folder / "0.png", picture(0))
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_images_without_class_folders(tmp_path: Path) -> None:
    for i in range(7):
        put(tmp_path / "flat" / f"cat.{i}.png", picture(0))
        put(tmp_path / "mixed" / "test" / f"{i}.png", picture(0))
    message = r"has 7 images but no class folders \(cat.0.png, .* and 2 more\): expected one folder of images per class"
    with pytest.raises(DataError, match=message):
        read(tmp_path / "flat")
    classes(tmp_path / "mixed" / "train")
    with pytest.raises(DataError, match=r"mixed.test has 7 images but no class folders"):
        read(tmp_path / "mixed")
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "data.csv").touch()
    with pytest.raises(DataError, match=r"has neither class folders nor images, but data.csv"):
        read(tmp_path / "table")
    with pytest.raises(DataError, match=r"data.csv is a file, no folder"):
        read(tmp_path / "table" / "data.csv")


def test_one_class_is_refused_with_the_reason(tmp_path: Path) -> None:
    classes(tmp_path, ("all",))
    with pytest.raises(
        DataError, match=r"all training labels are 0 \(all\), .*learned without labels is measured by a pr"
    ):
        read(tmp_path)


# --- what is hidden, and what is no image ----------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [".ipynb_checkpoints/0-checkpoint.png", "._0.png", "cat/.ipynb_checkpoints/0.png", "cat/._0.png", "@eaDir/0.png"],
)
def test_hidden_things_are_no_classes_and_no_images(tmp_path: Path, name: str) -> None:
    classes(tmp_path, count=10)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x00\x05\x16\x07Mac OS X")
    data = read(tmp_path)
    assert data.class_names == ("cat", "dog") and sizes(data) == [16, 0, 4]
    assert any("skipped 1 hidden image" in note for note in data.notes) == name.startswith("cat/")


def test_a_link_back_up_ends(tmp_path: Path) -> None:
    classes(tmp_path, count=10)
    (tmp_path / "cat" / "again").symlink_to(tmp_path / "cat")
    assert sizes(read(tmp_path)) == [16, 0, 4]


@pytest.mark.parametrize("ending", ["jfif", "JPG", "jpe", "webp", "tif", "bmp", "gif", "ppm", "tga", "PNG"])
def test_images_are_known_by_their_endings(tmp_path: Path, ending: str) -> None:
    classes(tmp_path, count=10)
    for i in range(10):
        format_of = {"jfif": "JPEG", "jpe": "JPEG"}.get(ending.lower())
        put(tmp_path / "cat" / f"more{i}.{ending}", Image.fromarray(picture(0)), format=format_of)
    assert sizes(read(tmp_path)) == [24, 0, 6]


def test_what_is_skipped_is_counted_and_named(tmp_path: Path) -> None:
    classes(tmp_path)
    for name in ("a.heic", "b.heic", "c.txt", "README"):
        (tmp_path / "cat" / name).touch()
    assert "skipped 4 files that are not read as images: 2 .heic, 1 .txt, 1 no ending" in read(tmp_path).notes
    for path in (tmp_path / "dog").iterdir():
        path.rename(path.with_suffix(".heic"))
    with pytest.raises(DataError, match=r"no image for the classes dog \(has 5 .heic\)"):
        read(tmp_path)


# --- broken files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", [0, 2**31])
def test_all_broken_files_are_named_before_training(
    tmp_path: Path, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_module, "MEMORY_LIMIT", memory)
    classes(tmp_path / "train", ending="png", width=64, height=64)
    classes(tmp_path / "test", ending="jpg", width=64, height=64)
    for path, cut in ((tmp_path / "train" / "cat" / "1.png", -20), (tmp_path / "test" / "dog" / "3.jpg", -200)):
        path.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(DataError, match=rf"{path.name} is not a readable image .*: delete or replace it"):
            read(tmp_path)
        path.write_bytes(b"")
        with pytest.raises(DataError, match=rf"{path.name} is not a readable image"):
            read(tmp_path)
        path.unlink()
    for i in range(7):
        (tmp_path / "train" / "cat" / f"broken{i}.gif").write_bytes(b"GIF89a")
    with pytest.raises(DataError, match=r"7 files are not readable images, .*broken0.gif.*broken4.gif .* and 2 more"):
        read(tmp_path)


def test_too_many_pixels_are_refused_with_the_file(tmp_path: Path) -> None:
    classes(tmp_path)
    put(tmp_path / "cat" / "huge.png", Image.new("1", (20_000, 10_000)))
    with pytest.raises(DataError, match=r"huge.png is not a readable image .* 179 million pixels: scale it down"):
        read(tmp_path)


def test_no_warning_of_large_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(classes(tmp_path))


def test_images_are_decoded_by_threads_a_bounded_number_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started, so neither shared memory nor a main module is needed."""
    classes(tmp_path, count=20)
    files = FolderImages(tmp_path, [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(20)], Reading(4, 1))
    monkeypatch.setattr(folders, "_THREADS_FROM", 1)
    monkeypatch.setattr(folders, "_AHEAD", 3)
    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", lambda self: pytest.fail("a process"))
    begun: list[int] = []
    decode = FolderImages.__getitem__
    monkeypatch.setattr(FolderImages, "__getitem__", lambda self, n: begun.append(n) or decode(self, n))
    batches = files.batches(list(torch.arange(40).split(4)), workers=2)
    first = next(batches)
    assert first.shape == (4, 1, 4, 4) and len(begun) <= 4 + 3
    batches.close()


# --- modes, sizes, channels ------------------------------------------------------------------------------


def modes() -> dict[str, Image.Image]:
    """The same stripes in every mode that Pillow can hold."""
    grey = Image.fromarray(picture(0, 8, 8))
    found = {mode: grey.convert(mode) for mode in ("L", "1", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LA", "RGBX")}
    found |= {"RGBa": found["RGBA"].convert("RGBa"), "La": found["LA"].convert("La"), "PA": found["P"].convert("PA")}
    found["I;16"] = Image.fromarray(picture(0).astype(np.uint16) * 257)
    found["I;16B"] = Image.frombytes("I;16B", (8, 8), (picture(0).astype(">u2") * 257).tobytes())
    found["I"] = Image.fromarray(picture(0).astype(np.int32) * 257)
    found["F"] = Image.fromarray(picture(0).astype(np.float32) * 257)
    return found


@pytest.mark.parametrize("mode", sorted(modes()))
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_keeps_its_stripes(mode: str, channels: int) -> None:
    assert mode in READ
    got = np.asarray(eight_bits(modes()[mode], channels, 65535.0), dtype=float).reshape(8, 8, channels)
    rows = got.mean((1, 2))
    assert rows[2] - rows[0] > 150, "bright rows stay bright, dark ones dark"


@pytest.mark.parametrize("ink", [0, 255])
def test_what_is_drawn_in_the_alpha_channel_is_seen(ink: int) -> None:
    drawn = Image.merge("LA", (Image.new("L", (8, 8), ink), Image.fromarray(picture(0))))
    got = np.asarray(eight_bits(drawn, 1, 255))
    assert (len(np.unique(got)) > 1) == (ink == 0), "white on white is seen by nobody, and noticed below"


@pytest.mark.parametrize(
    ("scale", "dtype", "ending", "white"),
    [
        (257, np.uint16, "png", 65535),
        (4095 / 255, np.uint16, "png", 4095),
        (1, np.uint16, "png", 255),
        (257, np.int32, "tiff", 65535),
        (1 / 255, np.float32, "tiff", 1),
        (1, np.float32, "tiff", 255),
    ],
)
def test_images_of_many_bits_are_scaled(tmp_path: Path, scale: float, dtype: Any, ending: str, white: int) -> None:
    for kind, name in enumerate(("cat", "dog")):
        for i in range(5):
            pixels = picture(kind).copy()
            pixels[0, 0] = 255
            put(tmp_path / name / f"{i}.{ending}", (pixels * float(scale)).astype(dtype))
    data = read(tmp_path)
    assert isinstance(data.train.images, torch.Tensor)
    wanted = picture(0)
    wanted[0, 0] = 255
    assert np.abs(data.train.images[0, 0].numpy().astype(int) - wanted).max() <= 1
    assert any(f"more than 8 bits (mode {'F' if dtype is np.float32 else 'I'}" in note for note in data.notes)
    assert any(f"{white} is read as white" in note for note in data.notes)


def test_what_cannot_be_scaled_is_refused_with_file_and_mode(tmp_path: Path) -> None:
    classes(tmp_path)
    path = put(tmp_path / "cat" / "ct.tiff", picture(0).astype(np.int32) - 1000)
    with pytest.raises(DataError, match=r"ct.tiff \(mode I\) has values from -960 to -785; expected"):
        read(tmp_path)
    put(path, np.full((8, 8), np.nan, dtype=np.float32))
    with pytest.raises(DataError, match=r"ct.tiff \(mode F\) has values from nan"):
        read(tmp_path)
    put(path, Image.new("LAB", (8, 8)))
    with pytest.raises(DataError, match=r"ct.tiff is not a readable image \(its mode is LAB; expected RGB or L\)"):
        read(tmp_path)


def test_images_of_one_colour_are_noticed(tmp_path: Path) -> None:
    classes(tmp_path, count=10)
    for i in range(3):
        put(tmp_path / "cat" / f"{i}.png", np.full((8, 8), 255, dtype=np.uint8))
    assert any("training images are of one colour" in note for note in read(tmp_path, DataOptions(validation=0)).notes)


def test_orientation_is_applied(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    for kind, name in enumerate(("cat", "dog")):
        for i in range(10):
            put(tmp_path / name / f"{i}.jpg", picture(kind, 6, 9), exif=turned, quality=100)
    data = read(tmp_path)
    assert "9x6" in data.reading
    upright = np.rot90(picture(0, 6, 9), -1)[:, 2:8]
    assert np.abs(data.train.images[0, 0].numpy().astype(int) - upright).max() < 30  # type: ignore[union-attr]


def test_grey_folders_are_grey_and_can_be_colour(tmp_path: Path) -> None:
    classes(tmp_path)
    assert read(tmp_path).shape == (1, 8, 8)
    assert read(tmp_path, DataOptions(validation=0, channels=3)).shape == (3, 8, 8)
    put(tmp_path / "cat" / "0.png", Image.fromarray(picture(0)).convert("RGB"))
    assert read(tmp_path).shape == (3, 8, 8)
    assert read(tmp_path, DataOptions(validation=0, channels=1)).shape == (1, 8, 8)


def test_channels_of_arrays() -> None:
    images = torch.randint(256, (20, 3, 4, 4), dtype=torch.uint8)
    raw = RawData(images, np.arange(20) % 2)
    assert load_data("a", lambda root, download: raw, DataOptions(validation=0, channels=1), Path()).shape == (1, 4, 4)
    four = RawData(torch.zeros(20, 4, 4, 4, dtype=torch.uint8), np.arange(20) % 2)
    with pytest.raises(OptionError, match="images of 4 channels, expected 1 or 3"):
        load_data("a", lambda root, download: four, DataOptions(channels=1), Path())


def test_the_plan_says_how_oblong_images_are_read(tmp_path: Path) -> None:
    classes(tmp_path, width=8, height=12)
    assert read(tmp_path).shape == (1, 8, 8)
    assert "8x12, shorter side scaled to 8, centre cut out: 33 % of the pixels are cut off" in read(tmp_path).reading
    squeezed = read(tmp_path, DataOptions(validation=0, oblong="squeeze"))
    assert squeezed.shape == (1, 8, 8) and "both sides scaled to 8" in squeezed.reading
    put(tmp_path / "dog" / "4.png", picture(1, 30, 20))
    reading = read(tmp_path, DataOptions(validation=0, resize=8)).reading
    assert "8x12 to 30x20" in reading, "every header is looked at"
    assert "the default; data.resize chooses another" in read(tmp_path).reading


def test_squeezing_and_padding_keep_the_edges() -> None:
    wide = torch.zeros(1, 8, 16, dtype=torch.uint8)
    wide[:, :, :2] = wide[:, :, -2:] = 255
    assert not square(wide, 8).any(), "cropping cuts the edges off"
    assert square(wide, 8, "squeeze")[0, :, 0].min() > 200
    padded = square(wide, 16, "pad")
    assert not padded[0, :4].any() and padded[0, 4:12, 0].min() == 255


# --- arrays ----------------------------------------------------------------------------------------------

IMAGES = np.stack([picture(i % 2) for i in range(30)])
Y = np.arange(30) % 3


def archive(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def read_arrays(path: Path, options: DataOptions = ALL) -> DataBundle:
    return load_data("npz", archives.npz(str(path)), options, Path())


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (Y, ("0", "1", "2")),
        (Y.astype(np.uint8), ("0", "1", "2")),
        (Y[:, None], ("0", "1", "2")),
        (Y + 1, ("1", "2", "3")),
        (Y.astype(float), ("0", "1", "2")),
        (Y == 1, ("0", "1")),
        (np.eye(3, dtype=np.int64)[Y], ("0", "1", "2")),
        (np.eye(3, dtype=np.float32)[Y], ("0", "1", "2")),
        (np.eye(3, dtype=bool)[Y], ("0", "1", "2")),
        (np.array(["eel", "cat", "dog"])[Y], ("cat", "dog", "eel")),
        (np.array([b"eel", b"cat", b"dog"])[Y], ("cat", "dog", "eel")),
        (np.where(Y == 0, -1, 1), ("-1", "1")),
        (np.array([0, 5, 9])[Y], ("0", "5", "9")),
        (np.array([0.0, 5.0, 9.0])[Y], ("0", "5", "9")),
    ],
)
def test_labels_in_every_form(tmp_path: Path, labels: Any, names: tuple[str, ...]) -> None:
    path = archive(tmp_path / "a.npz", x_train=IMAGES[:20], y_train=labels[:20], x_test=IMAGES[20:], y_test=labels[20:])
    data = read_arrays(path)
    assert data.class_names == names and data.num_classes == len(names)
    flat = labels.argmax(1) if labels.ndim == 2 and labels.shape[1] > 1 else labels.reshape(-1)
    _, numbers = np.unique(flat, return_inverse=True)
    assert torch.cat([data.train.labels, data.test.labels]).tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Y + 0.5, r"y_train has fractions such as 0.5; expected classes: .*numpy.digitize"),
        (np.where(Y == 0, np.nan, 1.0), "y_train has labels that are NaN"),
        (np.eye(3)[Y] * 0.8 + 0.2 / 3, r"one probability per class; expected classes: y_train.argmax\(1\)"),
        (np.eye(3, dtype=int)[Y] | np.eye(3, dtype=int)[0], "expected one class per sample: several labels"),
        (np.arange(90).reshape(30, 3), r"y_train has shape \(20, 3\); expected one label per sample"),
        (np.zeros((30, 4, 4), dtype=int), r"y_train has shape \(20, 4, 4\); expected one label"),
        (
            np.array([None, "a"] * 15, dtype=object),
            r"y_train holds Python objects\): save text as y_train.astype\(str\)",
        ),
        (np.array(["2020-01-01"] * 30, dtype="datetime64[D]"), "y_train has labels of type datetime64"),
        (np.where(np.arange(30) < 20, Y, 7), "y_test has the label '7', which no sample in y_train has|label 7 is out"),
        (np.where(np.arange(30) < 20, Y + 1, 7), "y_test has the label '7', which no sample in y_train has"),
        (np.zeros(30, dtype=int), "all training labels are 0.*probe"),
    ],
)
def test_labels_that_are_no_classes(tmp_path: Path, labels: Any, message: str) -> None:
    path = archive(tmp_path / "a.npz", x_train=IMAGES[:20], y_train=labels[:20], x_test=IMAGES[20:], y_test=labels[20:])
    with pytest.raises(DataError, match=message):
        read_arrays(path)


@pytest.mark.parametrize(
    "names",
    [
        "x_{} y_{}",
        "X_{} y_{}",
        "{}_images {}_labels",
        "{}X {}Y",
        "{}_x {}_y",
        "images_{} targets_{}",
        "data_{} target_{}",
    ],
)
@pytest.mark.parametrize("held", ["val", "valid", "validation", "dev"])
def test_arrays_are_known_by_their_names(tmp_path: Path, names: str, held: str) -> None:
    arrays = {}
    for kind, rows in (("train", slice(0, 16)), (held, slice(16, 22)), ("test", slice(22, 30))):
        for key, array in zip(names.format(kind, kind).split(), (IMAGES, Y), strict=True):
            arrays[key] = array[rows]
    data = read_arrays(archive(tmp_path / "a.npz", **arrays), DataOptions())
    assert sizes(data) == [16, 6, 8] and "validation part as given" in data.split and not data.notes


def test_what_is_not_read_of_an_archive_is_named(tmp_path: Path) -> None:
    data = read_arrays(archive(tmp_path / "a.npz", x=IMAGES, y=Y, groups=Y, weight=Y))
    assert sizes(data) == [24, 0, 6] and "not read: the arrays groups, weight of a.npz" in data.notes
    with pytest.raises(DataError, match=r"x_train and train_images are the same by their names"):
        read_arrays(archive(tmp_path / "b.npz", x_train=IMAGES, train_images=IMAGES, y_train=Y))
    with pytest.raises(DataError, match=r"has no y_val: expected"):
        read_arrays(archive(tmp_path / "c.npz", x_train=IMAGES, y_train=Y, x_val=IMAGES))
    with pytest.raises(DataError, match=r"has no y_train.*learns without labels needs them too"):
        read_arrays(archive(tmp_path / "d.npz", x_train=IMAGES))
    with pytest.raises(DataError, match=r"is a folder: expected .* or folder:"):
        read_arrays(tmp_path)
    assert place_of("weight") is None


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (IMAGES.astype(np.float32), r"reach from 40 to 215: save pixels as uint8, or divide them by 255"),
        (IMAGES.astype(np.float32) / 255**2, r"reach only from 0.0006\d+ to 0.003\d+: multiply them"),
        (IMAGES.reshape(30, -1).astype(float), r"reach from 40 to 215: standardize the features"),
        (IMAGES.reshape(30, -1), r"reach from 40 to 215: standardize the features"),
        (np.zeros((30, 5)), "all training samples are the same"),
        (np.full((30, 4, 4), 0.5), "24 of 24 training images are of one colour"),
    ],
)
def test_odd_ranges_are_noticed(tmp_path: Path, samples: Any, message: str) -> None:
    notes = read_arrays(archive(tmp_path / "a.npz", x=samples, y=Y)).notes
    assert np.any([re.search(message, note) for note in notes]), notes


@pytest.mark.parametrize("samples", [IMAGES, IMAGES / 255, IMAGES.reshape(30, -1) / 255, np.eye(30)])
def test_usual_ranges_are_not(tmp_path: Path, samples: Any) -> None:
    assert not read_arrays(archive(tmp_path / "a.npz", x=samples, y=Y)).notes


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int64, np.int8, np.float16, np.float64])
def test_features_of_any_type_and_their_backbone(tmp_path: Path, dtype: Any) -> None:
    path = archive(tmp_path / "a.npz", x_train=np.eye(5)[np.arange(30) % 5].astype(dtype), y_train=Y)
    data = read_arrays(path)
    assert data.shape == (5,) and data.train.images.dtype == torch.float32  # type: ignore[union-attr]
    assert defaults_of_npz(str(path)) == {"backbone": "mlp"}


def test_images_keep_their_backbone(tmp_path: Path) -> None:
    assert defaults_of_npz(str(archive(tmp_path / "a.npz", x_train=IMAGES, y_train=Y))) == {}
    assert defaults_of_npz(str(tmp_path / "none.npz")) == {}
    (tmp_path / "b.npz").write_bytes(b"PK")
    assert defaults_of_npz(str(tmp_path / "b.npz")) == {}


@pytest.mark.parametrize(
    ("dtype", "remedy"),
    [
        (bool, r"astype\('uint8'\) \* 255"),
        (np.int32, r"astype\('uint8'\)"),
        (np.uint16, r"from 10280 to 55255: scale it"),
    ],
)
def test_images_of_other_types_are_refused_with_the_remedy(tmp_path: Path, dtype: Any, remedy: str) -> None:
    images = IMAGES.astype(np.uint16) * 257 if dtype is np.uint16 else IMAGES.astype(dtype)
    with pytest.raises(DataError, match=rf"x_train is {np.dtype(dtype)}, expected uint8 or float.*{remedy}"):
        read_arrays(archive(tmp_path / "a.npz", x_train=images, y_train=Y))


# --- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["PathMNIST", "pathmnist", "path", "Path-MNIST", "path_mnist"])
def test_medmnist_as_in_its_paper(name: str) -> None:
    assert callable(sources.medmnist(name))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("chestmnist", "several labels an image"),
        ("ChestMNIST", "several labels an image"),
        ("retinamnist", "ordered labels"),
        ("OrganMNIST3D", "has volumes"),
        ("pathmmist", "did you mean 'pathmnist'"),
    ],
)
def test_medmnist_that_is_not_read_and_why(name: str, why: str) -> None:
    with pytest.raises(UnknownNameError, match=why):
        sources.medmnist(name)
