"""Everything that ships passes the kit, and the kit itself does not pass what it did not check."""

from __future__ import annotations

import json
import sys
import unittest

import leaky
import pytest
import torch

import ffzoo
from ffzoo import Recipe, Term, hookimpl
from ffzoo.algorithms.build import algorithm_spec
from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.cli.main import main as ffzoo_command
from ffzoo.errors import OptionError, UnknownNameError
from ffzoo.parts.base import Goodness, LabelEmbedding, LocalLoss, Negatives
from ffzoo.parts.norms import Normalization
from ffzoo.registry.entries import Provenance
from ffzoo.registry.loader import SHIPPED, ZOO
from ffzoo.testing import CheckResult, check_algorithm, checks_for, parametrize_with_checks
from ffzoo.testing.checks_algorithm import ALGORITHM_CHECKS
from ffzoo.testing.checks_parts import PART_CHECKS
from ffzoo.testing.measured import Measured, measured

torch.set_num_threads(1)

FULL = ["dtg_ff", "vanilla_ff", "vanilla_ff_unsup", "bp", "nokland_predsim", "dgl", "dfa"]
# The others are made of parts of which each is checked in full below, or in these.
BRIEF = [e.name for e in ZOO["algorithms"] if e.provenance.distribution == "ffzoo" and e.name not in FULL]
# What ships: a plugin of the machine the tests run on is not this suite's to judge.
PARTS = [
    f"{kind}:{entry.name}" for kind in PART_CHECKS for entry in ZOO[kind] if entry.provenance.distribution == "ffzoo"
]


@parametrize_with_checks(FULL)
def test_algorithms(check):
    check()


@parametrize_with_checks(BRIEF, examples=1)
def test_the_rest_of_the_zoo(check):
    check()


@parametrize_with_checks(PARTS)
def test_parts(check):
    check()


def test_options_are_checked_too():
    options = {"goodness.projection": "learned", "goodness.bias": "learned", "fusion": "concat_linear"}
    checks = ["documented", "locality_structural", "locality_black_box", "finite_differences", "resume_bit_identical"]
    results = check_algorithm(algorithm_spec("dtg_ff", options), checks=checks)
    assert [r.status for r in results] == ["skipped", "passed", "passed", "passed", "passed"]


def test_an_unregistered_recipe_and_a_factory_can_be_checked():
    recipe = Recipe((Term("sum_squares", "logistic"),), label_embedding="concat", negatives="wrong_label")
    assert check_algorithm(recipe, checks=["recipe_round_trip"])[0].status == "passed"

    def factory(backbone, num_classes, fit):
        return RecipeAlgorithm(backbone, num_classes, Recipe((Term("projection", "cross_entropy"),)), fit)

    checks = ["documented", "recipe_round_trip", "locality_black_box", "evaluation_changes_nothing"]
    assert [r.status for r in check_algorithm(factory, checks=checks)] == ["skipped", "skipped", "passed", "passed"]


# ------------------------------------------------------------------ the kit itself


def test_results_are_structured_and_count_what_ran():
    results = check_algorithm("dtg_ff")
    assert [r.check for r in results] == [check.__name__ for check in ALGORITHM_CHECKS]
    assert all(isinstance(r, CheckResult) and r.status == "passed" and not r.reason for r in results)
    assert all(r.seconds > 0 and r.examples >= 1 for r in results)
    assert sum(r.examples >= 10 for r in results) >= 12, "most checks run over random cases"


def test_checks_have_names_and_say_what_they_guard():
    for checks in (ALGORITHM_CHECKS, *PART_CHECKS.values()):
        assert len({check.__name__ for check in checks}) == len(checks)
        assert all(check.__doc__ for check in checks)
    names = [check.__name__ for check in checks_for("fusions:sum")]
    assert names == [check.__name__ for check in PART_CHECKS["fusions"]]


def test_zero_checks_run_is_a_failure():
    with pytest.raises(AssertionError, match="not one check of dtg_ff was run"):
        check_algorithm("dtg_ff", checks=[])
    with pytest.raises(AssertionError, match="not one check of Honest was run"):
        check_algorithm(leaky.Honest, checks=["documented"], on_fail="return")
    with pytest.raises(AssertionError, match="not one check"):
        parametrize_with_checks([])


