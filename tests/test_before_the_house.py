"""What was written before the core moved into packages loads, goes on, and reports the same figures.

How the files were made stands in the README beside them.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import ffzoo
from ffzoo.bench.__main__ import main as bench
from ffzoo.eval import main as train
from ffzoo.report import main as report

BEFORE = Path(__file__).resolve().parent / "fixtures" / "before_the_house"
RUNS = ("dtg_ff", "dfa", "scff")
SEED_0, SEED_1 = "dtg_ff-digits-cnn-s0", "dtg_ff-digits-cnn-s1"
OPTIONS = {
    "e2": ["--scale", "smoke", "--set", "workers=1"],
    "zoo": [
        *("--algos", "dtg_ff,dfa,bp", "--datasets", "digits", "--seeds", "0,1"),
        *("--set", "factors=1,4", "--set", "epochs=2", "--set", "train_size=200"),
    ],
    "time_to_accuracy": [
        *("--set", "algo=dtg_ff", "--set", "config=tiny.toml"),
        *("--set", "arms=local,twin_bp"),
    ],
}
ROUNDING = {"abs": 0.03}  # of an accuracy: another processor rounds otherwise, and a few images fall on the other side
NOT_THE_RUNS = {"images_per_second", "peak_memory_bytes", "train_seconds", "wall_seconds", "versions", "git", "split"}
ACCURACIES = {"test_accuracy", "validation_accuracy", "per_block_accuracy", "accuracy"}


@pytest.fixture(autouse=True)
def copied(tmp_path, monkeypatch) -> None:
    """Work in a copy: what goes on is written to."""
    shutil.copytree(BEFORE, tmp_path / "before")
    monkeypatch.chdir(tmp_path / "before")


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> dict[str, Any]:
    """What a run writes down of this machine, and of the versions that are installed."""
    out = tmp_path_factory.mktemp("here") / "run"
    ffzoo.evaluate("dtg_ff", "digits", epochs=1, settings={"data.train_size": 100, "backbone.width": 4}, out=out)
    config = read(out / "config.json")
    return {name: config[name] for name in ("hardware", "versions")}


def read(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def lines(path: str | Path) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def cells(folder: str) -> dict[str, Any]:
    stored = [json.loads(line) for line in lines(f"{folder}/cells.jsonl")]
    return {cell["key"]: cell["value"] for cell in stored}


def files(folder: str | Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def same_result(found: dict[str, Any], stored: dict[str, Any]) -> None:
    """Everything but seconds and memory; accuracies up to what rounding does; keys that came since may be there."""
    for key in stored.keys() - NOT_THE_RUNS - {"schema_version", "curve"}:
        expected = pytest.approx(stored[key], **ROUNDING) if key in ACCURACIES else stored[key]
        assert found[key] == expected, key


def same_end(folder: Path, whole: Path, begun: list[str]) -> None:
    """A run went on after its first epoch and ended as the one that was never interrupted."""
    metrics, uninterrupted = lines(folder / "metrics.jsonl"), lines(whole / "metrics.jsonl")
    assert metrics[:1] == begun, "the first epoch was trained again"
    assert len(metrics) == len(uninterrupted) == 2
    found, stored = json.loads(metrics[1]), json.loads(uninterrupted[1])
    losses = [key for key in stored if key.startswith("loss/")]
    assert losses
    assert {key: found[key] for key in losses} == pytest.approx({key: stored[key] for key in losses}, rel=0.01)
    same_result(read(folder / "result.json"), read(whole / "result.json"))


@pytest.mark.parametrize("algo", RUNS)
def test_a_run_loads_and_predicts_as_it_did(algo):
    stored = read("predictions.json")
    pixels = torch.tensor(stored["images"], dtype=torch.uint8).reshape(-1, 8, 8)
    scores = ffzoo.load(f"runs/{algo}")(pixels[:, None])
    torch.testing.assert_close(scores, torch.tensor(stored["scores"][algo]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [*RUNS, "dtg_ff-seeds"])
def test_a_finished_run_is_shown_and_not_trained_again(name, capsys):
    before = files("runs")
    assert train(["--resume", f"runs/{name}"]) == 0
    shown = capsys.readouterr().out
    for path in Path("runs", name).rglob("result.json"):
        assert f"{100 * read(path)['test_accuracy']:.2f}" in shown
    assert files("runs") == before


def test_an_interrupted_run_goes_on():
    folder = Path("interrupted", "scff")
    begun = lines(folder / "metrics.jsonl")
    assert train(["--resume", str(folder), "--quiet"]) == 0
    same_end(folder, Path("runs", "scff"), begun)


def test_several_seeds_go_on_with_the_one_that_is_not_finished():
    folder = Path("interrupted", "dtg_ff-seeds")
    finished, begun = files(folder / SEED_0), lines(folder / SEED_1 / "metrics.jsonl")
    assert train(["--resume", str(folder), "--quiet"]) == 0
    assert files(folder / SEED_0) == finished
    same_end(folder / SEED_1, Path("runs", "dtg_ff-seeds", SEED_1), begun)


def go_on(name: str, folder: str) -> None:
    assert bench([name, *OPTIONS[name], "--quiet", "--out", folder]) == 0


def measured_here(folder: str, here: dict[str, Any]) -> None:
    """Have a study's seconds be of this machine, for those of two are refused."""
    path = Path(folder, "cells.jsonl")
    first, *others = lines(path)
    cell = json.loads(first)
    assert cell["key"] == "machine"
    cell["value"] |= here
    path.write_text("".join(line + "\n" for line in (json.dumps(cell), *others)), encoding="utf-8")


