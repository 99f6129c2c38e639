"""HCL-FF: early blocks learn coarse classes and late ones fine classes, with supervised contrast beside them.

DeeperForward's class groups, with a class hierarchy over the depth and with features that are taught as well; for
block l with detached input::

    h_l = ReLU(Conv_l(u_(l-1)))
    g_k = mean of h_l over channel group k                     goodness of class k
    z_G = mean of g_k over the classes k of group G            groups of level d(l) of a class hierarchy
    v_i = P_l pool(u_l,i),  u_l = normalized h_l               projection head, 128 numbers
    L_l = CrossEntropy(z, group of y) + lambda SupCon(v, y)    lambda = 1, temperature 0.2
    d(l): from the root's two branches in the first block to the classes themselves in the last
    prediction: the sum of log softmax(g) over the range of blocks that is best on the validation part
"""

from __future__ import annotations

from typing import Literal

from ffzoo.plugin import Card, ProjectionHead, Published, SupCon, Term, algorithm, local_loss, options
from ffzoo_zoo.deeperforward import DEEPERFORWARD


@options
class Hierarchy:
    """Which level of the hierarchy a block learns.

    Attributes:
        levels: ``"linear"`` spreads the levels evenly over the blocks, the coarsest at the first and the classes
            themselves at the last; ``"increasing"`` goes one level down with every block until it meets the classes.
    """

    levels: Literal["linear", "increasing"] = "linear"


local_loss(
    "hierarchical_cross_entropy",
    ".hcl_ff_parts:HierarchicalCrossEntropy",
    config=Hierarchy,
    summary="cross-entropy of groups of classes: coarse in early blocks, fine in late ones",
)

HCL_FF = algorithm(
    "hcl_ff",
    DEEPERFORWARD.replace(
        terms=(
            Term(DEEPERFORWARD.terms[0].goodness, Hierarchy()),
            Term(ProjectionHead(width=128, grid=2, norm="groupnorm"), SupCon(temperature=0.2)),
        ),
    ),
    summary="class groups from coarse to fine with depth, and supervised contrast of normalized features",
    card=Card(
        title="HCL-FF: Hierarchical and Contrastive Learning for Forward-Forward Algorithm",
        authors="Yao, Chen and Kuo",
        year=2026,
        url="https://arxiv.org/abs/2605.24797",
        source="code",
        local="A block learns from its own class groups and its own projection head.",
        published=(
            Published("cifar10", 91.68, "ResNet-17, 100 to 800 channels", "abstract", "5.46 more than DeeperForward"),
            Published("cifar100", 70.09, "ResNet-17, 100 to 800 channels", "abstract", "17.00 more than DeeperForward"),
            Published(
                "tiny_imagenet", 48.46, "ResNet, 200 to 1600 channels", "abstract", "12.51 more than DeeperForward"
            ),
        ),
        departures=(
            "The hierarchy is grown from class means of the inputs as they are; theirs, on MNIST and Fashion-MNIST, "
            "from class means of standardized inputs on 50 principal components, and on CIFAR and Tiny-ImageNet from "
            "the normalized class weights of a linear head that was trained before.",
            "Levels are spread evenly over the blocks; theirs go down one a block on CIFAR-100 and Tiny-ImageNet "
            "(loss.levels=increasing). The last block always learns the classes.",
            "Their blocks have detached shortcuts and a layer norm of the input, a group norm with one group a class, "
            "and 4x4, 2x2 or 1x1 pooled features in the contrast, by width; here no shortcuts, up to ten groups and "
            "2x2.",
            "The contrast's temperature stays at 0.2: theirs falls from 0.8 to 0.2 in 50 epochs and then to 0.1.",
            "The projection head has no batch norm and no learning rate of its own; gradients are not clipped.",
            "The prediction is the goodness of the best range of blocks alone; they also train a linear head.",
        ),
        remarks=(
            "Below the floor of random features on digits, within a standard deviation: a class has the plain mean of "
            "20 units, and the first blocks are asked for groups of classes alone.",
        ),
    ),
)
