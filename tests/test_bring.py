"""A model and data of one's own: how a module is cut, what data are read as, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import ffzoo
from ffzoo.backbones.own import module_backbone
from ffzoo.errors import CheckpointError, DataError, OptionError, PartitionError

QUIET = {"progress": False, "epochs": 1}


class Functional(nn.Module):
    """Activations and pooling are plain functions, and the head is the last linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.hidden, self.out = nn.Linear(32, 16), nn.Linear(16, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.out(F.relu(self.hidden(x.flatten(1))))


class Skips(nn.Module):
    """The second convolution adds to what the first one gave."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(1 if i == 0 else 4, 4, 3, padding=1) for i in range(3))
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = F.relu(self.a(x))
        x = x + F.relu(self.b(x))
        return self.fc(F.relu(self.c(x)).mean((2, 3)))


class Listed(nn.Module):
    """Blocks in a list, which never runs itself."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.layers = nn.Conv2d(1, 4, 3), nn.ModuleList(nn.Conv2d(4, 4, 1) for _ in range(2))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 7))

    def forward(self, x):
        x = self.stem(x)
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.head(x)


class PreActivationBlocks(nn.Sequential):
    """Every block begins with a ReLU."""

    def __init__(self) -> None:
        blocks = [nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 3)) for _ in range(2)]
        super().__init__(nn.Conv2d(1, 4, 3), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


def layers() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(16, 3),
    )  # fmt: skip


