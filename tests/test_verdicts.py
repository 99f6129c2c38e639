"""Every sentence that is made from a figure, with the figure on either side of nothing, and at nothing."""

from __future__ import annotations

import math
import re

import pytest

from ffzoo.bench import comparison
from ffzoo.bench.claims import Claim, verdict
from ffzoo.bench.grid import Found, Grid
from ffzoo.bench.options import Comparison
from ffzoo.bench.study import Study
from ffzoo.bench.timing import ratio
from ffzoo.measure.statistics import Gap
from ffzoo.registry.loader import ZOO
from ffzoo_experiments.claims import e07_ablation as ablation
from ffzoo_experiments.claims import e09_depth_memory as depth_memory
from ffzoo_experiments.claims import e10_systems as systems
from ffzoo_experiments.claims import e13_report as periodic_report
from ffzoo_experiments.claims.options import Resolutions, Strong
from ffzoo_experiments.compare.options import Own
from ffzoo_experiments.speed.results import Findings
from ffzoo_experiments.speed.verdicts import verdicts as of_speed
from tests.test_speed import arm
from tests.tiny_speed import TINY

SIGNS = (1, -1, 0)
OPTIONS = {
    **{f"e{n}": Comparison(scale="cpu") for n in (1, 2, 3, 4, 5, 6, 7, 8, 12)},
    "e11": Resolutions(scale="cpu", datasets=("imagenette",)),
    **{f"{name}, strong": of(scale="strong") for name, of in (("e1", Strong), ("e2", Strong), ("e11", Resolutions))},
    "compare": Own(algos=("dtg_ff", "bp_deepsup", "bp"), datasets=("digits", "mnist"), epochs=1),
}
SIDES = {1: ("is ahead of", "gains ground on"), -1: ("is behind", "loses ground to"), 0: ("is seen",)}
CLAIMED = {1: ("ahead", "gains ground"), -1: ("behind", "loses ground")}


FIRSTS = {"dtg_ff", "dtg_ff_global", "learned R", ablation.WHOLE, "one_hop"}
"""Arms that a claim is about; no claim compares two of them."""


def cells_of(grid: Grid, sign: int) -> Found:
    """Cells in which every first arm is ahead by more from condition to condition, or behind, or neither."""
    runs: dict = {}
    for place, condition in enumerate(grid.conditions):
        for a in grid.arms:
            for seed in grid.seeds:
                size = 0.05 + 0.01 * place + 0.01 * math.log(condition.x or 1)
                shift = (size + 0.0001 * seed) * sign if sign else size * (seed - (len(grid.seeds) - 1) / 2)
                accuracy = 0.5 + shift * (a.name in FIRSTS)
                runs.setdefault(condition.name, {}).setdefault(a.name, {})[seed] = {
                    "test_accuracy": accuracy,
                    "per_block_accuracy": [0.1, accuracy],
                    "strictly_local": True,
                    "blocks": 2,
                    "max_weight_layers_per_block": 1,
                    "saved_activation_bytes": 1,
                    "train_flops": 1,
                    "further": {"probes": [0.1, accuracy], "matrix": [[1.0, 0.0], [0.0, 1.0]]},
                }
    factors = {condition.name: {a.name: 1.0 for a in grid.arms} for condition in grid.conditions}
    return Found(runs, factors, ())


def report_of(name, sign, monkeypatch, config=None):
    """The experiment's report of cells that were made, and its claims."""
    claims: list[Claim] = []

    def kept(claim, *more):
        claims.append(claim)
        return verdict(claim, *more)

    monkeypatch.setattr(comparison, "run_grid", lambda grid, *_: cells_of(grid, sign))
    monkeypatch.setattr(comparison, "verdict", kept)
    config = config or OPTIONS[name]
    name = name.partition(",")[0]
    report = ZOO["experiments"].get(name).load()(config, Study(name, config, reads_only=True))
    assert len(claims) == len(report.verdicts) >= 1 and {claim.first for claim in claims} <= FIRSTS
    return report, claims


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("name", OPTIONS)
def test_the_words_of_every_claim_follow_from_its_interval(name, sign, monkeypatch):
    report, claims = report_of(name, sign, monkeypatch)
    for line, claim in zip(report.verdicts, claims, strict=True):
        found, stands_beside = line.split("; ")[:2]
        assert [s for s in SIGNS if any(words in found for words in SIDES[s])] == [sign], line
        kind, claimed = stands_beside.split(": ")
        assert kind == ("claimed" if claim.made else "hypothesis") and claimed in CLAIMED[claim.sign], line
        right = {0: "inconclusive", claim.sign: "reproduced", -claim.sign: "opposite"}[sign]
        assert line.startswith(f"{right if claim.made else 'descriptive'}: "), line
        # Words that say a side stand beside figures without a sign, and the other way round.
        figures = re.search(r"([+-]?)\d+\.\d\d \[([+-]?)\d+\.\d\d, ([+-]?)\d+\.\d\d\] points", found)
        assert figures is not None and all(bool(s) == (sign == 0) for s in figures.groups()), line


