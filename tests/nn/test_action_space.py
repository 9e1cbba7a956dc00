"""A part of the joint space for facial actions, beside a model that reads as it did before."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from emoclip_sdk.checkpoints import load_folder, save_folder
from emoclip_sdk.config import (
    ActionSpaceConfig,
    ImageConfig,
    ModelConfig,
    ShapeConfig,
    TemporalConfig,
    TowersConfig,
)
from emoclip_sdk.errors import CheckpointError
from emoclip_sdk.faces import FaceShape
from emoclip_sdk.inference.encoder import Encoder
from emoclip_sdk.inference.scorer import cosine_similarities
from emoclip_sdk.nn import DualEncoder
from emoclip_sdk.nn.shape import SHAPE_FEATURES

TOWERS = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
ACTIONS = ActionSpaceConfig(width=8, hidden=12, heads=2)
PLAIN = ModelConfig(
    TowersConfig(model=TOWERS),
    TemporalConfig(layers=1, heads=2, dim_head=8, mlp_dim=16, max_positions=40),
    image=ImageConfig(size=32),
    shape=ShapeConfig(hidden=8),
)
CONFIG = dataclasses.replace(PLAIN, actions=ACTIONS)
TEXTS = ["a smile", "the brows rise after the mouth opens", "sad"]


@pytest.fixture
def network() -> DualEncoder:
    torch.manual_seed(0)
    return DualEncoder(CONFIG).eval().requires_grad_(False)


def _decide(network: DualEncoder, share: float) -> None:
    """Make all texts be about actions as far as `share` says, 0 or 1."""
    assert network.actions is not None
    last = network.actions.about_actions[2]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, 100.0 * (2 * share - 1))


def _faces(n: int) -> tuple[np.ndarray, list[FaceShape]]:
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    return crops, [
        FaceShape(
            rng.random((478, 3), dtype=np.float32) * 100, 1.0, rng.random(52, dtype=np.float32)
        )
        for _ in range(n)
    ]


def test_a_text_that_is_about_no_action_scores_as_without_the_space(network: DualEncoder) -> None:
    _decide(network, 0)
    plain = DualEncoder(PLAIN)
    plain.load_state_dict({k: v for k, v in network.state_dict().items() if k[:8] != "actions."})
    crops, shapes = _faces(5)
    logits = []
    for encoder in (Encoder(plain, PLAIN, "cpu"), Encoder(network, CONFIG, "cpu")):
        frames = encoder.frames(crops, [*shapes[:4], None])
        clips = encoder.pool(frames, [[0, 1, 2], [3, -1, 4]])
        assert frames.shape[1] == clips.shape[1] == encoder.width
        texts = encoder.texts(TEXTS).numpy()
        logits.append(encoder.logit_scale * cosine_similarities(clips, texts))
    assert encoder.width == 16 + 2 * 8
    np.testing.assert_allclose(logits[1], logits[0], atol=1e-4)


def test_a_text_about_actions_is_matched_by_shapes_alone(network: DualEncoder) -> None:
    _decide(network, 1)
    encoder = Encoder(network, CONFIG, "cpu")
    crops, shapes = _faces(4)
    texts = encoder.texts(TEXTS).numpy()

    def similarities(crops: np.ndarray, shapes: list[FaceShape | None]) -> np.ndarray:
        clips = encoder.pool(encoder.frames(crops, shapes), [[0, 1, 2, 3]])
        return cosine_similarities(clips, texts)

    first = similarities(crops, shapes)
    np.testing.assert_allclose(similarities(crops[::-1].copy(), shapes), first, atol=1e-5)
    assert np.abs(similarities(crops, shapes[:1] * 4) - first).max() > 1e-3
    unseen = similarities(crops, [None] * 4)
    assert np.isfinite(unseen).all() and np.abs(unseen - first).max() > 1e-3


def test_the_parts_are_mixed_in_proportion_to_the_share(network: DualEncoder) -> None:
    encoder = Encoder(network, CONFIG, "cpu")
    clips = encoder.pool(encoder.frames(*_faces(4)), [[0, 1], [2, 3]])
    cosines, lengths = {}, {}
    for share in (0.0, 0.25, 1.0):
        _decide(network, share)
        if share == 0.25:
            torch.nn.init.constant_(network.actions.about_actions[2].bias, -np.log(3))
        texts = encoder.texts(TEXTS).numpy()
        cosines[share] = cosine_similarities(clips, texts)
        lengths[share] = np.linalg.norm(texts, axis=1)
    mixed = (0.75 * cosines[0] + 0.25 * cosines[1]) / np.hypot(0.75, 0.25)
    np.testing.assert_allclose(cosines[0.25], mixed, atol=1e-5)
    for share in (0.25, 1.0):  # eq. 2 averages texts before it normalizes
        np.testing.assert_allclose(lengths[share], lengths[0], rtol=1e-5)


def test_a_clip_and_its_reverse_change_in_opposite_ways(network: DualEncoder) -> None:
    space = network.actions
    assert space is not None
    features = torch.randn(2, 6, SHAPE_FEATURES, generator=torch.Generator().manual_seed(0))
    frames = space.frames(features)
    (_, change), (_, backward) = (
        space.pool(order).chunk(2, dim=1) for order in (frames, frames.flip(1))
    )
    torch.testing.assert_close(change, -backward, atol=1e-5, rtol=1e-4)
    assert change.norm(dim=1).min() > 0.01
    # By arithmetic: frames -5 to 5 half seconds from the middle, on both sides 9 in all.
    late = torch.tensor([-5.0, -3, -1, 1, 3, 5])[:, None]
    torch.testing.assert_close(change, (2 * frames * late).sum(dim=1) / 18, atol=1e-5, rtol=1e-4)
    _, stands = space.pool(frames[:, :1].expand(-1, 6, -1)).chunk(2, dim=1)
    assert stands.abs().max() < 1e-5 and space.pool(frames[:, :1])[:, 8:].abs().max() == 0
    # What is masked is not seen, and keeps its place in time.
    mask = torch.tensor([[1, 1, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1]], dtype=torch.bool)
    noisy = torch.where(mask[..., None], frames, 99.0)
    torch.testing.assert_close(space.pool(noisy, mask), space.pool(frames * mask[..., None], mask))


def test_texts_are_read_alike_in_any_company(network: DualEncoder) -> None:
    encoder = Encoder(network, CONFIG, "cpu")
    together = encoder.texts([*TEXTS, "a much longer text " * 5])
    alone = torch.cat([encoder.texts([text]) for text in TEXTS])
    torch.testing.assert_close(together[:3], alone, atol=1e-5, rtol=1e-4)
    assert encoder.texts(TEXTS, head=False).shape == (3, 16)


def test_checkpoint_keeps_the_space(network: DualEncoder, tmp_path) -> None:
    save_folder(tmp_path / "model", CONFIG, network.state_dict())
    config, model, _, _ = load_folder(tmp_path / "model")
    assert config == CONFIG and config.to_dict()["actions"]["width"] == 8
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in network.state_dict().items())
    assert "actions" not in PLAIN.to_dict() and ModelConfig.from_dict(PLAIN.to_dict()) == PLAIN


@pytest.mark.parametrize(
    "change, message",
    [
        ({"shape": None}, "actions: needs a shape stream"),
        ({"towers": TowersConfig(model=TOWERS, text=False)}, "actions: needs a shape stream"),
        ({"temporal": TemporalConfig(kind="mean")}, "and a temporal transformer"),
        ({"actions": {"width": 9, "heads": 2}}, "multiple of the 2 heads"),
    ],
)
def test_a_space_that_can_not_be_is_refused(change: dict, message: str) -> None:
    config = {**CONFIG.to_dict()}
    for name, value in change.items():
        if value is None:
            del config[name]
        else:
            config[name] = value if isinstance(value, dict) else dataclasses.asdict(value)
    with pytest.raises(CheckpointError, match=message):
        ModelConfig.from_dict(config)


@torch.no_grad()
def test_all_texts_get_the_same_level() -> None:
    torch.manual_seed(0)
    space = DualEncoder(CONFIG).actions
    assert space is not None
    clips = torch.randn(4000, space.size)
    clips[:, 0] += 2  # what most have in common, and differ in as well
    clips[:, 1] = 1 + 0.1 * torch.rand(4000)  # what they hardly differ in
    clips = torch.nn.functional.normalize(clips, dim=1)
    texts = torch.nn.functional.normalize(torch.randn(20, space.size), dim=1)
    torch.testing.assert_close(space.leveled(texts), texts)  # nothing was measured yet
    space.set_level(clips, 0.1)
    leveled = space.leveled(texts)
    torch.testing.assert_close(leveled.norm(dim=1), torch.ones(20))
    before, after = clips @ texts.T, clips @ leveled.T
    assert before.mean(dim=0).std() > 0.05
    torch.testing.assert_close(after.mean(dim=0), torch.full((20,), 0.1), atol=0.03, rtol=0)
    # Which clip a text fits better stays.
    for one, two in zip(before.T, after.T, strict=True):
        assert np.corrcoef(one, two)[0, 1] > 0.97
