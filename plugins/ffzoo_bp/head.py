"""A model's own classifier."""

from __future__ import annotations

from torch import Tensor

from ffzoo.backbones.base import Backbone
from ffzoo.errors import RecipeError
from ffzoo.parts.base import Context, Goodness


class NativeHead(Goodness):
    """z = the model's own logits, ``(B, K)``; its parameters stay the model's and belong to no block."""

    kind = "class"
    reads_output = True

    def attach(self, backbone: Backbone) -> None:
        """Find the classifier.

        Raises:
            RecipeError: the backbone has none.
        """
        if not backbone.has_native_head:
            raise RecipeError(f"backbone {backbone.name!r} has no head of its own; expected a timm model")
        self._head = backbone.native_head

    def forward(self, h: Tensor, ctx: Context) -> Tensor:
        """The logits of the last block's raw output."""
        return self._head(h).float()
