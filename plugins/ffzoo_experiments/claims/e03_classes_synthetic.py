"""E3: does a local rule gain on backprop as the number of classes grows, on teacher-student tasks?

Inputs from N(0, I_64), labelled by a fixed random MLP. The abstract compares with "BP" here and with BP-DeepSup on real
images, so both are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ffzoo.bench import Claim, Comparison, Words, compare
from ffzoo.plugin import Arm, Condition, Grid, Report, Study
from ffzoo_experiments.claims.setting import Scale

ARMS = (Arm("dtg_ff", "dtg_ff"), Arm("bp_deepsup", "bp_deepsup"), Arm("bp", "bp"))
PAIRS = (("dtg_ff", "bp"), ("dtg_ff", "bp_deepsup"))
GAPS = (*PAIRS, ("bp_deepsup", "bp"))
"""The last is what the losses of all blocks give to backprop: that much is no merit of a local rule."""
SERIES = "teacher-student"
BESIDE = "Gaps to backprop against the number of classes, synthetic and real"
WORDS = Words(
    question="Does DTG-FF increasingly outperform backprop as the class count K grows, on teacher-student tasks?",
    claim="Yes (abstract of arXiv:2606.06539; it compares with BP, not with BP-DeepSup).",
    limits="One family of teachers, one student network and one budget; nothing about real images.",
    axis="classes K",
)


@dataclass(frozen=True)
class Tasks(Scale):
    """Of the teacher-student tasks: K, training samples, and width and depth of the student."""

    batch_size: int = 128
    classes: tuple[int, ...] = (2, 5, 10, 20, 50, 100, 200)
    samples: int = 400
    width: int = 32
    depth: int = 2


SCALES = {
    "smoke": Tasks(2, (0, 1), classes=(2, 10)),
    "cpu": Tasks(15, (0, 1, 2, 3, 4), (1.0, 3.0, 10.0, 30.0), samples=10_000, width=256, depth=4),
    "full": Tasks(30, tuple(range(20)), (0.1, 0.3, 1.0, 3.0, 10.0), samples=50_000, width=512, depth=4),
}


def student(scale: str) -> dict[str, Any]:
    """Return the student and its samples; as many as it learns from choose the rate, so that chance hardly does."""
    task = SCALES[scale]
    data = {"data.samples": 2 * task.samples, "data.validation": 0.5, "data.test_samples": task.samples}
    return {"backbone.width": task.width, "backbone.depth": task.depth, **data}


def grid(config: Comparison) -> Grid:
    """K against seeds; every seed has a teacher of its own."""
    scale = SCALES[config.scale]
    shared = student(config.scale)
    conditions = tuple(
        Condition(f"K = {k}", "teacher_student", {**shared, "data.num_classes": k}, k, ("data.teacher_seed",), SERIES)
        for k in scale.classes
    )
    return scale.grid(ARMS, conditions, config, "mlp")


def e3(config: Comparison, study: Study) -> Report:
    """Return gaps against K, and the slope of the gap against log K."""
    claims = (
        Claim("dtg_ff", "bp", 1, "trend", SERIES),
        Claim("dtg_ff", "bp_deepsup", 1, "trend", SERIES, made=False),
    )
    return compare(config, study, grid(config), WORDS, GAPS, claims, beside=BESIDE)
