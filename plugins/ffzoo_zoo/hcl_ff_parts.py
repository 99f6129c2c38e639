"""The torch code of :mod:`ffzoo_zoo.hcl_ff`."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from scipy.cluster.hierarchy import linkage, to_tree
from torch import Tensor

from ffzoo.plugin import Build, Context, LocalLoss, Samples
from ffzoo_zoo import hcl_ff


def class_means(train: Samples, num_classes: int) -> Tensor:
    """Return the mean input of each class, ``(K, inputs)``, float64; zero for a class without samples."""
    total, count = torch.zeros(1), torch.zeros(num_classes, 1)
    for batch in train:
        onehot = F.one_hot(batch.y.cpu(), num_classes).double()
        total = total + onehot.T @ batch.x.cpu().double().flatten(1)
        count = count + onehot.sum(0)[:, None]
    return total / count.clamp(min=1)


def tree_levels(means: Tensor) -> list[list[int]]:
    """Return the group of each class for each level, coarsest first; ``means`` is ``(K, inputs)``, K at least 2."""
    nodes = [to_tree(linkage(means.numpy(), "ward"))]
    levels: list[list[int]] = []
    while not all(node.is_leaf() for node in nodes):
        nodes = [child for n in nodes for child in ((n,) if n.is_leaf() else (n.get_left(), n.get_right()))]
        groups = np.empty(len(means), int)
        for g, node in enumerate(nodes):
            groups[node.pre_order()] = g
        levels.append(groups.tolist())
    return levels


class HierarchicalCrossEntropy(LocalLoss):
    """Cross-entropy at a level of a class hierarchy.

    The hierarchy is a tree: class means of the inputs, merged two by two by Ward's criterion. Level d has one group
    for each node at depth d below the root, and one for each class whose branch ended above; the deepest level has
    the classes themselves::

        z_G = mean over the classes k of group G of z_k          (B, groups)
        L = CrossEntropy(z, group of y)

    Attributes:
        groups: the group of each class at this block's level ``(K,)``; before :meth:`prepare`, the class itself.
    """

    accepts = ("class",)
    groups: Tensor

    def __init__(self, config: hcl_ff.Hierarchy, build: Build) -> None:
        super().__init__(config, build)
        self.levels, self.label_smoothing = config.levels, build.label_smoothing
        self.block, self.depth, self.shared = build.block, build.depth, build.shared
        self.register_buffer("groups", torch.arange(build.num_classes))

    def prepare(self, train: Samples) -> None:
        """Take this block's level of the tree, which the first block grows for all."""
        if self.block == 0:
            self.shared["class_levels"] = tree_levels(class_means(train, len(self.groups)))
        self.take(self.shared["class_levels"])

    def take(self, levels: list[list[int]]) -> None:
        """Learn the level that is this block's; ``levels`` are the groups of the classes, coarsest first."""
        deepest = len(levels) - 1
        # The last block learns the classes, however few blocks there are.
        even = deepest if self.block == self.depth - 1 else self.block * len(levels) // self.depth
        level = self.block if self.levels == "increasing" else even
        self.groups.copy_(torch.tensor(levels[min(level, deepest)]))

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the cross-entropy of the groups' mean scores."""
        assert ctx.y is not None
        members = F.one_hot(self.groups).to(scores[0].dtype)  # (K, groups)
        z = scores[0] @ (members / members.sum(0))
        return F.cross_entropy(z, self.groups[ctx.y], label_smoothing=self.label_smoothing)
