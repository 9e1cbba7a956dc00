"""Files in the reference's, OpenAI's and FaRL's layout against a direct evaluation of them.

The evaluation below works on the file's own names with plain tensor algebra. It shares no code
with the package or with open_clip."""

from __future__ import annotations

import pytest
import torch

from emoclip_sdk.checkpoints import convert, load_folder
from emoclip_sdk.errors import CheckpointError

from .reference import (
    DIM_HEAD,
    HEADS,
    JOINT,
    MLP,
    SIDE,
    VOCAB,
    clip_state,
    direct_video,
    downstream_file,
    rand,
    reference_clip,
    saved,
    some_tokens,
    zero_shot_file,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


@pytest.fixture
def clips():
    return torch.randn(2, 5, 3, SIDE, SIDE)


@torch.no_grad()
@pytest.mark.parametrize("ddp", [False, True], ids=["plain", "module."])
@pytest.mark.parametrize("kind", ["zero-shot", "downstream"])
def test_authors_file_gives_the_same_video_embeddings(tmp_path, clips, kind, ddp):
    state = zero_shot_file() if kind == "zero-shot" else downstream_file()
    prefix = "backbone.visual." if kind == "zero-shot" else "backbone."
    file = saved(tmp_path / "emoclip.pth", state, ddp=ddp)
    returned = convert(file, tmp_path / "out", "emoclip")
    config, model, _ = load_folder(tmp_path / "out")[:3]
    assert config == returned
    expected = direct_video(state, clips, prefix)
    torch.testing.assert_close(model.encode_video(clips), expected, atol=1e-5, rtol=1e-5)
    plain = direct_video(state, clips, prefix, quick=False)
    assert (plain - expected).abs().max() > 1e-3  # the activation is kept, and it matters


def test_architecture_is_read_off_the_shapes(tmp_path):
    file = saved(tmp_path / "emoclip.pth", zero_shot_file(), nested="state_dict")
    config = convert(file, tmp_path / "out", "emoclip")
    assert config.towers.quick_gelu
    assert config.towers.model == {
        "embed_dim": JOINT,
        "vision_cfg": {"image_size": 24, "layers": 2, "width": 128, "patch_size": 8},
        "text_cfg": {
            "context_length": 77,
            "vocab_size": VOCAB,
            "width": 64,
            "heads": 1,
            "layers": 2,
        },
    }
    temporal = config.temporal
    assert (temporal.layers, temporal.heads, temporal.dim_head) == (2, HEADS, DIM_HEAD)
    assert (temporal.mlp_dim, temporal.max_positions) == (MLP, 1024)
    assert (config.image.size, config.sampling.n_frames) == (24, 32)
    assert len(config.prompts.labels) == 11


def test_zero_shot_file_keeps_text_and_its_own_logit_scale(tmp_path):
    state = zero_shot_file()
    config = convert(saved(tmp_path / "a.pth", state), tmp_path / "out", "emoclip")
    model = load_folder(tmp_path / "out").model
    assert model.logit_scale.item() == pytest.approx(4.2)
    assert config.info["left_out"] == ["backbone.logit_scale"]
    clip = reference_clip({n.removeprefix("backbone."): t for n, t in state.items()})
    tokens = some_tokens()
    with torch.no_grad():
        torch.testing.assert_close(
            model.encode_tokens(tokens), clip.encode_text(tokens), atol=1e-5, rtol=1e-5
        )


def test_downstream_file_has_no_text_and_says_what_was_left_out(tmp_path):
    config = convert(saved(tmp_path / "a.pth", downstream_file()), tmp_path / "out", "emoclip")
    assert not config.towers.text
    assert config.info["left_out"] == ["mlp.0.bias", "mlp.0.weight", "mlp.2.weight"]
    assert not load_folder(tmp_path / "out").model.towers.has_text


@torch.no_grad()
def test_text_from_adds_a_text_tower(tmp_path, clips):
    clip = clip_state()
    convert(saved(tmp_path / "clip.pt", clip), tmp_path / "clip", "openai-clip")
    state = downstream_file()
    file = saved(tmp_path / "a.pth", state)
    config = convert(file, tmp_path / "out", "emoclip", text_from=tmp_path / "clip")
    model = load_folder(tmp_path / "out").model
    assert config.towers.text
    assert model.logit_scale.item() == pytest.approx(4.5)
    tokens = some_tokens()
    expected = reference_clip(clip).encode_text(tokens)
    torch.testing.assert_close(model.encode_tokens(tokens), expected, atol=1e-5, rtol=1e-5)
    expected = direct_video(state, clips, "backbone.")
    torch.testing.assert_close(model.encode_video(clips), expected, atol=1e-5, rtol=1e-5)


def test_text_from_must_fit(tmp_path, folder):
    file = saved(tmp_path / "a.pth", downstream_file())
    with pytest.raises(CheckpointError, match="is 32 wide, that of the file 48"):
        convert(file, tmp_path / "out", "emoclip", text_from=folder)
    convert(file, tmp_path / "mute", "emoclip")
    with pytest.raises(CheckpointError, match="has no text tower"):
        convert(file, tmp_path / "out", "emoclip", text_from=tmp_path / "mute")
    whole = saved(tmp_path / "b.pth", zero_shot_file())
    with pytest.raises(CheckpointError, match="a text tower of its own"):
        convert(whole, tmp_path / "out", "emoclip", text_from=folder)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s: s.pop("temporal.cls_token"), r"1 missing: temporal\.cls_token"),
        (lambda s: s.update(surprise=rand(2)), "1 unexpected: surprise"),
        (
            lambda s: s.update({"temporal.temporal_transformer.layers.1.0.fn.norm.bias": rand(3)}),
            r"temporal_transformer\.layers\.1\.0\.fn\.norm\.bias is \(3\) and should be \(48\)",
        ),
        (
            lambda s: s.pop("backbone.transformer.resblocks.1.ln_2.bias"),
            r"1 missing: backbone\.transformer\.resblocks\.1\.ln_2\.bias",
        ),
        (lambda s: s.pop("temporal.pos_embedding"), r"temporal\.pos_embedding is missing"),
        (lambda s: s.pop("backbone.proj"), r"backbone: visual\.proj is missing"),
    ],
)
def test_tensors_that_do_not_fit_are_named_as_in_the_file(tmp_path, edit, message):
    state = downstream_file()
    edit(state)
    with pytest.raises(CheckpointError, match=message):
        convert(saved(tmp_path / "a.pth", state), tmp_path / "out", "emoclip")
    assert not (tmp_path / "out").exists()


def test_unknown_source(tmp_path):
    with pytest.raises(CheckpointError, match="emoclip, farl, openai-clip"):
        convert(tmp_path, tmp_path, "blip")