def test_a_finished_grid_trains_nothing_and_reports_the_same():
    stored, before = read("studies/e2/e2.json"), lines("studies/e2/cells.jsonl")
    Path("studies/e2/e2.json").unlink()
    go_on("e2", "studies/e2")
    assert lines("studies/e2/cells.jsonl") == before
    found = read("studies/e2/e2.json")
    assert (found["runs"], found["factors"]) == (stored["runs"], stored["factors"])


def test_an_unfinished_grid_trains_what_is_missing():
    """Its 22nd cell has a checkpoint; whoever begins anew forgets the two hours that it is given here."""
    (folder,) = Path("interrupted/e2/unfinished").iterdir()
    path = folder / "checkpoint.safetensors"
    with safe_open(path, framework="pt") as file:
        tensors, state = {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["ffzoo"])
    state["position"]["fit"]["watch"]["total"] = 7200.0
    save_file(tensors, path, {"ffzoo": json.dumps(state)})
    before = lines("interrupted/e2/cells.jsonl")
    go_on("e2", "interrupted/e2")
    assert lines("interrupted/e2/cells.jsonl")[: len(before)] == before
    found, whole = cells("interrupted/e2"), cells("studies/e2")
    assert list(found) == list(whole) and len(whole) == 24 and len(before) == 21
    for key in list(whole)[len(before) :]:
        same_result(found[key], whole[key])
    assert [key for key, cell in found.items() if cell["train_seconds"] > 7200] == [list(whole)[21]]
    assert not Path("interrupted/e2/unfinished").exists()


def test_a_leaderboard_trains_what_is_missing(here):
    measured_here("studies/zoo", here)
    whole = cells("studies/zoo")
    stored = lines("studies/zoo/cells.jsonl")
    Path("studies/zoo/cells.jsonl").write_text("".join(line + "\n" for line in stored[:-2]), encoding="utf-8")
    go_on("zoo", "studies/zoo")
    assert lines("studies/zoo/cells.jsonl")[:-2] == stored[:-2]
    found = cells("studies/zoo")
    assert list(found) == list(whole)
    for key in list(whole)[-2:]:
        same_result(found[key], whole[key])


def test_a_comparison_against_time_goes_on_within_a_run(here):
    folder = "interrupted/time_to_accuracy"
    measured_here(folder, here)
    before = lines(f"{folder}/cells.jsonl")
    (begun,) = lines(f"{folder}/runs/twin_bp-s0/metrics.jsonl")
    go_on("time_to_accuracy", folder)
    assert lines(f"{folder}/cells.jsonl")[: len(before)] == before
    found, whole = cells(folder), cells("studies/time_to_accuracy")
    assert list(found) == list(whole)
    cell = found["twin_bp, seed 0"]
    same_result(cell, whole["twin_bp, seed 0"])
    assert len(cell["curve"]) == 2 and cell["curve"][0]["train_seconds"] == json.loads(begun)["train_seconds"]


def numbers(path: Path) -> list[list[str]]:
    """The figures of each row below the heads; words may change."""
    with path.open(encoding="utf-8", newline="") as file:
        return [re.findall(r"[-+]?\d+(?:\.\d+)?", " ".join(row)) for row in list(csv.reader(file))[1:]]


@pytest.mark.parametrize(("results", "expected"), [("studies", "report"), ("interrupted/e2", "report/interrupted")])
def test_reports_have_the_same_figures(results, expected, tmp_path, capsys):
    assert report([results, "--out", str(tmp_path / "out"), "--quiet"]) == 0
    tables = sorted(path.name for path in Path(expected).glob("*.csv"))
    assert tables == sorted(path.name for path in (tmp_path / "out").glob("*.csv"))
    for name in tables:
        assert numbers(tmp_path / "out" / name) == numbers(Path(expected, name)), name
