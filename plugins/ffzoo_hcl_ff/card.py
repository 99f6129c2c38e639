"""The card of HCL-FF."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

HCL_FF = Card(
    title="HCL-FF: Hierarchical and Contrastive Learning for Forward-Forward Algorithm",
    authors="Yao, Chen and Kuo",
    year=2026,
    url="https://arxiv.org/abs/2605.24797",
    source="code",
    local="A block learns from its own class groups and its own projection head.",
    published=(
        Published("cifar10", 91.68, "ResNet-17, 100 to 800 channels", "abstract", "5.46 more than DeeperForward"),
        Published("cifar100", 70.09, "ResNet-17, 100 to 800 channels", "abstract", "17.00 more than DeeperForward"),
        Published("tiny_imagenet", 48.46, "ResNet, 200 to 1600 channels", "abstract", "12.51 more than DeeperForward"),
    ),
    departures=(
        "The hierarchy is grown from class means of the inputs as they are; theirs, on MNIST and Fashion-MNIST, from "
        "class means of standardized inputs on 50 principal components, and on CIFAR and Tiny-ImageNet from the "
        "normalized class weights of a linear head that was trained before.",
        "Levels are spread evenly over the blocks; theirs go down one a block on CIFAR-100 and Tiny-ImageNet "
        "(loss.levels=increasing). The last block always learns the classes.",
        "Their blocks have detached shortcuts and a layer norm of the input, a group norm with one group a class, and "
        "4x4, 2x2 or 1x1 pooled features in the contrast, by width; here no shortcuts, up to ten groups and 2x2.",
        "The contrast's temperature stays at 0.2: theirs falls from 0.8 to 0.2 in 50 epochs and then to 0.1.",
        "The projection head has no batch norm and no learning rate of its own; gradients are not clipped.",
        "The prediction is the goodness of the best range of blocks alone; they also train a linear head.",
    ),
    remarks=(
        "Below the floor of random features on digits, within a standard deviation: a class has the plain mean of 20 "
        "units, and the first blocks are asked for groups of classes alone.",
    ),
)
