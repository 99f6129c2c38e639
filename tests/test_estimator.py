"""The estimator of scikit-learn: its own checks, and the places where estimators are used."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import ffzoo

SMALL = {"epochs": 20, "device": "cpu", "settings": {"backbone.width": 32, "backbone.depth": 2}}
EXCEPTIONS: dict[str, str] = {}
# The expensive ones train on hundreds of samples, again and again.
SLOW = ("check_classifiers_train", "check_methods", "check_estimators_overwrite_params", "check_fit_score")
CHECKS = [
    pytest.param(
        check, id=f"{check.func.__name__}-{i}", marks=pytest.mark.slow if check.func.__name__.startswith(SLOW) else ()
    )
    for i, (_, check) in enumerate(
        estimator_checks_generator(ffzoo.FFClassifier(**SMALL), expected_failed_checks=EXCEPTIONS)
    )
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS)
def test_scikit_learns_own_checks(check):
    check(ffzoo.FFClassifier(**SMALL))


def test_it_works_in_a_pipeline_a_search_and_cross_validation():
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    pipeline = make_pipeline(StandardScaler(), ffzoo.FFClassifier(**{**SMALL, "epochs": 60}, lr=0.01))
    assert cross_val_score(pipeline, x, names, cv=3).mean() > 0.9
    grid = {"ffclassifier__algo": ["mono_forward", "bp"], "ffclassifier__lr": [1e-6, 0.01]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(x, names)
    assert search.best_params_["ffclassifier__lr"] == 0.01
    assert set(search.predict(x)) <= set(names) and search.score(x, names) > 0.9


def test_images_and_a_model_of_ones_own():
    from tests.test_bring import Functional, pictures

    x, y = pictures()
    torch.manual_seed(0)  # a module has the weights that it was made with
    model = ffzoo.FFClassifier(model=Functional(), epochs=30, device="cpu").fit(x, y)
    assert model.score(x, y) > 0.9 and model.model_.pixels
