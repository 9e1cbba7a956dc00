"""Towers built without open_clip, beside open_clip's own of the same weights."""

from __future__ import annotations

import open_clip
import torch
from torch import nn

from emoclip_sdk.config import TowersConfig
from emoclip_sdk.nn import Towers

SMALL = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}


def model_config(size: int) -> dict:
    vision = {"timm_model_name": f"tf_efficientnet_lite{size}", "image_size": 64}
    vision |= {"timm_pool": "avg", "timm_proj": "linear"}
    return {"embed_dim": 32, "vision_cfg": vision, "text_cfg": dict(SMALL)}


def pair(size: int) -> tuple[nn.Module, Towers]:
    """Return both with the same weights, and batch norms that do something."""
    torch.manual_seed(0)
    theirs = open_clip.CLIP(**model_config(size)).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    ours = Towers(TowersConfig(model=model_config(size))).eval()
    ours.visual.load_state_dict(theirs.visual.state_dict())
    names = ours.text.state_dict()
    ours.text.load_state_dict({k: v for k, v in theirs.state_dict().items() if k in names})
    return theirs, ours
