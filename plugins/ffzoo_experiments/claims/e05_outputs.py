"""E5: is it the width of the output alone? The same labels, with outputs that no sample belongs to."""

from __future__ import annotations

from ffzoo.bench import Claim, Comparison, Words, compare
from ffzoo.plugin import Condition, Grid, Report, Study
from ffzoo_experiments.claims.e03_classes_synthetic import ARMS, GAPS, PAIRS, SCALES, student

WORDS = Words(
    question="With the task held fixed, does the gap between DTG-FF and backprop change with the outputs alone?",
    claim="If K alone made the difference, it would as it does in E3; no paper says so.",
    limits="Ten classes of one family of teachers, one student network and one budget.",
    axis="outputs for the same 10 classes",
)
OUTPUTS = {"smoke": (10, 40), "cpu": (10, 50, 200), "full": (10, 20, 50, 100, 200)}


def grid(config: Comparison) -> Grid:
    """Return the teacher-student task of E3 at K = 10."""
    scale = SCALES[config.scale]
    shared = student(config.scale)
    conditions = tuple(
        Condition(f"{n} outputs", "teacher_student", {**shared, "data.outputs": n}, n, ("data.teacher_seed",))
        for n in OUTPUTS[config.scale]
    )
    return scale.grid(ARMS, conditions, config, "mlp")


def e5(config: Comparison, study: Study) -> Report:
    """Return gaps against the number of outputs."""
    claims = tuple(Claim(first, second, 1, "trend", made=False) for first, second in PAIRS)
    return compare(config, study, grid(config), WORDS, GAPS, claims)
