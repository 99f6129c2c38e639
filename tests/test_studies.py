"""What every experiment stands on: paired ratios, studies that go on, files of a report."""

from __future__ import annotations

import dataclasses
import gc
import json
import math
import platform
import statistics
from functools import partial
from pathlib import Path

import pytest
import torch

from ffzoo.bench.report import Figure, Report, Table
from ffzoo.bench.study import CELLS, CONFIG, UNFINISHED, Scratch, Study
from ffzoo.bench.timing import Ratio, interleaved, ratio
from ffzoo.errors import CheckpointError, OptionError
from ffzoo.files import replace_file, replace_text
from ffzoo.run import environment
from tests.tiny_speed import CPU, TINY

# ---------------------------------------------------------------- ratios


def below(n, k):
    """P(fewer than k of n fair coins show heads), exactly."""
    return sum(math.comb(n, i) for i in range(k)) / 2**n


@pytest.mark.parametrize("n", [6, 7, 9, 15, 16, 40, 101])
def test_the_interval_of_a_median_is_the_narrowest_with_95_percent(n):
    found = ratio([float(i + 1) for i in range(n)][::-1], [1.0] * n)  # the ratios are their own ranks
    k = int(found.low)
    assert (found.median, found.high) == (statistics.median(range(1, n + 1)), n + 1 - k)
    assert 1 - 2 * below(n, k) >= 0.95 > 1 - 2 * below(n, k + 1)


def test_few_ratios_have_no_interval():
    for n in range(1, 6):
        assert ratio([2.0] * n, [1.0] * n) == Ratio(2.0, None, None)
    assert str(ratio([2.0] * 5, [1.0] * 5)) == "2.00" and str(ratio([3.0] * 6, [2.0] * 6)) == "1.50 [1.50, 1.50]"


def test_ratios_are_paired_by_round():
    drift = [1.0, 10.0, 3.0, 7.0, 2.0, 30.0, 5.0]
    assert ratio([2 * t for t in drift], drift) == Ratio(2.0, 2.0, 2.0)
    with pytest.raises(ValueError):
        ratio(drift, drift[1:])


def test_an_interval_with_one_in_it_shows_no_difference():
    assert Ratio(1.2, 1.1, 1.3).side == 1 and Ratio(0.8, 0.7, 0.9).side == -1
    assert Ratio(1.2, 0.9, 1.3).side == Ratio(1.2, None, None).side == 0


def test_every_round_has_every_arm_once_in_a_changing_order():
    def made():
        calls = []
        times = interleaved({name: lambda n=name: calls.append(n) for name in "abcd"}, 6, 2, CPU)
        return times, [tuple(calls[i : i + 4]) for i in range(0, len(calls), 4)]

    times, rounds = made()
    assert list(times) == list("abcd") and all(len(t) == 6 and min(t) > 0 for t in times.values())
    assert len(rounds) == 8 and all(sorted(r) == list("abcd") for r in rounds)
    assert len(set(rounds)) > 4
    assert made()[1] == rounds, "the order is the same every time"
    assert gc.isenabled()


# ---------------------------------------------------------------- studies


def killed(study):
    """Three cells, of which the third is interrupted."""

    def interrupt():
        raise KeyboardInterrupt

    study.cell("a", lambda: {"x": (1, 2)})
    study.cell("b", lambda: 2.5)
    with pytest.raises(KeyboardInterrupt):
        study.cell("c", interrupt)


def never():
    raise AssertionError("a stored cell was computed again")


def test_a_killed_study_goes_on(tmp_path):
    out = tmp_path / "deep" / "s"
    killed(Study("e", TINY, out))
    with (out / CELLS).open("a") as file:
        file.write('{"key": "c", "val')  # a kill in the middle of a line
    study = Study("e", TINY, out)
    assert study.cell("a", never) == {"x": [1, 2]} and study.cell("b", never) == 2.5
    assert study.cell("c", lambda: None) is None
    assert study.cell("c", never) is None
    again = Study("e", TINY, out)
    assert [again.cell(key, never) for key in "abc"] == [{"x": [1, 2]}, 2.5, None]
    assert len((out / CELLS).read_text().splitlines()) == 3


