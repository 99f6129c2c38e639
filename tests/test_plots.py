"""``ffzoo.plots`` and ``ffzoo plot``: what is drawn is what was measured."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
import torch

import ffzoo
import ffzoo.plots
from ffzoo.cli.main import main
from ffzoo.errors import CheckpointError, OptionError
from ffzoo.run.inside import first_filters, goodness_of, goodness_panel
from ffzoo.run.plots import _Opened
from ffzoo.training.fit import Part, accuracies

SMALL = {"data.train_size": 200, "data.test_size": 60, "backbone.width": 16}


def trained(algo, folder, **settings):
    ffzoo.evaluate(algo, "digits", epochs=3, settings=SMALL | settings, out=folder)
    return folder


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return trained("dtg_ff", tmp_path_factory.mktemp("local") / "run")


@pytest.fixture(scope="module")
def contrastive(tmp_path_factory):
    return trained("vanilla_ff", tmp_path_factory.mktemp("contrastive") / "run", **{"fusion": "concat_linear"})


def lines_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def drawn(ax):
    return {line.get_label(): (line.get_xdata(), line.get_ydata()) for line in ax.get_lines()}


def test_training_writes_each_block_s_validation_accuracy_and_temperature(local):
    last, run = lines_of(local)[-1], _Opened(local)
    part = Part(run.data.validation, run.model.preprocess, 50)
    _, per_block = accuracies(run.model.algorithm, part)
    assert [last[f"validation_accuracy/{l}"] for l in (1, 2, 3)] == per_block
    assert last["temperature/2"] == float(run.model.algorithm.goodness[1][0].temperature().detach())


def test_blocks_that_take_a_pass_for_each_class_are_not_scored_after_every_epoch(contrastive):
    assert "validation_accuracy" in lines_of(contrastive)[-1]
    assert "validation_accuracy/1" not in lines_of(contrastive)[-1]


def test_curves_and_temperatures_are_those_of_the_metrics(local):
    lines = lines_of(local)
    (ax,) = ffzoo.plots.curves(local).axes
    found = drawn(ax)
    assert list(found) == ["block 1", "block 2", "block 3", "fused"]
    for name, key in (("block 2", "validation_accuracy/2"), ("fused", "validation_accuracy")):
        assert list(found[name][0]) == [1, 2, 3]
        np.testing.assert_allclose(found[name][1], [100 * line[key] for line in lines])
    (ax,) = ffzoo.plots.temperatures(local).axes
    np.testing.assert_allclose(drawn(ax)["block 3"][1], [line["temperature/3"] for line in lines])


def test_a_block_has_one_colour_in_every_panel_of_several_runs(local, tmp_path):
    bp = trained("bp", tmp_path / "bp")
    first, second = ffzoo.plots.curves(local, bp).axes
    assert [second.get_title(loc="left"), list(drawn(second))] == ["bp", ["block 3", "fused"]]
    last = {ax: next(line for line in ax.get_lines() if line.get_label() == "block 3") for ax in (first, second)}
    assert last[first].get_color() == last[second].get_color()


def test_without_validation_the_training_accuracy_is_drawn_and_without_any_the_loss(contrastive, tmp_path):
    lines = lines_of(contrastive)
    assert list(drawn(ffzoo.plots.curves(contrastive).axes[0])) == ["block 1", "block 2", "block 3", "fused"]
    for keys, axis in ((("pairs", "loss"), "pairs in the right order, %"), (("loss",), "local loss")):
        folder = tmp_path / keys[0]
        shutil.copytree(contrastive, folder)
        kept = [{k: v for k, v in line.items() if k.split("/")[0] in ("epoch", *keys)} for line in lines]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept))
        (ax,) = ffzoo.plots.curves(folder).axes
        assert ax.get_ylabel() == axis
        factor = 100 if keys[0] == "pairs" else 1
        np.testing.assert_allclose(drawn(ax)["block 1"][1], [factor * line[f"{keys[0]}/1"] for line in lines])


def test_goodness_of_a_rule_with_negatives_is_that_of_right_and_wrong_labels(contrastive):
    run = _Opened(contrastive)
    batch, before = run.batch(20), {k: v.clone() for k, v in run.model.algorithm.state_dict().items()}
    found, words = goodness_of(run.model.algorithm, batch)
    assert words == "positive and negative samples" and list(found) == [1, 2, 3]
    blocks, rows = run.model.algorithm.scores(batch.x)[1], torch.arange(20)
    for l, (positive, negative) in found.items():
        torch.testing.assert_close(positive, blocks[l - 1][rows, batch.y])
        wrong = blocks[l - 1].clone()
        wrong[rows, batch.y] = torch.inf
        assert (negative[:, None] - wrong).abs().min(1).values.max() < 1e-5  # that of some other label
    assert all(torch.equal(before[k], v) for k, v in run.model.algorithm.state_dict().items())


def test_goodness_of_a_rule_that_scores_classes(local, tmp_path):
    run = _Opened(local)
    batch = run.batch(15)
    found, words = goodness_of(run.model.algorithm, batch)
    scores, rows = run.model.algorithm.scores(batch.x)[1][1], torch.arange(15)
    torch.testing.assert_close(found[2][0], scores[rows, batch.y])
    assert words == "the right class and a wrong one" and not (found[2][0] == found[2][1]).any()
    above = 100 * float((found[2][0] > found[2][1]).float().mean())
    figure = goodness_panel(found, words).drawn()
    assert figure.axes[1].get_title(loc="left") == f"block 2: positive above in {above:.0f} %"
    assert len(goodness_panel(dict.fromkeys(range(1, 31), found[2]), words).drawn().axes) == 8


def test_gradients_of_a_local_rule_and_of_backprop(local, tmp_path):
    def numbers(folder):
        (ax,) = ffzoo.plots.gradients(folder).axes
        return np.array([float(text.get_text()) for text in ax.texts]).reshape(3, 3)

    matrix = numbers(local)
    assert (matrix.diagonal() > 0).all() and (matrix[~np.eye(3, dtype=bool)] == 0).all()
    assert (numbers(trained("bp", tmp_path / "bp"))[2] > 0).all()


def test_filters_are_the_weights_of_the_first_layer(local):
    run = _Opened(local)
    filters = first_filters(run.model.algorithm, run.model.shape)
    weight = run.model.algorithm.backbone.block_parameters(0)[0]
    assert filters.shape == (16, 1, 8, 8)
    torch.testing.assert_close(filters.flatten(1), weight.detach())
    image = ffzoo.plots.filters(local).axes[0].get_images()[0].get_array()
    second = filters[1, 0] / filters[1, 0].abs().max() / 2 + 0.5
    np.testing.assert_allclose(image[:8, 9:17], second.numpy(), atol=1e-6)
    with pytest.raises(OptionError, match="expected images"):
        first_filters(run.model.algorithm, (64,))


def test_confusion_is_that_of_the_test(local):
    tested = ffzoo.test(local)
    for figure in (ffzoo.plots.confusion(local), ffzoo.plots.confusion(tested)):
        (ax,) = figure.axes
        shown = np.array([int(text.get_text() or 0) for text in ax.texts]).reshape(10, 10)
        assert shown.tolist() == tested.confusion_matrix
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_the_command_draws_a_page_and_says_what_it_leaves_out(local, contrastive, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["plot", str(local)]) == 0
    assert capsys.readouterr() == ("written to plot.png\n", "")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert main(["plot", str(local), str(contrastive), "--out", "both.svg"]) == 0
    out, err = capsys.readouterr()
    assert "written to both.svg" in out and err.startswith("left out: temperatures: ") and err.count("\n") == 1
    assert main(["plot", str(local), "--out", "both.jpeg"]) == 2
    assert "expected a name that ends in .png, .svg, .pdf" in capsys.readouterr().err


def test_a_run_whose_data_are_gone_is_drawn_as_far_as_it_goes(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (60, 6, 6), dtype=np.uint8), np.arange(60) % 4
    np.savez(tmp_path / "set.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    run = tmp_path / "run"
    ffzoo.evaluate("dtg_ff", f"npz:{tmp_path / 'set.npz'}", epochs=1, backbone="mlp", out=run)
    (tmp_path / "set.npz").unlink()
    _, left_out = ffzoo.plots.overview(run)
    assert [line.partition(":")[0] for line in left_out] == ["goodness", "gradients", "confusion"]
    assert all(re.search(r"set\.npz", line) for line in left_out)


def test_folders_that_hold_no_run_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="is no folder"):
        ffzoo.plots.curves(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"expected a run folder with config\.json"):
        ffzoo.plots.curves(tmp_path)
    with pytest.raises(OptionError, match="no run is named"):
        ffzoo.plots.curves()
