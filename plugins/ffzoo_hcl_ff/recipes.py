"""HCL-FF (Yao, Chen and Kuo, CVPR 2026, arXiv:2605.24797).

DeeperForward's class groups, with a class hierarchy over the depth and with features that are taught as well; for
block l with detached input::

    h_l = ReLU(Conv_l(u_(l-1)))
    g_k = mean of h_l over channel group k                     goodness of class k
    z_G = mean of g_k over the classes k of group G            groups of level d(l) of a class hierarchy
    v_i = P_l pool(u_l,i),  u_l = normalized h_l               projection head, 128 numbers
    L_l = CrossEntropy(z, group of y) + lambda SupCon(v, y)    lambda = 1, temperature 0.2
    d(l): from the root's two branches in the first block to the classes themselves in the last
    prediction: the sum of log softmax(g) over the range of blocks that is best on the validation part

Published: CIFAR-10 91.68 %, CIFAR-100 70.09 %, Tiny-ImageNet 48.46 % (the gains that the abstract names over
DeeperForward's 86.22, 53.09 and 35.95 %).
"""

from __future__ import annotations

from ffzoo import Term
from ffzoo.parts.options import ProjectionHead, SupCon
from ffzoo_hcl_ff.options import Hierarchy
from ffzoo_zoo.deeperforward import DEEPERFORWARD

HCL_FF = DEEPERFORWARD.replace(
    terms=(
        Term(DEEPERFORWARD.terms[0].goodness, Hierarchy()),
        Term(ProjectionHead(width=128, grid=2, norm="groupnorm"), SupCon(temperature=0.2)),
    ),
)