def test_zero_examples_is_a_failure():
    # The fusion starts behind the last block that is ever drawn.
    never = Recipe((Term("projection", "cross_entropy"),)).set({"fusion": "sum", "fusion.first": 9})
    (result,) = check_algorithm(never, checks=["permutation"], on_fail="return")
    assert (result.status, result.examples) == ("failed", 0)
    assert "no example was run" in result.reason


def test_an_expected_failure_is_reported_with_its_reason():
    known = {"locality_black_box": "clips over all blocks"}
    structure, box = check_algorithm(
        leaky.GlobalClip, checks=["locality_structural", "locality_black_box"], expected_failures=known
    )
    assert structure.status == "passed"
    assert (box.status, box.reason) == ("expected_failure", "clips over all blocks")


def test_an_expected_failure_that_passes_is_a_failure():
    with pytest.raises(AssertionError, match="recipe_round_trip: it passed, but was expected to fail: once broken"):
        check_algorithm("dtg_ff", checks=["recipe_round_trip"], expected_failures={"recipe_round_trip": "once broken"})


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(OptionError, match="there is no check 'permutations' of dtg_ff: did you mean 'permutation'"):
        check_algorithm("dtg_ff", checks=["permutations"])
    with pytest.raises(OptionError, match="there is no check 'typo'"):
        check_algorithm("dtg_ff", expected_failures={"typo": "?"})
    with pytest.raises(OptionError, match="did you mean 'fusions'"):
        check_algorithm("fusion:sum")
    with pytest.raises(OptionError, match="there are no checks for 'datasets:digits'"):
        check_algorithm("datasets:digits")
    with pytest.raises(UnknownNameError, match="did you mean 'dtg_ff'"):
        check_algorithm("dtg_f")


def test_a_skipped_check_is_a_skipped_test():
    check = {c.__name__: c for c in checks_for(leaky.Honest)}["documented"]
    with pytest.raises(unittest.SkipTest, match="not registered"):
        check()


def test_a_check_that_raises_anything_is_a_failure_with_the_example():
    class Broken(leaky.Honest):
        def train_step(self, batch, y=None):
            raise ZeroDivisionError("oops")

    (result,) = check_algorithm(Broken, checks=["same_seed_same_bits"], on_fail="return")
    assert result.status == "failed"
    assert "ZeroDivisionError: oops" in result.reason
    assert "Case(" in result.reason


# ------------------------------------------------------------------ broken on purpose, one promise at a time


class Recipes(RecipeAlgorithm):
    """dtg_ff as a class, to be broken."""

    def __init__(self, backbone, num_classes, fit):
        super().__init__(backbone, num_classes, algorithm_spec("dtg_ff").config, fit)


class ShiftedUpdate(Recipes):
    def train_step(self, batch, y=None):
        metrics = super().train_step(batch, y)
        with torch.no_grad():
            next(iter(self.backbone.parameters())).mul_(0.999)
        return metrics


class NoCopies(Recipes):
    def __init__(self, backbone, num_classes, fit):
        super().__init__(backbone, num_classes, fit)
        self.backbone.copies_at_cuts = False


class StreamingMatters(Recipes):
    def train_step(self, batch, y=None):
        metrics = super().train_step(batch, y)
        if not self.execution.streaming or self.execution.micro_batch or self.execution.checkpoint_blocks:
            with torch.no_grad():
                next(iter(self.backbone.parameters())).mul_(0.999)
        return metrics


class GlobalNoise(Recipes):
    def __init__(self, backbone, num_classes, fit):
        super().__init__(backbone, num_classes, fit)
        self.noise = torch.rand((), generator=torch.Generator().manual_seed(torch.seed()))

    def losses(self, batch):
        return [loss * self.noise for loss in super().losses(batch)]

    def train_step(self, batch, y=None):
        return super().train_step(type(batch)(batch.x * self.noise, batch.y, batch.index, 0, batch.generator))


class Forgetful(Recipes):
    def __init__(self, backbone, num_classes, fit):
        super().__init__(backbone, num_classes, fit)
        self.steps = []

    def train_step(self, batch, y=None):
        self.steps.append(1)
        return super().train_step(type(batch)(batch.x / len(self.steps), batch.y, batch.index, 0, batch.generator))


