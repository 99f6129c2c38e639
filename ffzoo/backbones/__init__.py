"""Backbones: networks as ordered lists of blocks.

:mod:`~ffzoo.backbones.options` holds the option classes (no torch),
:mod:`~ffzoo.backbones.base` the contract, :mod:`~ffzoo.backbones.native` the library's own networks,
:mod:`~ffzoo.backbones.partition` the cut of any other module into blocks and
:mod:`~ffzoo.backbones.timm_source` that cut applied to a timm model by its name.
"""