@pytest.mark.parametrize("sign", SIGNS)
def test_a_scale_that_concludes_nothing_names_no_side(sign, monkeypatch):
    report, _ = report_of("e1", sign, monkeypatch, Strong(scale="smoke"))
    for line in report.verdicts:
        found = line.split("; ")[0]
        assert line.startswith("inconclusive: on digits dtg_ff minus bp")
        assert not any(words in found for s in SIGNS for words in SIDES[s]), line


def test_a_line_in_full():
    claim = Claim("mine", "bp", 1, "mean", ("digits",), made=False)
    assert verdict(claim, Gap(-25.93, -43.71, -8.14, 3), ["digits"]) == (
        "descriptive: on digits mine is behind bp by 25.93 [8.14, 43.71] points, 3 seeds; hypothesis: ahead"
    )
    assert verdict(claim, Gap(0.3, None, None, 1), ["digits"]) == (
        "descriptive: on digits mine minus bp: +0.30 points, 1 seed; hypothesis: ahead"
    )
    assert verdict(claim, None, ["digits"]) == (
        "descriptive: on digits no seed has all cells of mine and bp; hypothesis: ahead"
    )
    grows = Claim("learned R", "random R", -1, "trend", "real")
    assert verdict(grows, Gap(0.1, -0.2, 0.4, 5), ["a", "b"], "classes K") == (
        "inconclusive: real: no trend is seen of 'learned R' against 'random R': +0.10 [-0.20, +0.40] points "
        "per e-fold increase in classes K, 5 seeds; claimed: loses ground"
    )


@pytest.mark.parametrize(("published", "words"), [(-2.4, "behind by 2.40, inside"), (2.4, "ahead by 2.40, outside")])
def test_a_published_gap_has_its_own_side(published, words):
    claim = Claim("a", "b", -1, "mean", ("x",), published=published)
    assert verdict(claim, Gap(-3.0, -4.0, -2.0, 3), ["x"]).endswith(f"; published: {words} the interval")


@pytest.mark.parametrize(("growth", "word"), [(1.0, "reproduced"), (0.5, "reproduced"), (1.5, "opposite")])
def test_memory_against_depth(growth, word):
    depths = depth_memory.SCALES["cpu"].depths
    saved = {
        name: {d: round(2**20 * (1 + (growth - 1) * (d - 8) / 24)) for d in depths}
        for name in (depth_memory.STREAMING, depth_memory.BACKPROP)
    }
    slopes = {name: depth_memory.slope(of) for name, of in saved.items()}
    (line,) = depth_memory._verdicts(saved, slopes, depths, conclusive=True)
    assert line.startswith(f"{word}: at depth 32 the saved activations of FF streaming are {growth:.2f} times those")
    assert f"({(growth - 1) / 24:+.3f} MiB per block)" in line and line.endswith("claimed: no growth with depth")


@pytest.mark.parametrize(
    ("ours", "word", "said"),
    [
        ([0.5] * 8, "opposite", "it is faster"),
        ([2.0] * 8, "reproduced", "it is slower"),
        ([0.5, 2.0] * 4, "in", "seen"),
    ],
)
def test_times_and_memory_of_e10(ours, word, said):
    def line(saved, seconds, conclusive=True):
        costs = {
            name: {"peak_allocated_bytes": None, "saved_activation_bytes": n}
            for name, n in {"a": saved, "b": 10}.items()
        }
        return systems._verdicts(conclusive, "a", "b", costs, {"a": seconds, "b": [1.0] * 8})

    speed, memory = line(5, ours)
    assert speed.startswith(word) and said in speed and speed.endswith("; claimed: slower")
    assert memory.startswith("opposite: a takes 0.50 times") and "so it needs less" in memory
    assert line(20, ours)[1].startswith("reproduced") and "so it needs more" in line(20, ours)[1]
    assert line(10, ours)[1].startswith("inconclusive") and "as much" in line(10, ours)[1]
    for text in line(5, ours, conclusive=False):
        assert text.startswith("inconclusive") and "so it" not in text and "seen" not in text


@pytest.mark.parametrize("sign", SIGNS)
def test_effects_are_named_where_they_are_clear_of_nothing(sign):
    gap = Gap(float(sign), sign - 0.5, sign + 0.5, 3)
    (line,) = periodic_report.verdicts(Comparison(scale="cpu"), {"digits": {"power: 2 - 1": gap}}, None)
    assert (str(gap) in line) == bool(sign) and ("no main effect is clear of 0" in line) == (not sign)


@pytest.mark.parametrize(("seconds", "noise"), [([1.0] * 8, False), ([1.2] * 8, True), ([0.8, 1.2] * 4, False)])
def test_a_reference_that_differs_from_itself_is_said_to(seconds, noise):
    found = [arm("bp", "plain", [1.0] * 8, 100), arm("bp", "again", seconds, 100)]
    (line,) = [text for text in of_speed(Findings(TINY, {}, 0.0, found, [], {})) if "against itself" in text]
    assert ("the timing is off" in line) == noise == (ratio([1.0] * 8, seconds).side != 0)


def test_every_experiment_is_among_them_or_has_no_claim():
    # Above, or figures beside each other alone.
    others = {"e9", "e10", "e13", "speed", "zoo", "cifar_board", "time_to_accuracy"}
    judged = {name.partition(",")[0] for name in OPTIONS}
    assert {entry.name for entry in ZOO["experiments"]} == judged | others
