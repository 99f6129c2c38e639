"""The torch code of :mod:`ffzoo_zoo.dcl`."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from ffzoo.plugin import Build, Context, Goodness, label_table, pool_grid, to_width
from ffzoo_zoo import dcl


class _Table(nn.Module):
    """D ``(width, K)``; a module, so that it belongs to no block and is trained once per step."""

    def __init__(self, embeddings: Tensor) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(embeddings)


class LabelDictionary(Goodness):
    """z = GAP(h) pool(D) / T, ``(B, K)``, with one table D that every block's loss teaches."""

    kind = "class"
    reads_half = True
    coupling = "shared parameters"
    family: ClassVar[dict[str, object]] = {"power": 1, "grid": 1, "projection": "embeddings, learned"}

    def __init__(self, config: dcl.LabelDictionary, build: Build) -> None:
        super().__init__(config, build)
        self.temperature = config.temperature
        if "label_dictionary" not in build.shared:
            build.shared["label_dictionary"] = _Table(label_table(build, build.num_classes))
        self._table = [build.shared["label_dictionary"]]  # in a list: it is not this block's to save

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return class scores z ``(B, K)``."""
        a = pool_grid(h, 1)
        table = self._table[0].embeddings.to(a)  # it is not this module's to convert or to move
        return a @ to_width(table, a.shape[1]) / self.temperature
