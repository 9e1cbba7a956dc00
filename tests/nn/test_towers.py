"""Our towers against open_clip's own CLIP with the same weights."""

from __future__ import annotations

import open_clip
import pytest
import torch

from emoclip_sdk.config import ModelConfig, TemporalConfig, TowersConfig
from emoclip_sdk.errors import CheckpointError
from emoclip_sdk.nn import DualEncoder, Towers, build_tokenizer, open_clip_config

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