def pictures(n: int = 60, shape: tuple[int, ...] = (8, 8)) -> tuple[np.ndarray, np.ndarray]:
    """Images whose class is the row that is bright."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = rng.integers(0, 90, (n, *shape), dtype=np.uint8)
    x[np.arange(n), 2 * y] += 160
    return x, y


# ---------------------------------------------------------------- the cut


def test_a_block_is_a_child_with_weights_and_what_follows_it():
    backbone = module_backbone(layers(), (1, 8, 8), 3)
    assert backbone.labels == ["0", "3"] and backbone.feature_shapes == ((8, 6, 6), (16, 2, 2))
    assert [backbone.owner(f"model.{i}.weight") for i in (0, 1, 3, 9)] == [0, 0, 1, None]
    assert float(backbone(torch.randn(4, 1, 8, 8)).min()) == 0, "the activation belongs to the block before it"
    assert "head: '9' (3 outputs, found by its width, 3 classes) is left out of the blocks" in backbone.describe()


@pytest.mark.parametrize("algo", ["dtg_ff", "softhebb"])
def test_what_a_model_has_frozen_stays_so_and_is_said(algo, capsys):
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())
    model[0].requires_grad_(False)
    before = [layer.weight.clone() for layer in (model[0], model[2])]
    trained = ffzoo.fit(model, (torch.rand(60, 1, 8, 8), torch.arange(60) % 3), algo=algo, epochs=1)
    weights = [p for p in trained.algorithm.backbone.parameters() if p.dim() == 4]
    assert [torch.equal(w, b) for w, b in zip(weights, before, strict=True)] == [True, False]
    assert "2 of 4 weights and biases are frozen, and stay as they are" in capsys.readouterr().out


def test_functions_belong_to_the_weights_before_them():
    backbone = module_backbone(Functional(), (1, 8, 8), 3)
    assert backbone.labels == ["conv1", "conv2", "hidden"]
    assert backbone.feature_shapes == ((8, 4, 4), (32,), (16,))
    model, x = backbone.model, torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(model.out(backbone(x)), model(x))


@pytest.mark.parametrize(
    ("make", "shape", "head"),
    [(Listed, (1, 8, 8), "'head' (7 outputs, found by its name)"), (Skips, (1, 8, 8), "'fc' (3 outputs")],
)
def test_a_head_is_found_by_its_name_whatever_its_width(make, shape, head):
    backbone = module_backbone(make(), shape, 3)
    assert f"head: {head}" in backbone.describe()
    assert all(backbone.owner(f"model.{key}") is None for key, _ in make().named_parameters() if "head" in key)


def test_get_classifier_says_which_the_head_is():
    class Told(Functional):
        def get_classifier(self):
            return self.out

    assert "get_classifier() returns it" in module_backbone(Told(), (1, 8, 8), 5).describe()


def test_without_a_head_it_is_said_that_all_are_blocks():
    backbone = module_backbone(nn.Sequential(*list(layers())[:6]), (1, 8, 8), 3)
    assert "head: none found, so that '3' belongs to the last block" in backbone.describe()
    assert backbone.depth == 2


def test_children_that_exchange_more_than_an_output_are_one_block():
    backbone = module_backbone(Skips(), (1, 8, 8), 3)
    assert backbone.labels == ["a", "c"]
    assert "joined to what runs before, with which they exchange more than an output: b" in backbone.describe()


def test_a_cut_before_an_activation_is_said():
    text = module_backbone(PreActivationBlocks(), (1, 8, 8), 3).describe()
    for block in (1, 2):
        assert f"block {block + 1} begins with relu, so that block {block} is read and scored before its" in text
    assert "begins with" not in module_backbone(Functional(), (1, 8, 8), 3).describe()


def test_blocks_are_counted_from_one():
    rows = module_backbone(layers(), (1, 8, 8), 3).describe().splitlines()
    assert [row.split()[0] for row in rows[2:4]] == ["1", "2"]


def test_a_walk_stops_before_the_head():
    backbone = module_backbone(layers(), (1, 8, 8), 3)
    ran = []
    backbone.model[9].register_forward_hook(lambda *_: ran.append(1))
    backbone(torch.randn(2, 1, 8, 8))
    assert not ran


def test_names_to_cut_after_leave_the_head_out_too():
    backbone = module_backbone(layers(), (1, 8, 8), 3, by=("2",))
    assert backbone.depth == 2 and backbone.owner("model.9.weight") is None
    with pytest.raises(PartitionError, match="no module 'layer1'"):
        module_backbone(layers(), (1, 8, 8), 3, by=("layer1",))


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), "weights in one child only"),
        (nn.Linear(3, 3), r"cannot run on inputs of shape \(1, 8, 8\)"),
        (nn.ReLU(), "has no parameters"),
    ],
)
def test_a_module_that_cannot_be_cut_gets_a_sentence(module, words):
    with pytest.raises(PartitionError, match=words):
        module_backbone(module, (1, 8, 8), 3)


# ---------------------------------------------------------------- fit


def test_fit_learns_and_leaves_the_module_as_it_is():
    net, (x, y) = Functional(), pictures()
    before = [p.clone() for p in net.parameters()]
    model = ffzoo.fit(net, (x, y), algo="mono_forward", epochs=30, batch_size=20, progress=False)
    assert model.score(x, y) > 0.9 and len(model.history) == 30
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_fit_says_how_it_cut_and_what_it_assumed(capsys):
    ffzoo.fit(Functional(), pictures(), algo="mono_forward", epochs=1)
    shown = " ".join(capsys.readouterr().out.split())
    assert "head: 'out' (3 outputs" in shown and "(N, 8, 8) read as images of one channel" in shown
    assert "60 training, 0 validation, 0 test" in shown and "--out" not in shown


def test_a_rule_that_chooses_on_validation_samples_gets_some():
    model = ffzoo.fit("mlp", pictures(), **QUIET)
    assert "validation 10 %" in model.config["data_facts"]["split"]
    assert "validation" not in ffzoo.fit("mlp", pictures(), "mono_forward", **QUIET).config["data_facts"]["split"]


def batches(model: ffzoo.Trained, x: np.ndarray) -> torch.Tensor:
    return model(torch.as_tensor(x)[:, None])


def test_all_forms_of_the_same_data_train_the_same():
    x, y = pictures()
    forms = [(x, y), [torch.as_tensor(x)[:, None], list(y)], (x[..., None].astype(int), y[:, None].astype(float))]
    forms += [{"train": (x, np.eye(3)[y])}, TensorDataset(torch.as_tensor(x), torch.as_tensor(y)), Items(x, y)]
    scores = [batches(ffzoo.fit("mlp", form, "mono_forward", batch_size=20, **QUIET), x) for form in forms]
    for other in scores[1:]:
        torch.testing.assert_close(other, scores[0])


class Items(Dataset):
    def __init__(self, x, y):
        self.x, self.y, self.classes = x, y, ["top", "middle", "bottom"]

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


def test_a_loader_keeps_its_batches_transforms_and_order():
    x, y = pictures(50)
    seen = []

    def collate(items):
        seen.append([int(image.sum()) for image, _ in items])
        return torch.stack([torch.as_tensor(image)[None] / 255 for image, _ in items]), torch.tensor(
            [k for _, k in items]
        )

    loader = DataLoader(Items(x, y), batch_size=16, collate_fn=collate)
    model = ffzoo.fit("mlp", loader, "mono_forward", epochs=2, progress=False)
    assert [len(batch) for batch in seen] == [16, 16, 16, 2] * 3, "one pass to inspect, and two epochs"
    assert model.class_names == ("top", "middle", "bottom") and not model.pixels
    assert model.config["fit"]["batch_size"] == 16 and model.position["fit"]["watch"]["steps"] == 8
    assert model.algorithm.total_steps == 8, "the learning rate's schedule counts the last, smaller batch too"
    assert model.score(loader) == pytest.approx(model.score(x[:, None].astype(np.float32) / 255, y))
    with pytest.raises(OptionError, match="batch_size is 8, but the DataLoader has batches of 16"):
        ffzoo.fit("mlp", loader, batch_size=8)
    with pytest.raises(OptionError, match="'validation'"):
        ffzoo.fit("mlp", loader, "dtg_ff", progress=False)
    given = ffzoo.fit("mlp", {"train": loader, "validation": (x[:, None] / 255, y)}, "dtg_ff", **QUIET)
    assert "validation_accuracy" in given.history[0]


def test_workers_of_a_loader_work():
    x, y = pictures()
    loader = DataLoader(TensorDataset(torch.as_tensor(x)[:, None] / 255, torch.as_tensor(y)), 20, num_workers=1)
    assert ffzoo.fit("mlp", loader, "mono_forward", **QUIET).position["fit"]["watch"]["steps"] == 3


def test_channels_are_found_last_and_said(recwarn):
    x, y = pictures(shape=(8, 8, 3))
    model = ffzoo.fit("cnn", (x, y), "mono_forward", settings={"backbone.width": 4, "backbone.depth": 2}, **QUIET)
    assert model.shape == (3, 8, 8) and "read as (N, H, W, C)" in model.config["data_facts"]["split"]
    assert not [w for w in recwarn if "channels" in str(w.message)]
    with pytest.warns(UserWarning, match="channels first or last"):
        model = ffzoo.fit("mlp", pictures(shape=(8, 8, 8)), "mono_forward", **QUIET)
    assert model.shape == (8, 8, 8)


def test_data_sets_of_hugging_face():
    datasets = pytest.importorskip("datasets")
    x, y = pictures()
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["t", "m", "b"])})
    data = datasets.Dataset.from_dict({"image": _pngs(x), "label": y}, features=features)
    model = ffzoo.fit("mlp", data, "mono_forward", batch_size=20, **QUIET)
    assert model.class_names == ("t", "m", "b")
    torch.testing.assert_close(
        batches(model, x), batches(ffzoo.fit("mlp", (x, y), "mono_forward", batch_size=20, **QUIET), x)
    )
    result = ffzoo.evaluate("mono_forward", datasets.DatasetDict(train=data, test=data), backbone="mlp", epochs=1)
    assert result.runs[0].split.startswith("test part as published")


def _pngs(x):
    import io

    from PIL import Image

    found = []
    for image in x:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "png")
        found.append({"bytes": file.getvalue(), "path": None})
    return found


X, Y = pictures()


class Endless(IterableDataset):
    def __iter__(self):
        return iter([])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (42, "cannot read a int; expected \\(x, y\\)"),
        (X, "cannot read a ndarray"),
        ((X, Y, Y), "a tuple of 3; expected \\(x, y\\)"),
        ((X, Y[:-1]), "60 images but 59 labels"),
        ((X, np.array(["a", "b", "c"])[Y]), "labels are a ndarray of <U1; expected integers .*FFClassifier"),
        ((X, Y + 0.5), "labels hold 0.5; expected integers"),
        ((X, Y * 2), "no training sample has label 1"),
        ((X, Y - 1), "label -1 is negative"),
        ((X, Y * 0), "all training labels are 0, expected at least two"),
        ((X, None), "labels are a NoneType"),
        ((X.astype(int) * 9, Y), "pixels go from 0 to \\d+; expected uint8"),
        ((X[0, 0], Y), r"samples have shape \(8,\)"),
        (([[1, 2], [3]], [0, 1]), "samples are a list; expected numbers, all samples of one shape"),
        (({"a": 1}, Y), "samples are a dict"),
        ((np.full((60, 4), np.nan), Y), "60 samples hold NaN"),
        ({"tran": (X, Y)}, "'tran' is no part; did you mean 'train'"),
        ({"test": (X, Y)}, "expected one called 'train'"),
        (Endless(), "Endless has no length; expected a DataLoader"),
        (Items(X, ["a"] * 60), "item 0: the label is a str, 'a'; expected an integer"),
        (Items([X[0], X[0][:4]], [0, 1]), "item 1: is torch.uint8 .*expected"),
        (DataLoader([{"a": 1}]), "batch 1: has the keys 'a'; expected an input such as 'image'"),
        (DataLoader([(1, 2, 3)]), "batch 1: is a list of 3; expected a pair"),
        (None, "expected"),
    ],
)
def test_data_that_are_not_understood_get_a_sentence(data, words):
    with pytest.raises(DataError, match=words):
        ffzoo.fit("mlp", data, "mono_forward", **QUIET)


@pytest.mark.parametrize(
    ("model", "algo", "more", "words"),
    [
        (3, "bp", {}, "the model is a int; expected an nn.Module"),
        (nn.Linear, "bp", {}, r"Linear\(\) cannot be called"),
        (lambda: 3, "bp", {}, "makes a int; expected an nn.Module"),
        ("mlp", 3, {}, "algo is a int; expected a registered name, a Recipe"),
        ("mlp", nn.Linear, {}, "algo is a Linear"),
        ("mlp", lambda: None, {}, "algo is a NoneType"),
        ("mlp", "vanilla_ff", {"settings": {"loss": len}}, "local loss is a function"),
        ("mlp", "vanilla_ff", {"goodness": len, "settings": {"goodness": "sum_squares"}}, "goodness is given twice"),
        (Functional(), "bp", {"settings": {"data.resize": 4}}, "data.resize is for data in memory"),
    ],
)
def test_models_and_rules_that_are_not_understood_get_a_sentence(model, algo, more, words):
    data = Items(X, Y) if "resize" in words else (X, Y)
    with pytest.raises(OptionError, match=words):
        ffzoo.fit(model, data, algo, **QUIET, **more)


# ---------------------------------------------------------------- rules, comparisons, files


def cubes(h):
    return h.flatten(1).pow(3).abs().mean(1)


def cubic() -> ffzoo.Recipe:
    return ffzoo.Recipe(terms=(ffzoo.Term(cubes, "logistic"),), label_embedding="overlay", negatives="wrong_label")


def test_a_function_is_a_goodness_and_a_recipe_an_algorithm(tmp_path):
    by_name = ffzoo.fit("mlp", (X, Y), cubic, **QUIET)
    by_part = ffzoo.fit(
        "mlp", (X, Y), cubic().replace(terms=(ffzoo.Term("sum_squares", "logistic"),)), goodness=cubes, **QUIET
    )
    torch.testing.assert_close(batches(by_name, X), batches(by_part, X))
    assert by_name.config["algo"] == "cubic" and by_part.config["algo"] == "recipe"
    by_name.save(tmp_path / "m")
    assert torch.equal(batches(ffzoo.load(tmp_path / "m"), X), batches(by_name, X))
    ffzoo.fit("mlp", (X, Y), "vanilla_ff", goodness=lambda h: h.flatten(1).square().mean(1), **QUIET).save(
        tmp_path / "l"
    )
    with pytest.raises(OptionError, match=r"goodness '.*<lambda>' cannot be imported"):
        ffzoo.load(tmp_path / "l")


def test_compare_and_evaluate_take_what_fit_takes(tmp_path):
    options = {"backbone": Functional, "epochs": 1, "settings": {"fit.batch_size": 16}, "trials": 1}
    result = ffzoo.compare({"mine": cubic(), "bp": "bp"}, (X, Y), seeds=2, out=tmp_path / "x", **options)
    assert [r.algo for r in result.runs] == ["mine", "mine"] and result.against[0].other.runs[0].algo == "bp"
    assert {r.backbone for r in result.runs} == {"Functional"} and {r.dataset for r in result.runs} == {"arrays"}
    loaded = ffzoo.load(tmp_path / "x" / "mine-arrays-Functional-s1", model=Functional())
    assert loaded.score(X, Y) >= 0
    with pytest.raises(CheckpointError, match=r"a module of your own, Functional; .*model=Functional\(\.\.\.\)"):
        ffzoo.load(tmp_path / "x" / "mine-arrays-Functional-s1")
    with pytest.raises(OptionError, match="at least two to compare"):
        ffzoo.compare(["bp"], (X, Y))
    with pytest.raises(DataError, match="a DataLoader cannot be divided"):
        ffzoo.evaluate(
            "bp", DataLoader(TensorDataset(torch.as_tensor(X)[:, None], torch.as_tensor(Y)), 20), backbone="mlp"
        )


def test_create_cuts_a_module_too_and_trains_the_module_itself():
    net = Functional()
    algorithm = ffzoo.create("mono_forward", net, (1, 8, 8), 3)
    assert algorithm.backbone.model is net
    algorithm.fit([(torch.as_tensor(X)[:, None] / 255, torch.as_tensor(Y))], epochs=1)


def test_a_factory_makes_new_weights_for_every_seed():
    first, second = (ffzoo.fit(Functional, (X, Y), "random_features", seed=s, **QUIET) for s in (0, 1))
    a, b = (m.algorithm.backbone.model.conv1.weight for m in (first, second))
    assert not torch.equal(a, b)
    again = ffzoo.fit(Functional, (X, Y), "random_features", seed=0, **QUIET)
    assert torch.equal(a, again.algorithm.backbone.model.conv1.weight)
