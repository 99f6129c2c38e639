"""The card of HCL-FF."""

from __future__ import annotations

from ffzoo.card import Card, Published

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
        "The hierarchy is grown from class means of the inputs, as theirs is on MNIST and Fashion-MNIST; on CIFAR and "
        "Tiny-ImageNet they take the class means of the features of a network trained before.",
        "Levels are spread over the depth so that the last block always learns the classes; theirs count 17 blocks.",
        "The contrast's temperature stays at 0.2: theirs falls from 0.8 to 0.2 in 50 epochs and then to 0.1.",
        "The projection head has no batch norm and no learning rate of its own; gradients are not clipped.",
        "The prediction is the goodness of the best range of blocks alone; they also train a linear head.",
    ),
)
