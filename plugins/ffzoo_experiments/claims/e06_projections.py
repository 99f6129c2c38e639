"""E6: is it the fixed projection, or the rule? Random, orthogonal and learned R against K."""

from __future__ import annotations

from ffzoo.bench import Claim, Comparison, Words, compare
from ffzoo.plugin import Arm, Condition, Grid, Report, Study
from ffzoo_experiments.claims.e03_classes_synthetic import SCALES, student

KINDS = ("random", "orthogonal", "learned")
ARMS = tuple(Arm(f"{kind} R", "dtg_ff", {"goodness.projection": kind}) for kind in KINDS) + tuple(
    Arm(f"bp_deepsup, {kind} R", "bp_deepsup", {"goodness.projection": kind}) for kind in ("random", "learned")
)
PAIRS = (
    ("orthogonal R", "random R"),
    ("learned R", "random R"),
    ("random R", "bp_deepsup, random R"),
    ("learned R", "bp_deepsup, learned R"),
)
WORDS = Words(
    question="How much of DTG-FF's accuracy does the fixed random projection cost, and does that change with K?",
    claim="None is made; a learned projection is Mono-Forward's rule on energies.",
    limits="One family of teachers, one student network and one budget.",
    axis="classes K",
)


def grid(config: Comparison) -> Grid:
    """Return the tasks of E3, at some of its K."""
    scale = SCALES[config.scale]
    shared = student(config.scale)
    conditions = tuple(
        Condition(f"K = {k}", "teacher_student", {**shared, "data.num_classes": k}, k, ("data.teacher_seed",))
        for k in (scale.classes if config.scale == "smoke" else scale.classes[::2])
    )
    return scale.grid(ARMS, conditions, config, "mlp")


def e6(config: Comparison, study: Study) -> Report:
    """Return gaps between the projections, and between local and backprop with the same projection."""
    claims = (
        Claim("learned R", "random R", 1, "trend", made=False),
        Claim("learned R", "bp_deepsup, learned R", 1, "trend", made=False),
    )
    return compare(config, study, grid(config), WORDS, PAIRS, claims)
