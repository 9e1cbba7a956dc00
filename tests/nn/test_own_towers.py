"""Towers built without open_clip against open_clip's own, of the same weights."""

from __future__ import annotations

import open_clip
import pytest
import torch
from torch import nn

from emoclip_sdk.config import TowersConfig
from emoclip_sdk.nn import Towers, build_tokenizer
from emoclip_sdk.nn.causal_text import CausalText
from emoclip_sdk.nn.efficientnet import EfficientNetTower

SMALL = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}


def _model(size: int) -> dict:
    vision = {"timm_model_name": f"tf_efficientnet_lite{size}", "image_size": 64}
    vision |= {"timm_pool": "avg", "timm_proj": "linear"}
    return {"embed_dim": 32, "vision_cfg": vision, "text_cfg": dict(SMALL)}


def _pair(size: int) -> tuple[nn.Module, Towers]:
    """Return both with the same weights, and batch norms that do something."""
    torch.manual_seed(0)
    theirs = open_clip.CLIP(**_model(size)).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    ours = Towers(TowersConfig(model=_model(size))).eval()
    ours.visual.load_state_dict(theirs.visual.state_dict())
    names = ours.text.state_dict()
    ours.text.load_state_dict({k: v for k, v in theirs.state_dict().items() if k in names})
    return theirs, ours


@pytest.mark.parametrize("size", [0, 1, 2])
@torch.no_grad()
def test_both_towers_say_what_those_of_open_clip_say(size: int) -> None:
    theirs, ours = _pair(size)
    assert isinstance(ours.visual, EfficientNetTower)
    # training.imagenet relies on the order
    assert list(ours.visual.state_dict()) == list(theirs.visual.state_dict())
    for side in (64, 75):  # the padding depends on it
        images = torch.randn(2, 3, side, side)
        torch.testing.assert_close(ours.encode_images(images), theirs.encode_image(images))
    tokens = build_tokenizer(TowersConfig(model=_model(size)))(["a smile", "brows are raised", ""])
    torch.testing.assert_close(ours.encode_tokens(tokens), theirs.encode_text(tokens))


def test_weights_start_as_in_open_clip() -> None:
    torch.manual_seed(0)
    theirs = open_clip.CLIP(**_model(0))
    ours = Towers(TowersConfig(model=_model(0)))
    state = theirs.state_dict()
    for name, tensor in ours.state_dict().items():
        other = state[name.removeprefix("text.")]
        if tensor.ndim > 1 and tensor.numel() > 1000:
            assert tensor.std().item() == pytest.approx(other.std().item(), rel=0.1), name
        elif not name.endswith(("c_fc.bias", "c_proj.bias")):  # those start at random
            assert torch.equal(tensor, other) or tensor.ndim > 1, name


def test_what_is_not_built_here_is_built_by_open_clip() -> None:
    for change in (
        lambda m: m["vision_cfg"].update(timm_pool="max"),
        lambda m: m["vision_cfg"].update(timm_drop=0.1),
        lambda m: m["text_cfg"].update(proj_bias=True),
        lambda m: m.update(quick_gelu=True),
    ):
        model = _model(0)
        change(model)
        towers = Towers(TowersConfig(model=model))
        assert not isinstance(towers.visual, EfficientNetTower)
        assert isinstance(towers.text, CausalText)  # of open_clip's layers


def test_checkpointed_gradients_are_the_same() -> None:
    torch.manual_seed(0)
    towers = Towers(TowersConfig(model=_model(0))).eval()
    images, tokens = torch.randn(2, 3, 64, 64), torch.tensor([[49406, 320, 49407]])
    found, passes = [], []
    for part in (towers.visual.trunk.blocks[2], towers.text.transformer.resblocks[0]):
        part.register_forward_pre_hook(lambda *_: passes.append(1))
    for enable in (False, True):
        towers.visual.set_grad_checkpointing(enable)
        towers.text.transformer.grad_checkpointing = enable
        towers.zero_grad()
        (towers.encode_images(images).sum() + towers.encode_tokens(tokens).sum()).backward()
        found.append({name: p.grad.clone() for name, p in towers.named_parameters()})
    assert len(passes) == 2 + 4  # what is not kept is computed twice
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, msg=name)