def test_a_cell_is_what_json_makes_of_it_the_first_time_too():
    study = Study("e")
    assert study.cell("a", lambda: {"x": (1, 2), 3: None}) == {"x": [1, 2], "3": None}
    with pytest.raises(ValueError):
        study.cell("b", lambda: math.nan)


def test_another_config_or_experiment_is_refused(tmp_path):
    killed(Study("e", TINY, tmp_path / "s"))
    with pytest.raises(CheckpointError, match=r"was begun with rounds 2, not 3; expected the same options"):
        Study("e", dataclasses.replace(TINY, rounds=3), tmp_path / "s")
    with pytest.raises(CheckpointError, match=r"begun with algos dtg_ff, not dtg_ff,bp_deepsup"):
        Study("e", dataclasses.replace(TINY, algos=("dtg_ff", "bp_deepsup")), tmp_path / "s")
    with pytest.raises(CheckpointError, match="holds the experiment 'e', not 'f'"):
        Study("f", TINY, tmp_path / "s")


def test_a_folder_is_made_by_the_first_cell_and_taken_from_nobody(tmp_path):
    Study("e", TINY, tmp_path / "s")
    assert not (tmp_path / "s").exists()
    (tmp_path / "mine.txt").touch()
    with pytest.raises(OptionError, match="holds no study"):
        Study("e", TINY, tmp_path)


def count_files(folder: Path) -> int:
    return len(list(folder.iterdir()))


def fill(scratch: Scratch) -> str:
    scratch.folder.mkdir(parents=True)
    (scratch.folder / "checkpoint").touch()
    return scratch.name


@pytest.mark.parametrize(("workers", "of_study"), [(1, False), (1, True), (2, False)])
def test_a_folder_that_a_task_is_given_is_never_deleted(tmp_path, workers, of_study):
    """Wherever it lies, beside the study or in it: a study deletes what it made for a cell, and nothing else."""
    mine = (tmp_path / "s" / "mine") if of_study else (tmp_path / "mine")
    study = Study("e", None, tmp_path / "s")
    study.cell("first", lambda: 0)
    mine.mkdir()
    (mine / "thesis.txt").touch()
    tasks = {"by place": partial(count_files, mine), "by name": partial(count_files, folder=mine)}
    assert study.cells(tasks, workers) == {"by place": 1, "by name": 1}
    assert (mine / "thesis.txt").exists()


def test_a_task_without_arguments_is_a_task(tmp_path):
    tasks = {"a": partial(dict), "b": partial(dict, x=1), "c": dict}
    assert Study("e", None, tmp_path / "s").cells(tasks) == {"a": {}, "b": {"x": 1}, "c": {}}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_an_unfinished_cell_kept_is_deleted_when_it_is_stored_and_not_before(tmp_path, workers):
    study = Study("e", None, tmp_path / "s")
    keys = ("a b", "a_b", "..", ".", "", "x" * 300)
    found = study.cells({key: partial(fill, scratch=study.scratch(key)) for key in keys}, workers)
    assert len(set(found.values())) == len(keys), "two cells shared a folder"
    assert not (tmp_path / "s" / UNFINISHED).exists() and (tmp_path / "s" / CELLS).exists()
    waiting = study.scratch("waiting")
    fill(waiting)
    study.cells({"another": partial(fill, scratch=study.scratch("another"))}, workers)
    assert [path.name for path in (tmp_path / "s" / UNFINISHED).iterdir()] == [waiting.name]
    assert Study("e").scratch("a") is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/a"])
def test_a_scratch_folder_lies_below_its_root(tmp_path, name):
    with pytest.raises(ValueError, match="expected one part of a path"):
        Scratch(tmp_path, name)


def test_a_corrupt_study_is_refused(tmp_path):
    killed(Study("e", None, tmp_path / "s"))
    (tmp_path / "s" / CELLS).write_text("nonsense\n")
    with pytest.raises(CheckpointError, match="not a readable study"):
        Study("e", None, tmp_path / "s")
    (tmp_path / "s" / CONFIG).write_text("[]")
    with pytest.raises(CheckpointError, match="not a readable study"):
        Study("e", None, tmp_path / "s")


