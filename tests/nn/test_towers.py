"""Our towers against open_clip's own CLIP with the same weights."""

from __future__ import annotations

import open_clip
import pytest
import torch

from emoclip_sdk.config import ModelConfig, TemporalConfig, TowersConfig
from emoclip_sdk.errors import CheckpointError
from emoclip_sdk.nn import DualEncoder, Towers, build_tokenizer, open_clip_config
from emoclip_sdk.nn.causal_text import CausalText
from emoclip_sdk.nn.efficientnet import EfficientNetTower

from .pair import model_config

MODEL = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2},
}
TEXTS = ["happy", "a photo of a person whose brows are raised and whose mouth is open", ""]


@pytest.fixture(scope="module")
def pair():
    torch.manual_seed(0)
    clip = open_clip.CLIP(**MODEL, quick_gelu=True).eval()
    towers = Towers(TowersConfig(model=MODEL, quick_gelu=True)).eval()
    towers.visual.load_state_dict(clip.visual.state_dict())
    state = {n: t for n, t in clip.state_dict().items() if n in towers.text.state_dict()}
    towers.text.load_state_dict(state)
    return clip, towers


@torch.no_grad()
def test_truncated_text_equals_the_full_evaluation(pair):
    clip, towers = pair
    tokens = build_tokenizer(TowersConfig(model=MODEL))([*TEXTS, "smile " * 200])
    assert tokens.shape == (4, 77)
    for rows in (tokens, tokens[:1], tokens[2:3]):
        torch.testing.assert_close(
            towers.encode_tokens(rows), clip.encode_text(rows), atol=1e-5, rtol=1e-5
        )


@torch.no_grad()
def test_images_equal_open_clip(pair):
    clip, towers = pair
    images = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(towers.encode_images(images), clip.encode_image(images))


@torch.no_grad()
def test_quick_gelu_is_built_where_it_is_asked_for(pair):
    _, towers = pair
    plain = Towers(TowersConfig(model=MODEL, quick_gelu=False)).eval()
    plain.load_state_dict(towers.state_dict())
    images = torch.randn(3, 3, 32, 32)
    assert (plain.encode_images(images) - towers.encode_images(images)).abs().max() > 1e-4
    tokens = build_tokenizer(TowersConfig(model=MODEL))(TEXTS)
    assert (plain.encode_tokens(tokens) - towers.encode_tokens(tokens)).abs().max() > 1e-4


def test_a_model_without_text_needs_no_text_configuration():
    model = {key: value for key, value in MODEL.items() if key != "text_cfg"}
    config = ModelConfig(TowersConfig(model=model, text=False), TemporalConfig(kind="mean"))
    encoder = DualEncoder(config)
    assert not encoder.towers.has_text
    assert not any("text" in name for name in encoder.state_dict())
    assert encoder.encode_video(torch.randn(1, 2, 3, 32, 32)).shape == (1, 32)


@torch.no_grad()
def test_padded_frames_are_not_computed_and_do_not_count():
    temporal = TemporalConfig(heads=2, dim_head=8, mlp_dim=16, max_positions=9)
    encoder = DualEncoder(ModelConfig(TowersConfig(model=MODEL), temporal)).eval()
    clips = torch.randn(2, 4, 3, 32, 32)
    clips[1, 2:] = torch.nan
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    out = encoder.encode_video(clips, mask)
    torch.testing.assert_close(out[1:], encoder.encode_video(clips[1:, :2]), atol=1e-5, rtol=1e-5)


def test_unknown_architecture_is_named():
    with pytest.raises(CheckpointError, match="ViT-B-33"):
        open_clip_config(TowersConfig(name="ViT-B-33"))


def test_weights_start_as_in_open_clip() -> None:
    torch.manual_seed(0)
    theirs = open_clip.CLIP(**model_config(0))
    ours = Towers(TowersConfig(model=model_config(0)))
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
        model = model_config(0)
        change(model)
        towers = Towers(TowersConfig(model=model))
        assert not isinstance(towers.visual, EfficientNetTower)
        assert isinstance(towers.text, CausalText)  # of open_clip's layers


def test_checkpointed_gradients_are_the_same() -> None:
    torch.manual_seed(0)
    towers = Towers(TowersConfig(model=model_config(0))).eval()
    images, tokens = torch.randn(2, 3, 64, 64), torch.tensor([[49406, 320, 49407]])
    gradients, passes = [], []
    for part in (towers.visual.trunk.blocks[2], towers.text.transformer.resblocks[0]):
        part.register_forward_pre_hook(lambda *_: passes.append(1))
    for enable in (False, True):
        towers.visual.set_grad_checkpointing(enable)
        towers.text.transformer.grad_checkpointing = enable
        towers.zero_grad()
        (towers.encode_images(images).sum() + towers.encode_tokens(tokens).sum()).backward()
        gradients.append({name: p.grad.clone() for name, p in towers.named_parameters()})
    assert len(passes) == 2 + 4  # what is not kept is computed twice
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, msg=name)
