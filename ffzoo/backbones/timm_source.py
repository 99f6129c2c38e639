"""timm models as backbones, by name."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ffzoo.backbones.options import Timm
from ffzoo.backbones.partition import partition
from ffzoo.backbones.partitioned import Partition
from ffzoo.backbones.timm_names import timm_name
from ffzoo.backbones.unread import unread
from ffzoo.errors import OptionError, PartitionError, UnknownNameError, nearest


def timm_backbone(config: Timm, name: str, input_shape: tuple[int, ...], num_classes: int = 10) -> Partition:
    """Build a timm model for given inputs and cut it into blocks.

    Args:
        config: where to cut, and whether to load timm's published weights.
        name: timm's name of the model, such as ``"resnet18"``.
        input_shape: ``(C, H, W)``.
        num_classes: classes of the model's own head, which belongs to no block.

    Returns:
        The verified partition, named ``timm:<name>``.

    Raises:
        UnknownNameError: timm has no such model.
        OptionError: timm is not installed, the inputs are not images, or the pretrained weights cannot be
            loaded.
        PartitionError: the model cannot take inputs of this size, or cannot be cut.
    """
    try:
        import timm
    except ImportError as error:
        raise OptionError(f"backbone 'timm:{name}' needs timm; install it with `pip install timm`") from error
    unknown_tag = "." in name and name not in timm.list_pretrained(f"{name.partition('.')[0]}.*")
    if unknown_tag or not timm.is_model(name):
        meant = timm_name(name)
        hint = nearest(name, timm.list_models()) if meant is None else f"did you mean {meant!r}?"
        raise UnknownNameError(f"timm has no model {name!r}; {hint}")
    if len(input_shape) != 3 or min(input_shape) < 1:
        raise OptionError(f"backbone 'timm:{name}' got inputs of shape {input_shape}; expected (C, H, W)")
    model = _create(name, config.pretrained, input_shape, num_classes)
    default = getattr(model, "default_cfg", {}).get("input_size")
    try:
        example = torch.randn(2, *input_shape, generator=torch.Generator().manual_seed(0))
        backbone = partition(model, config.by, example, f"timm:{name}")
        backbone.cautions = unread(model, example, backbone.name)
        return backbone
    except PartitionError as error:
        if "cannot run on inputs" not in str(error) or default is None:
            raise
        raise PartitionError(f"{error}; timm's default input for it is {default}") from error


def _create(name: str, pretrained: bool, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
    import timm

    options: dict[str, Any] = {
        "pretrained": pretrained,
        "in_chans": input_shape[0],
        "num_classes": num_classes,
    }
    size = input_shape[1:]
    try:
        try:
            return timm.create_model(name, img_size=size, **options)
        except TypeError as error:
            # Convolutional models have no fixed size and refuse the argument.
            if "img_size" not in str(error):
                raise
            return timm.create_model(name, **options)
    except (RuntimeError, OSError) as error:
        if pretrained:
            raise OptionError(
                f"the pretrained weights of {name!r} cannot be loaded ({error}); expected a network "
                "connection or a filled cache, or pretrained=false"
            ) from error
        raise PartitionError(f"timm:{name} cannot be built for inputs of {input_shape}: {error}") from error
    except (AssertionError, ValueError) as error:
        raise PartitionError(f"timm:{name} cannot be built for inputs of {input_shape}: {error}") from error
