"""PEPITA (Dellaferrera and Kreiman 2022, "Error-driven Input Modulation", arXiv:2201.11665).

Two forward passes, the second with the output's error on the input; x_1 = x, x'_1 = x'::

    e    = softmax(z) - onehot(y)             of the first pass
    x'   = x + F e                            F fixed and random
    dW_l = -lr * mean over the batch of ((h_l - h'_l) * f'(a'_l)) x'_l^T
    dW   = -lr * mean over the batch of (softmax(z') - onehot(y)) u'^T         output layer, u' what it reads

h_l are the features of block l in the first pass, h'_l in the second, x'_l what block l reads in the second. No
backward pass: in the second one a block learns as soon as it has been computed. The first pass's features of all
blocks are kept for that.
"""

from ffzoo_zoo.pepita_parts import PEPITA

__all__ = ["PEPITA"]
