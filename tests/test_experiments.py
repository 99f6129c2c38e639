"""The experiments' own parts: designs, matched budgets, files of a comparison, probes."""

from __future__ import annotations

import importlib
import itertools
import json
import math

import pytest
import torch
from data_sets import write_images
from sklearn.linear_model import LogisticRegression

from ffzoo import Batch, create
from ffzoo.algorithms.build import algorithm_spec, backbone_config
from ffzoo.bench import rate_factors
from ffzoo.bench.__main__ import main
from ffzoo.bench.grid import planned, refuse_unfair
from ffzoo.bench.options import Comparison
from ffzoo.data.bundle import load_data
from ffzoo.data.folder_sources import folder
from ffzoo.measure.probes import linear_probes
from ffzoo.run import configuration
from ffzoo_experiments.claims import e11_resolution as resolution
from ffzoo_experiments.claims.e09_depth_memory import slope
from ffzoo_experiments.claims.e13_design import CONTRASTS, cells_of, expected, published_cells, settings_of
from ffzoo_experiments.claims.e13_periodic_table import SCALES
from ffzoo_experiments.claims.options import Resolutions, Strong

MODULES = (
    *("e01_whole_data", "e02_classes_real", "e03_classes_synthetic", "e04_coarse_fine", "e05_outputs"),
    *("e06_projections", "e07_ablation", "e08_locality", "e11_resolution", "e12_block_probes", "e13_periodic_table"),
)
STRONG = ("e01_whole_data", "e02_classes_real", "e11_resolution")


def options_of(module, scale):
    if module == "e11_resolution":
        return Resolutions(scale=scale, datasets=("imagenette",))
    return Strong(scale=scale) if module in STRONG else Comparison(scale=scale)


@pytest.mark.parametrize(
    ("module", "scale"),
    [*itertools.product(MODULES, ("smoke", "cpu", "full")), *((module, "strong") for module in STRONG)],
)
def test_the_grids_of_every_scale_are_fair_and_can_be_planned(module, scale):
    design = importlib.import_module(f"ffzoo_experiments.claims.{module}").grid(options_of(module, scale))
    for condition in design.conditions:
        for search in (True, False):
            runs = {arm.name: planned(design, condition, arm, design.seeds[0], 1.0, search) for arm in design.arms}
            refuse_unfair(runs)
    assert len(design.seeds) >= {"smoke": 2, "cpu": 3, "strong": 3, "full": 5}[scale]


@pytest.mark.parametrize("module", STRONG)
def test_at_strong_scale_the_recipe_is_the_shipped_one_and_stands_beside_backprop(module):
    design = importlib.import_module(f"ffzoo_experiments.claims.{module}").grid(options_of(module, "strong"))
    shipped = configuration.read("fast_cifar_wide")[1]
    fit = {key: value for key, value in shipped.items() if key.startswith("fit.")}
    for condition in design.conditions:
        assert {key: condition.settings[key] for key in fit} == fit
    assert {"dtg_ff", "bp_deepsup", "bp"} <= {arm.algo for arm in design.arms} and design.precision == "bf16"


def test_eight_images_of_each_class_can_be_split_for_the_resolutions(tmp_path):
    for part, label in itertools.product(("train", "val"), range(10)):
        write_images(tmp_path / part / str(label), 8)
    design = resolution.grid(Resolutions(scale="cpu", datasets=(f"folder:{tmp_path}",)))
    run = planned(design, design.conditions[0], design.arms[0], 0, 1.0, False)
    data = load_data(run.dataset, folder(str(tmp_path)), run.data, tmp_path)
    assert len(data.train) == 70 and data.validation is not None and len(data.validation) == 10


def test_the_half_fraction_keeps_main_effects_and_interactions_of_two_apart():
    """Every contrast is balanced and orthogonal to every other: no effect is mistaken for another."""
    cells = list(cells_of("cpu"))
    assert len(cells) == 32 and len(cells_of("full")) == 64 and len(CONTRASTS) == 21
    columns = {name: [math.prod(levels[f] for f in factors) for levels in cells] for name, factors in CONTRASTS.items()}
    assert all(sum(column) == 0 for column in columns.values())
    for one, other in itertools.combinations(columns.values(), 2):
        assert sum(a * b for a, b in zip(one, other, strict=True)) == 0


def test_groups_have_a_channel_a_class_at_full_scale():
    for levels in cells_of("full"):
        network = dict(SCALES["full"].network) | {"backbone.depth": 1}
        width = backbone_config("cnn", {key.removeprefix("backbone."): value for key, value in network.items()})
        create(algorithm_spec("dtg_ff", settings_of(levels)), "cnn", (3, 8, 8), 100, backbone_config=width)


