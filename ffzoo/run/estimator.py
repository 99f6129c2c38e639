"""A scikit-learn classifier whose network is trained by a local rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from ffzoo.algorithms.given import Model, Rule
from ffzoo.run.fitting import fit
from ffzoo.run.trained import Trained


class FFClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of scikit-learn: in a Pipeline, ``cross_val_score``, ``GridSearchCV``.

    Inputs are features ``(n, D)``, or images ``(n, H, W)``, ``(n, C, H, W)`` or ``(n, H, W, C)``. Features should have
    about the same scale, as for any network: put a StandardScaler before it. Labels are of any kind.

    Args:
        algo: a registered algorithm, a recipe, a function that returns one, or a class.
        model: an ``nn.Module`` or what makes one, a registered backbone or ``timm:NAME``; ``mlp`` for features and
            ``cnn`` for images when None.
        epochs: passes over the data.
        batch_size: samples per step; fewer where there are fewer samples.
        lr: learning rate; the rule's own when None.
        settings: further options by key, as after ``--set``.
        random_state: a seed of initial weights and data order.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        verbose: show how the model was cut, and a progress bar.

    Attributes:
        classes_: the labels.
        n_features_in_: features per sample; of images their values.
        model_: the :class:`~ffzoo.run.trained.Trained` model.
    """

    def __init__(
        self,
        algo: Rule = "mono_forward",
        *,
        model: Model | None = None,
        epochs: int = 50,
        batch_size: int = 32,
        lr: float | None = None,
        settings: Mapping[str, Any] | None = None,
        random_state: Any = 0,
        device: str = "auto",
        verbose: bool = False,
    ) -> None:
        self.algo, self.model, self.epochs, self.batch_size, self.lr = algo, model, epochs, batch_size, lr
        self.settings, self.random_state, self.device, self.verbose = settings, random_state, device, verbose

    def fit(self, X: Any, y: Any) -> FFClassifier:
        """Train on samples ``(n, ...)`` and labels ``(n,)``.

        Raises:
            ValueError: what scikit-learn refuses, such as NaN, or labels of one class.
            FFZooError: a model, rule or option that cannot be used.
        """
        X, y = validate_data(self, X, y, **_READ)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"FFClassifier got 1 class, {self.classes_[0]}; expected samples of at least two")
        if isinstance(self.random_state, int | np.integer):
            seed = int(self.random_state)
        else:
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings = dict(self.settings or {}) | ({} if self.lr is None else {"fit.lr": self.lr})
        self.model_: Trained = fit(
            self.model if self.model is not None else ("mlp" if X.ndim == 2 else "cnn"),
            (X, numbers),
            self.algo,
            epochs=self.epochs,
            batch_size=min(self.batch_size, len(X)),
            seed=seed,
            settings=settings,
            device=self.device,
            progress=self.verbose,
        )
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return softmax(scores) ``(n, K)``, columns in the order of ``classes_``."""
        check_is_fitted(self)
        return self.model_.predict_proba(validate_data(self, X, reset=False, **_READ)).numpy()

    def predict(self, X: Any) -> Any:
        """Return the predicted labels ``(n,)``."""
        chances = self.predict_proba(X)
        return self.classes_[chances.argmax(1)]


_READ: dict[str, Any] = {"allow_nd": True, "dtype": [np.float32, np.uint8]}
"""How scikit-learn checks samples: pixels stay pixels, everything else becomes float32."""
