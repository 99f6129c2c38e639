"""E3: does a local rule gain on backprop as the number of classes grows, on teacher-student tasks?

Inputs from N(0, I_64), labelled by a fixed random MLP. The abstract compares with "BP" here and with BP-DeepSup on real
images, so both are there.
"""

from __future__ import annotations

from typing import Any

from ffzoo.bench import Claim, Comparison, Words, compare
from ffzoo.plugin import Arm, Condition, Grid, Report, Study

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
SCALES = {
    "smoke": ((2, 10), 400, (32, 2), 2, (0, 1), (1.0,)),
    "cpu": ((2, 5, 10, 20, 50, 100, 200), 10_000, (256, 4), 15, (0, 1, 2, 3, 4), (1.0, 3.0, 10.0, 30.0)),
    "full": ((2, 5, 10, 20, 50, 100, 200), 50_000, (512, 4), 30, tuple(range(20)), (0.1, 0.3, 1.0, 3.0, 10.0)),
}
"""Scale -> K, training samples, width and depth of the student, epochs, seeds, learning rates."""


def student(scale: str) -> dict[str, Any]:
    """The student and its samples; as many as it learns from choose the rate, so that chance hardly does."""
    _, samples, (width, depth), *_ = SCALES[scale]
    data = {"data.samples": 2 * samples, "data.validation": 0.5, "data.test_samples": samples}
    return {"backbone.width": width, "backbone.depth": depth, **data}


def grid(config: Comparison) -> Grid:
    """K against seeds; every seed has a teacher of its own."""
    classes, _, _, epochs, seeds, factors = SCALES[config.scale]
    shared = student(config.scale)
    conditions = tuple(
        Condition(f"K = {k}", "teacher_student", {**shared, "data.num_classes": k}, k, ("data.teacher_seed",), SERIES)
        for k in classes
    )
    return Grid(ARMS, conditions, config.seeds or seeds, factors, "mlp", epochs, 128, device=config.device)


def e3(config: Comparison, study: Study) -> Report:
    """Gaps against K, and the slope of the gap against log K."""
    claims = (
        Claim("dtg_ff", "bp", 1, "trend", SERIES),
        Claim("dtg_ff", "bp_deepsup", 1, "trend", SERIES, made=False),
    )
    return compare(config, study, grid(config), WORDS, GAPS, claims, beside=BESIDE)
