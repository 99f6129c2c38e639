"""The one grammar of options, and recipes as data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffzoo import Recipe, Term
from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.errors import OptionError, RecipeError, UnknownNameError
from ffzoo.parts.options import Concat, ConcatLinear, Logistic, Overlay, Projection, ProjectionHead, Sum
from ffzoo.registry.listing import list_algorithms
from ffzoo.registry.options import parse, replace
from ffzoo.run.spec import RunConfig, make_run, parse_set


@dataclass(frozen=True)
class Everything:
    whole: int = 1
    number: float | Literal["learned"] = 1.0
    flag: bool = False
    word: Literal["a", "b"] = "a"
    several: tuple[int, ...] = ()
    maybe: int | None = None


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.lists(st.integers()))
def test_text_and_value_parse_alike(whole, number, flag, several):
    assert parse(str(whole), int) == parse(whole, int) == whole
    assert parse(repr(number), float) == parse(number, float) == number
    assert parse(str(flag), bool) is flag
    assert parse(",".join(map(str, several)), tuple[int, ...]) == tuple(several)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("whole", "2.5", "a whole number"),
        ("whole", "two", "a whole number"),
        ("whole", True, "a whole number"),
        ("number", "warm", "'learned'"),
        ("flag", "perhaps", "true or false"),
        ("word", "c", "'a' or 'b'"),
        ("several", "1,x", "comma-separated"),
        ("maybe", "x", "none"),
    ],
)
def test_wrong_types_are_named(key, value, expected):
    with pytest.raises(OptionError, match=expected) as caught:
        replace(Everything(), {key: value}, "some.")
    assert f"some.{key}" in str(caught.value) and repr(value) in str(caught.value)


def test_unknown_option_gives_the_nearest():
    with pytest.raises(OptionError, match="did you mean 'several'"):
        replace(Everything(), {"severl": 1}, "")


projections = st.builds(
    Projection,
    power=st.sampled_from([1, 2]),
    grid=st.one_of(st.integers(1, 8), st.just("all")),
    pool=st.sampled_from(["mean", "sum"]),
    l2=st.sampled_from(["none", "position", "pooled"]),
    projection=st.sampled_from(["random", "orthogonal", "learned"]),
    bias=st.sampled_from(["none", "frozen", "learned"]),
    prototypes=st.integers(1, 3),
    temperature=st.one_of(st.floats(0.01, 10), st.just("learned")),
)
recipes = st.builds(
    Recipe,
    terms=st.lists(
        st.builds(
            Term,
            goodness=st.one_of(projections, st.sampled_from(["projection", "sum_squares", "mean_squares"])),
            loss=st.one_of(
                st.builds(Logistic, scale=st.one_of(st.floats(0.1, 5), st.just("dim"))),
                st.just("cross_entropy"),
            ),
            weight=st.floats(0.1, 2),
            blocks=st.sampled_from(["all", "last"]),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    label_embedding=st.one_of(st.just("none"), st.builds(Overlay), st.builds(Concat)),
    negatives=st.sampled_from(["none", "wrong_label", "hybrid_images"]),
    goodness_norm=st.sampled_from(["none", "l2"]),
    forward_norm=st.sampled_from(["auto", "none", "rms", "layernorm"]),
    isolation=st.sampled_from(["local", "none"]),
    fusion=st.one_of(st.sampled_from(["sum", "last", "best_range"]), st.builds(Sum), st.builds(ConcatLinear)),
    fusion_grad=st.sampled_from(["detached", "one_hop"]),
)


@given(recipes)
def test_json_and_back(recipe):
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe.resolved()


@pytest.mark.parametrize("name", [name for name in list_algorithms() if algorithm_spec(name).recipe is not None])
def test_shipped_recipes_survive_json(name):
    recipe = algorithm_spec(name).recipe
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe.resolved()


def test_set_chooses_parts_and_their_options_in_any_order():
    a = algorithm_spec("dtg_ff", {"fusion.first": "2", "goodness.grid": "2", "fusion": "concat_linear"}).recipe
    assert a.fusion == ConcatLinear(first=2)
    assert a.terms[0].goodness.grid == 2
    assert (
        a == algorithm_spec("dtg_ff", {"terms.0.goodness.grid": 2, "fusion": "concat_linear", "fusion.first": 2}).recipe
    )
    assert algorithm_spec("dtg_ff", {"weight": "0.5"}).recipe.terms[0].weight == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"goodness.gird": 2}, "did you mean 'grid'"),
        ({"fusionn": "sum"}, "did you mean 'fusion'"),
        ({"fusion": "sum", "fusion.first": "x"}, "expected a whole number"),
        ({"goodness.grid": "0"}, "at least 1"),
        ({"goodness.t_min": 3.0}, "t_max"),
        ({"forward_norm.eps": 1}, "has no options"),
        ({"terms.3.goodness.grid": 1}, "terms.0"),
        ({"isolation": "locale"}, "'local' or 'overlap' or 'none'"),
        ({"isolation.x": 1}, "no options"),
        ({"terms": 1}, "unknown option"),
    ],
)
def test_bad_keys_of_a_recipe(changes, message):
    with pytest.raises(OptionError, match=message):
        algorithm_spec("dtg_ff", changes)


def test_unknown_part():
    with pytest.raises(UnknownNameError, match="did you mean 'layernorm'"):
        algorithm_spec("dtg_ff", {"forward_norm": "layer_norm"})


@pytest.mark.parametrize("stored", [{"name": "auto"}, "auto"])
def test_auto_is_read_and_written_as_forward_norm(stored):
    recipe = algorithm_spec("dtg_ff").recipe.replace(forward_norm="rms")
    read = Recipe.from_json(recipe.to_json() | {"forward_norm": stored})
    assert read == recipe.replace(forward_norm="auto").resolved()
    assert read.to_json()["forward_norm"] == {"name": "auto"}


def test_auto_is_refused_where_it_would_do_nothing():
    refused = "'auto' is a value of forward_norm and names no normalization: choose from batchnorm, "
    recipe = algorithm_spec("dtg_ff").recipe
    with pytest.raises(UnknownNameError, match=refused):
        algorithm_spec("dtg_ff", {"goodness_norm": "auto"}).recipe.validate()
    with pytest.raises(UnknownNameError, match=refused):
        Recipe.from_json(recipe.to_json() | {"goodness_norm": {"name": "auto"}})
    head = Recipe(terms=(Term(ProjectionHead(norm="auto"), "supcon"),), fusion="probe")
    with pytest.raises(UnknownNameError, match=refused):
        create(head, "mlp", (3,), 2)
    with pytest.raises(UnknownNameError, match="unknown forward_norm 'atuo': did you mean 'auto'"):
        recipe.replace(forward_norm="atuo").validate()


def test_a_recipe_without_terms():
    with pytest.raises(RecipeError, match="no terms"):
        Recipe(terms=()).validate()


def test_from_json_refuses_what_is_no_recipe():
    with pytest.raises(RecipeError, match="did you mean 'fusion'"):
        Recipe.from_json({"fuson": "sum"})
    with pytest.raises(RecipeError, match="not a recipe"):
        Recipe.from_json({"terms": [{"goodness": "projection"}]})


def test_bp_twin_and_native_heads_are_one_option():
    twin = algorithm_spec("bp", {"head": "twin"}).recipe
    assert twin.terms[0].goodness == algorithm_spec("dtg_ff").recipe.terms[0].goodness
    assert algorithm_spec("bp", {"head": "native"}).recipe.terms[0].goodness == "native_head"
    with pytest.raises(OptionError, match="'linear' or 'twin' or 'native'"):
        algorithm_spec("bp", {"head": "big"})


def test_run_config_survives_json():
    run = make_run(
        "bp",
        "teacher_student",
        settings={"head": "twin", "fit.lr": "0.5", "data.dim": "8", "data.validation": 0.2, "backbone.width": 7},
        seed=3,
    )
    again = RunConfig.from_json(json.loads(json.dumps(run.to_json())))
    assert again.to_json() == run.to_json()
    assert (again.fit.lr, again.dataset_config.dim, again.backbone_config.width) == (0.5, 8, 7)
    assert again.algorithm.recipe == run.algorithm.recipe.resolved()


@pytest.mark.parametrize("items", [["fit.lr"], ["=3"], ["fit.lr=1", "fit.lr=2"]])
def test_malformed_set(items):
    with pytest.raises(OptionError):
        parse_set(items)


def test_a_section_that_does_not_exist():
    with pytest.raises(OptionError, match="did you mean 'backbone'"):
        make_run("dtg_ff", settings={"backbon.width": 3})
    with pytest.raises(OptionError, match=r"data\.validaton"):
        make_run("dtg_ff", settings={"data.validaton": 0.3})
