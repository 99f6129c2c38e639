"""Class scores against one table of label embeddings, which every block's loss teaches."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from ffzoo.parts.base import Build, Context, Goodness
from ffzoo.parts.projection import pool_grid
from ffzoo.parts.projection_matrices import label_embeddings, to_width
from ffzoo_dcl import options


class _Table(nn.Module):
    """D ``(width, K)``; a module, so that it belongs to no block and is trained once a step."""

    def __init__(self, embeddings: Tensor) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(embeddings)


class LabelDictionary(Goodness):
    """z = GAP(h) pool(D) / T, ``(B, K)``; the options are :class:`ffzoo_dcl.options.LabelDictionary`."""

    kind = "class"
    reads_half = True
    coupling = "shared parameters"
    family: ClassVar[dict[str, object]] = {"power": 1, "grid": 1, "projection": "embeddings, learned"}

    def __init__(self, config: options.LabelDictionary, build: Build) -> None:
        super().__init__(config, build)
        self.temperature = config.temperature
        if "label_dictionary" not in build.shared:
            build.shared["label_dictionary"] = _Table(label_embeddings(build, build.num_classes))
        self._table = [build.shared["label_dictionary"]]  # in a list: it is not this block's to save

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Class scores z ``(B, K)``."""
        a = pool_grid(h, 1)
        table = self._table[0].embeddings.to(a)  # it is not this module's to convert or to move
        return a @ to_width(table, a.shape[1]) / self.temperature