def test_times_of_two_machines_are_not_mixed(tmp_path, monkeypatch):
    machine = Study("e", None, tmp_path / "s").machine(CPU)
    assert machine["versions"]["torch"] and machine["hardware"]["threads"] == torch.get_num_threads()
    assert Study("e", None, tmp_path / "s").machine(CPU) == machine
    other = machine["hardware"] | {"threads": 64}
    monkeypatch.setattr(environment, "hardware", lambda device: other)
    with pytest.raises(CheckpointError, match=rf"begun with threads {torch.get_num_threads()}, and now it is 64"):
        Study("e", None, tmp_path / "s").machine(CPU)


def test_a_machine_is_known_by_its_processor_and_instructions(tmp_path, monkeypatch):
    found = environment.hardware(CPU)
    assert found["instructions"] == torch.backends.cpu.get_cpu_capability()
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Seven: 9000\nflags\t: fpu\n")
    monkeypatch.setattr(environment, "_PROCESSORS", tmp_path / "cpuinfo")
    found = environment.hardware(CPU)
    assert environment.where(found | {"threads": 2}) == f"Seven: 9000, {found['instructions']}, 2 threads"
    monkeypatch.setattr(environment, "_PROCESSORS", tmp_path / "none")
    assert environment.hardware(CPU)["processor"] == (platform.processor() or platform.machine())
    older = {"processor": "x86_64", "threads": 4, "accelerator": None}
    assert environment.where(older) == "x86_64, 4 threads"
    assert environment.where(older | {"accelerator": "a GPU"}) == "a GPU"


# ---------------------------------------------------------------- reports


def report_of(draw):
    table = Table("Things", ("thing", "x | y"), (("a", "1"), ("b", "[2, 3]")))
    figure = Figure("line", "A line.", draw)
    return Report({"n": 1}, (table,), (figure,), ("one is less than two", "no difference"), ("a note",))


def test_the_files_of_a_report(tmp_path):
    report = report_of(lambda canvas: canvas.subplots().plot([1, 2], [3, 4]))
    files = report.write(tmp_path / "r", "thing")
    assert [f.name for f in files] == ["thing.json", "thing.md", "thing-line.png", "thing-line.svg"]
    assert sorted(f.name for f in (tmp_path / "r").iterdir()) == sorted(f.name for f in files), "nothing else is left"
    assert json.loads(files[0].read_text()) == {"n": 1}
    text = files[1].read_text()
    assert [line for line in text.splitlines() if line.startswith("Verdict: ")] == [
        "Verdict: one is less than two",
        "Verdict: no difference",
    ]
    assert "| thing | x \\| y |\n| --- | ---: |\n| a | 1 |\n| b | [2, 3] |" in text
    assert "![A line.](thing-line.png)" in text and "- a note" in text
    assert files[2].read_bytes().startswith(b"\x89PNG") and b"<svg" in files[3].read_bytes()
    svg = files[3].read_bytes()
    report.write(tmp_path / "r", "thing")
    assert files[3].read_bytes() == svg


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    def half(file):
        file.write_text("half")
        raise OSError("full")

    replace_text(tmp_path / "x", "whole")
    with pytest.raises(OSError, match="full"):
        replace_file(tmp_path / "x", half)
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("x", "whole")]


def test_a_figure_that_fails_leaves_the_old_files(tmp_path):
    report_of(lambda canvas: canvas.subplots()).write(tmp_path, "thing")
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    with pytest.raises(ValueError):
        Report({"n": math.nan}).write(tmp_path, "thing")
    with pytest.raises(ZeroDivisionError):
        report_of(lambda canvas: 1 / 0).write(tmp_path, "thing")
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == before


def test_a_report_is_printed_as_it_is(capsys):
    report_of(lambda canvas: None).show()
    out = capsys.readouterr().out
    assert "[2, 3]" in out and "Verdict: one is less than two" in out and "a note" in out
