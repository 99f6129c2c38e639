"""A logger and a metric from a plugin, without touching the core; and what observers are promised."""

from __future__ import annotations

import json
import sys
import types

import pytest

import ffzoo
from ffzoo.errors import UnknownNameError
from ffzoo.plugin import Observer, Run

QUICK = {"backbone.width": 8, "backbone.depth": 2, "data.train_size": 160, "data.test_size": 60}

# Fewer than twenty lines each: what a TensorBoard writer and a top-5 accuracy take.
SCALARS = """
import json
from ffzoo.plugin import Observer, observer

class Scalars(Observer):
    def start(self, run):
        self.file, self.count = run.folder.file("scalars.jsonl").open("a"), 0
    def step(self, metrics):
        self.count += 1
        self.file.write(json.dumps({"step": self.count, **{k: float(v) for k, v in metrics.items()}}) + "\\n")
    def end(self, result):
        self.file.close()

observer("scalars", Scalars, summary="every step's scalars")
"""
SECOND = """
from ffzoo.plugin import Metric, metric

class TopTwo(Metric):
    hits = seen = 0
    def update(self, scores, y):
        self.hits += int((scores.topk(2, 1).indices == y[:, None]).any(1).sum())
        self.seen += len(y)
    def compute(self):
        return self.hits / self.seen

metric("top2", TopTwo, summary="fraction of samples whose class is among the two highest scores")
"""


@pytest.fixture
def doors(monkeypatch):
    assert max(len(text.splitlines()) for text in (SCALARS, SECOND)) < 20
    module = types.ModuleType("doors_of_a_plugin")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(SCALARS + SECOND, module.__dict__)
    with ffzoo.use(module):
        yield


def test_a_plugin_adds_a_logger_and_a_metric(doors, tmp_path):
    result = ffzoo.evaluate(
        "dtg_ff", epochs=2, settings=QUICK, out=tmp_path / "x", observers=["scalars"], metrics=["top2", "top5"]
    )
    values = result.runs[0].metrics
    assert result.test_accuracy <= values["top2"] <= values["top5"] <= 1 and set(values) == {"top2", "top5"}
    assert json.loads((tmp_path / "x" / "result.json").read_text())["metrics"] == values
    lines = [json.loads(line) for line in (tmp_path / "x" / "scalars.jsonl").read_text().splitlines()]
    epochs = [json.loads(line) for line in (tmp_path / "x" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [*range(1, len(lines) + 1)] and len(lines) % 2 == 0
    mean = sum(line["loss/1"] for line in lines[: len(lines) // 2]) / (len(lines) // 2)
    assert epochs[0]["loss/1"] == pytest.approx(mean)


def test_metrics_of_the_core_are_right():
    import torch

    from ffzoo.measure.metrics import make_metrics

    scores = torch.tensor([[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [4.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    y = torch.tensor([0, 1, 1, 2])
    found = make_metrics(("top5", "calibration_error", "confusion_matrix"), 3)
    for metric in found.values():
        metric.update(scores[:3], y[:3])
        metric.update(scores[3:], y[3:])
    assert found["top5"].compute() == 1.0
    assert found["confusion_matrix"].compute() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    confidence = float(scores[0].double().softmax(0).max())
    assert found["calibration_error"].compute() == pytest.approx(abs(confidence - 3 / 4))


def test_unknown_doors_are_refused_before_anything_is_written(tmp_path):
    for door in ({"metrics": ["top_5"]}, {"observers": ["tensorbord"]}):
        with pytest.raises(UnknownNameError, match="unknown"):
            ffzoo.evaluate("dtg_ff", epochs=1, settings=QUICK, out=tmp_path / "x", **door)
    assert not (tmp_path / "x").exists()


class Watches(Observer):
    """Remembers the run that it saw."""

    def start(self, run: Run) -> None:
        self.run = run


class Breaks(Watches):
    """Raises at the end of the first epoch."""

    def __init__(self) -> None:
        self.closed: list[object] = []

    def epoch(self, epoch, means) -> None:
        raise RuntimeError("the logger's disk is full")

    def close(self, evaluation) -> None:
        self.closed.append(evaluation)


def test_an_observer_that_raises_costs_no_epoch(tmp_path):
    breaks = Breaks()
    with pytest.raises(RuntimeError, match="disk is full"):
        ffzoo.evaluate("dtg_ff", epochs=2, settings=QUICK, out=tmp_path / "x", observers=[breaks])
    assert breaks.closed == [None] and breaks.run.steps > 0
    from ffzoo.run.evaluate import resume

    whole = ffzoo.evaluate("dtg_ff", epochs=2, settings=QUICK, out=tmp_path / "y")
    watches = Watches()
    resumed = resume(tmp_path / "x", observers=[watches])
    assert watches.run.epochs_done == 1  # it goes on behind the epoch whose observer raised
    assert resumed.test_accuracy == whole.test_accuracy
    epochs = [(tmp_path / name / "metrics.jsonl").read_text().count("\n") for name in "xy"]
    assert epochs == [2, 2]
