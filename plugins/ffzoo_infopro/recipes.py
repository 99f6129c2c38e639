"""InfoPro (Wang, Ni, Song, Yang and Huang, ICLR 2021, "Revisiting Locally Supervised Learning", arXiv:2101.10832).

A block that is trained for the classes alone throws away what later blocks could have used. So early blocks are made
to keep the input, late ones to tell the classes; for block l of L with detached input::

    h_l = block_l(u_(l-1))
    x^_l = decoder_l(h_l)                          a small network back to the input
    z_l = aux_l(h_l)                               a small convolutional classifier
    L_l = lambda_1(l) mean (x^_l - x)^2 + lambda_2(l) CrossEntropy(z_l, y)
    lambda_1: on a line from 5 in the first block to 0.5 in the last but one; 0 in the last
    lambda_2: on a line from 0.5 in the first block to 1 in the last but one; 1 in the last
    prediction: the sum of log softmax(z_l) over the range of blocks that is best on the validation part

Published: ImageNet 78.15 % with ResNet-101 in 2 modules; on CIFAR-10 in figures only; the memory falls by 40 to 60 %
(the authors' repository).
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo_infopro.options import Decoder, DepthCrossEntropy, Reconstruction
from ffzoo_zoo.dgl import AuxConv

INFOPRO = Recipe(
    terms=(
        Term(AuxConv(), DepthCrossEntropy(first=0.5, last=1.0)),
        Term(Decoder(), Reconstruction(first=5.0, last=0.5)),
    ),
    forward_norm="auto",
    fusion="best_range",
)