class LeavesEvalMode(Recipes):
    def predict(self, x):
        self.eval()
        return super().predict(x)


class Ownerless(Recipes):
    def owner(self, key):
        return None


class StuckBlock(Recipes):
    def __init__(self, backbone, num_classes, fit):
        super().__init__(backbone, num_classes, fit)
        self.backbone.requires_grad_(False)
        self.optimizers._by_owner.pop("0")


class SharedBetweenCopies(Recipes):
    def __deepcopy__(self, memo):
        return self


class LearnsNothing(Recipes):
    def train_step(self, batch, y=None):
        return super().train_step(
            type(batch)(batch.x, (batch.y + 1) % self.num_classes, batch.index, 0, batch.generator)
        )


class Overflows(Recipes):
    def scores(self, x):
        fused, blocks = super().scores(x)
        return fused + x.flatten(1).sum(1, keepdim=True).mul(100).exp() * 0, blocks


class TwoClassesOnly(Recipes):
    def __init__(self, backbone, num_classes, fit):
        if num_classes == 2:
            raise OptionError("two classes are one too few")
        super().__init__(backbone, num_classes, fit)


class BatchMean(Recipes):
    def scores(self, x):
        fused, blocks = super().scores(x)
        return fused + fused.mean(0), blocks


class OrderMatters(Recipes):
    def scores(self, x):
        fused, blocks = super().scores(x)
        return fused + torch.arange(len(x))[:, None] * torch.arange(fused.shape[1]), blocks


BROKEN = [
    (ShiftedUpdate, "update_equals_gradient", "block 1: its update differs"),
    (ShiftedUpdate, "finite_differences", "block 1: its update and the difference quotient"),
    (leaky.InPlaceCorruption, "finite_differences", "the loss of block 1 depends on block 2"),
    (NoCopies, "inplace_trap", "in-place|inplace"),
    (StreamingMatters, "streaming_equals_all_at_once", "after three steps"),
    (StreamingMatters, "micro_batches", "after three steps"),
    (StreamingMatters, "checkpoint_blocks", "after three steps"),
    (GlobalNoise, "same_seed_same_bits", "two runs from the same seed"),
    (Forgetful, "resume_bit_identical", "1 steps after loading"),
    (LeavesEvalMode, "evaluation_changes_nothing", r"predict\(\) changed the train mode"),
    (Ownerless, "owner_covers_state", "which no block owns"),
    (StuckBlock, "owner_covers_state", "block 1 did not change"),
    (SharedBetweenCopies, "dtype_and_deepcopy", "training a deep copy changed the original"),
    (LearnsNothing, "learns_toy", "training accuracy"),
    (Overflows, "finite_on_extremes", "scores are not finite on constant inputs"),
    (TwoClassesOnly, "class_counts", "two classes were refused"),
    (BatchMean, "batch_of_one", "depend on the rest of the batch"),
    (OrderMatters, "permutation", "permuted"),
]


@pytest.mark.parametrize(("broken", "check", "words"), BROKEN, ids=[f"{b.__name__}-{c}" for b, c, _ in BROKEN])
def test_each_check_sees_what_it_guards_against(broken, check, words):
    with pytest.raises(AssertionError, match=f"(?s){check}: .*({words})"):
        check_algorithm(broken, checks=[check])


