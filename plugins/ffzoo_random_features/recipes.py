"""Random features (Rahimi and Recht 2007, "Random Features for Large-Scale Kernel Machines"): what a probe can do.

The blocks keep their initial weights; for block l::

    h_l = block_l(u_(l-1)),  u_l = LayerNorm(h_l)       no weight of a block is trained
    z_l = W_l^T pool(h_l) + b_l                         a linear readout a block, learned by cross-entropy
    prediction: a linear softmax on the features of all blocks, fitted after the readouts

This is the floor, not a rule: print it beside every figure that was read by a probe, for the probe is supervised and
strong. On the digits it has the accuracy that the card names, and many an unsupervised rule is no better. The readouts
fill the column of accuracies block by block, and nothing else; the probe does not see them.
"""

from __future__ import annotations

from ffzoo_nokland.recipes import NOKLAND_PRED

RANDOM_FEATURES = NOKLAND_PRED.replace(train_blocks=False, fusion="probe")