def test_published_rules_lie_in_the_cells_of_their_options():
    cells = {algo: settings_of(levels) for levels, algos in published_cells().items() for algo in algos}
    assert len(cells) >= 13
    assert cells["dtg_ff"] == {
        "goodness.power": 2,
        "goodness.grid": 4,
        "goodness.l2": "none",
        "goodness.temperature": "learned",
        "goodness.projection": "random",
    }
    assert cells["deeperforward"]["goodness.projection"] == "groups" and cells["cwcomp"]["goodness.power"] == 2
    assert cells["lls"]["goodness.l2"] == "pooled" and cells["mono_forward"]["goodness.projection"] == "learned"
    assert cells["dcl"] == cells["dcl_s"] | {"goodness.projection": "learned"}
    assert "random_features" not in cells and "bp" not in cells


def test_cells_that_were_not_run_are_expected_from_effects_and_interactions():
    truth = {
        levels: 50 + 3 * levels[0] - levels[4] + 2 * levels[1] * levels[5]
        for levels in itertools.product((-1, 1), repeat=6)
    }
    seen = {levels: truth[levels] for levels in cells_of("cpu")}
    assert expected(seen, cells_of("cpu")) == pytest.approx(truth)
    del seen[next(iter(seen))]
    assert expected(seen, cells_of("cpu")) == {}, "a mean over what is left is no coefficient"


def test_linear_probes_are_logistic_regressions_of_each_block():
    algorithm = create("dtg_ff", "cnn", (1, 8, 8), 3).eval()
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(240, 1, 8, 8, generator=generator), torch.arange(240) % 3
    x += y.view(-1, 1, 1, 1) * 0.25
    train, test = ([Batch(x[part], y[part])] for part in (slice(160), slice(160, None)))
    found = linear_probes(algorithm, train, test, grid=2, l2=0.1)
    with torch.no_grad():
        maps = [torch.nn.functional.adaptive_avg_pool2d(h, min(2, h.shape[-1])) for h in algorithm.features(x)]
    assert len(found) == len(maps) == algorithm.backbone.depth
    for accuracy, h in zip(found, maps, strict=True):
        f = h.flatten(1).double().numpy()
        f = (f - f[:160].mean(0)) / f[:160].std(0).clip(1e-6)
        # l2 ||W||^2 + mean loss is the same as ||W||^2 / 2 + C * sum of losses with C = 1 / (2 l2 N)
        twin = LogisticRegression(C=1 / (2 * 0.1 * 160), tol=1e-8, max_iter=5000).fit(f[:160], y[:160])
        assert accuracy == pytest.approx(twin.score(f[160:], y[160:]), abs=0.02)


def test_the_slope_is_that_of_the_deep_end():
    assert slope({4: 50, 8: 80, 16: 160, 32: 320}) == pytest.approx(10)
    assert slope({2: 5, 4: 9}) == pytest.approx(2)


def test_trials_lie_around_an_algorithm_s_own_rate():
    assert rate_factors(1) == (1.0,)
    assert [round(f, 2) for f in rate_factors(4)] == [0.32, 1.0, 3.16, 10.0]


def test_a_comparison_of_one_s_own_comes_with_methods_table_and_references(tmp_path, capsys):
    options = [
        "--algos",
        "dtg_ff,bp,greedy_infomax",
        "--datasets",
        "digits",
        "--seeds",
        "0,1",
        "--trials",
        "1",
        "--match",
        "flops",
    ]
    of_all = "settings=fit.augment=crop,cutout,backbone.width=16"
    small = ["--set", "epochs=2", "--set", of_all, "--set", "workers=1", "--set", "backbone=mlp"]
    assert main(["compare", *options, *small, "--out", str(tmp_path / "c")]) == 0
    capsys.readouterr()
    texts = {
        path.suffix: path.read_text() for path in (tmp_path / "c").iterdir() if path.suffix in (".txt", ".tex", ".bib")
    }
    assert r"dtg\_ff~\cite{dtg_ff} & $" in texts[".tex"] and texts[".tex"].count(r"\\") == 4
    assert "@misc{dtg_ff," in texts[".bib"] and "Rumelhart and Hinton and Williams" in texts[".bib"]
    assert "2 seed(s)" in texts[".txt"] and "matched" in texts[".txt"]
    values = {c["key"]: c["value"] for c in map(json.loads, (tmp_path / "c" / "cells.jsonl").read_text().splitlines())}
    ours, theirs = (values[f"digits, {algo}: seed 0"]["train_flops"] for algo in ("dtg_ff", "bp"))
    assert "Left out: digits, greedy_infomax: seed 0: " in (tmp_path / "c" / "compare.md").read_text()
    assert "crop, cutout" in texts[".txt"]
    assert 0.4 < ours / theirs < 2.5 and ours % values["digits, dtg_ff: operations"]["flops"] == 0


def test_a_setting_of_one_algorithm_is_no_setting_of_a_comparison(capsys):
    assert main(["compare", "--set", "settings=goodness.grid=2"]) == 2
    assert "settings has goodness.grid, an option of one algorithm" in capsys.readouterr().err