def _plugin():
    from ffzoo import hookimpl

    class Batchy(Goodness):
        """Depends on the batch."""

        def forward(self, h, ctx):
            return h.flatten(1).sum(1) - h.mean()

    class Writer(Goodness):
        """Changes its input."""

        def forward(self, h, ctx):
            return h.mul_(2).flatten(1).sum(1)

    class Cut(Goodness):
        """Passes no gradient."""

        def forward(self, h, ctx):
            return h.detach().flatten(1).sum(1) + 0 * h.sum()

    class Total(LocalLoss):
        """A sum, not a mean."""

        def forward(self, scores, ctx):
            return scores[0].square().sum()

    class True_(Negatives):
        """Sometimes the true label."""

        wrong_labels = True

        def forward(self, x, y, generator):
            return x, torch.randint(self.num_classes, y.shape, generator=generator)

    class Half(LabelEmbedding):
        """Two labels share a code."""

        def forward(self, x, y):
            return x + (0.5 if y is None else (y // 2 + 1).view(-1, *[1] * (x.dim() - 1)))

    class Divides(Normalization):
        """NaN on zeros."""

        def forward(self, h):
            return h / h.flatten(1).norm(dim=1).view(-1, *[1] * (h.dim() - 1))

    class Plugin:
        @staticmethod
        @hookimpl
        def register_goodness(register):
            for name, target in (("batchy", Batchy), ("writer", Writer), ("cut", Cut)):
                register(name, target, summary="" if name == "cut" else "x")

        @staticmethod
        @hookimpl
        def register_local_losses(register):
            register("total", Total, summary="x")

        @staticmethod
        @hookimpl
        def register_negatives(register):
            register("true", True_, summary="x")

        @staticmethod
        @hookimpl
        def register_label_embeddings(register):
            register("half", Half, summary="x")

        @staticmethod
        @hookimpl
        def register_normalizations(register):
            register("divides", Divides, summary="x")

    return Plugin


@pytest.mark.parametrize(
    ("part", "check", "words"),
    [
        ("goodness:batchy", "goodness_rows", "depends on the other samples"),
        ("goodness:writer", "goodness_shape", "changes its input in place"),
        ("goodness:cut", "goodness_gradient", "no gradient reaches the features"),
        ("goodness:cut", "documented", "without a summary"),
        ("local_losses:total", "loss_mean", "not the mean of the samples"),
        ("negatives:true", "negatives_are_wrong", "carries the true label"),
        ("label_embeddings:half", "embedding_injective", "labels 0 and 1 .* give the same input"),
        ("normalizations:divides", "normalization_rows", "zero features become infinite or NaN"),
    ],
)
def test_each_check_of_a_part_sees_what_it_guards_against(part, check, words):
    with ZOO.use(_plugin(), "sloppy"), pytest.raises(AssertionError, match=f"(?s){check}: .*{words}"):
        check_algorithm(part, checks=[check])


def test_results_are_json_ready():
    (result,) = check_algorithm("fusions:sum", checks=["documented"])
    assert json.loads(json.dumps(vars(result)))["status"] == "passed"


def test_what_ships_names_its_paper_and_a_rule_of_ones_own_need_not():
    class Own:
        @hookimpl
        def register_algorithms(self, register):
            register("own", algorithm_spec("dtg_ff").recipe, summary="for a test")

    own = Own()
    for distribution, status in (("", "passed"), ("ffzoo-own", "passed"), (SHIPPED, "failed")):
        ZOO.register(own, Provenance("own", distribution))
        try:
            (result,) = check_algorithm("own", checks=["documented"], on_fail="return")
        finally:
            ZOO.unregister(own, "own")
        assert result.status == status and ("ships without a paper" in result.reason) == (status == "failed")


def test_a_missing_hypothesis_is_said_once(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    said = "the conformance kit needs hypothesis; install it with `pip install 'ffzoo[test]'`"
    assert ffzoo_command(["check", "dtg_ff", "goodness:projection"]) == 2
    printed = capsys.readouterr()
    assert (printed.out + printed.err).count("hypothesis") == 1 and f"error: {said}" in printed.err
    with pytest.raises(OptionError, match="pip install"):
        parametrize_with_checks(["dtg_ff"])


def test_declared_and_measured_isolation_and_coupling():
    assert measured("dtg_ff") == Measured("local", "local", "none", "none")
    assert measured("bp") == Measured("none", "none", "none", "moves")
    pairs = algorithm_spec("dtg_ff").recipe.replace(isolation="overlap")
    with ffzoo.use(one_algorithm("pairs", pairs)):
        assert measured("pairs") == Measured("overlap", "overlap", "none", "moves")
    hop = algorithm_spec("dtg_ff").recipe.replace(fusion="concat_linear", fusion_grad="one_hop")
    with ffzoo.use(one_algorithm("hop", hop)):
        assert measured("hop") == Measured("local", "local", "none", "moves")


def one_algorithm(name, recipe):
    class Plugin:
        @hookimpl
        def register_algorithms(self, register):
            register(name, recipe, summary="for a test", paper="none")

    return Plugin()
