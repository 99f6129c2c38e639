"""Decoupled greedy learning (Belilovsky, Eickenberg and Oyallon, ICML 2020, arXiv:1901.08164).

For block l with detached input x_l::

    h_l = block_l(x_l)
    z_l = aux_l(h_l)                          a small network on pooled features, learned
    L_l = CrossEntropy(z_l, y)
    prediction: the sum of log softmax(z_l) over the range of blocks that is best on the validation part

In the paper the auxiliary networks are thrown away after training, all but the last; a linear one would be
``nokland_pred``. Here it is one 3x3 convolution, a norm over the sample, a GELU and a linear layer on a 4x4
grid. On 10,000 images of CIFAR-10 (``whitened_cnn`` of widths 32-32-64-64-64-64, configuration ``fast_cifar``
with batches of 250, 3 epochs, two seeds) it had 74.0 and 74.1 % with a width of 32, at 10 % more arithmetic than
the linear classifier, which had 73.1 and 73.4 %.

Published: about 67.6 % on ImageNet, with a VGG-13 cut at every layer; quoted from memory.

Departures: the paper's networks (MLP-SR: three 1x1 convolutions on a map of reduced resolution, then a fully connected
network) have batch norm and are deeper; its asynchronous form with a replay buffer is not here, and in the
synchronous one blocks are updated in turn inside one forward pass, which is the same.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo_dgl.options import AuxConv

DGL = Recipe(terms=(Term(AuxConv(), "cross_entropy"),), forward_norm="auto", fusion="best_range")
