"""Random features: what a probe can do where the blocks learned nothing.

The blocks keep their initial weights; for block l::

    h_l = block_l(u_(l-1)),  u_l = LayerNorm(h_l)       no weight of a block is trained
    z_l = W_l^T pool(h_l) + b_l                         a linear readout a block, learned by cross-entropy
    prediction: a linear softmax on the features of all blocks, fitted after the readouts

This is the floor, not a rule, for the probe is supervised and strong: on digits many an unsupervised rule is no better.
The readouts fill the column of accuracies block by block, and nothing else; the probe does not see them.
"""

from ffzoo.plugin import Card, algorithm
from ffzoo_zoo.nokland import NOKLAND_PRED

RANDOM_FEATURES = algorithm(
    "random_features",
    NOKLAND_PRED.replace(train_blocks=False, fusion="probe"),
    summary="blocks stay as they were initialized, read by a probe: the control beside every probe's figure",
    card=Card(
        title="Random Features for Large-Scale Kernel Machines",
        authors="Rahimi and Recht",
        year=2007,
        url="https://papers.nips.cc/paper/3182-random-features-for-large-scale-kernel-machines",
        source="memory",
        local="No block learns; each has a linear readout of its own, and the probe sends nothing back.",
        baseline=True,
        departures=(
            "The features are those of a deep network of the library's backbones, layer after layer; the paper's are "
            "one layer of cosines.",
        ),
        remarks=("It is the control to print beside every result that was read by a probe.",),
    ),
)
