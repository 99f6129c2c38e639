"""The torch code of :mod:`ffzoo_zoo.bp`."""

from __future__ import annotations

from torch import Tensor

from ffzoo.plugin import Backbone, Context, Goodness, RecipeError


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
        """Return the logits of the last block's raw output."""
        return self._head(h).float()
