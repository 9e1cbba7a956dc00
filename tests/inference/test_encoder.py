"""The network as it is run: folded, cast, and never stale."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from emoclip_sdk import EmoCLIP
from emoclip_sdk.config import (
    ImageConfig,
    ModelConfig,
    SamplingConfig,
    TemporalConfig,
    TowersConfig,
)
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.faces import center_crop
from emoclip_sdk.inference.devices import pick_device
from emoclip_sdk.inference.encoder import Encoder, runnable
from emoclip_sdk.nn import DualEncoder, preprocess
from emoclip_sdk.video import open_video

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}


@pytest.fixture
def network() -> DualEncoder:
    """A convolutional tower whose batch norms have something to fold."""
    torch.manual_seed(0)
    vision = {
        "timm_model_name": "tf_efficientnet_lite0",
        "timm_pool": "avg",
        "timm_proj": "linear",
        "image_size": 32,
    }
    towers = TowersConfig(model={"embed_dim": 16, "vision_cfg": vision, "text_cfg": TEXT})
    config = ModelConfig(towers, TemporalConfig(kind="mean"), image=ImageConfig(size=32))
    built = DualEncoder(config)
    for module in built.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, 0, 0.1)
    built.config = config
    return built


def _crops(n: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 32, 32, 3), dtype=torch.uint8, generator=generator)


def _plain(network: DualEncoder) -> torch.Tensor:
    with torch.no_grad():
        return network.eval().encode_frames(preprocess(_crops(), network.config.image))


def test_folded_tower_says_the_same_and_the_weights_stay(network: DualEncoder) -> None:
    expected = _plain(network)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    encoder = Encoder(network, network.config, "cpu", "float32")
    found = torch.from_numpy(encoder.frames(_crops().numpy()))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in encoder.visual.modules())
    after = encoder.network.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_a_batch_norm_of_something_else_is_not_folded() -> None:
    class Misleading(nn.Module):
        """Registers its batch norm after a convolution that it does not follow."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1, bias=False)
            self.norm = nn.BatchNorm2d(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(self.norm(x)).mean(dim=(2, 3))

    torch.manual_seed(0)
    tower = Misleading().eval()
    tower.norm.running_mean.normal_()
    tower.norm.running_var.uniform_(0.2, 4)
    x = torch.randn(2, 3, 8, 8)
    ready = runnable(tower, torch.float32, 8)
    torch.testing.assert_close(ready(x), tower(x))


def test_a_network_made_in_inference_mode_can_be_run(network: DualEncoder) -> None:
    with torch.inference_mode():
        made = DualEncoder(network.config)
        made.load_state_dict(network.state_dict())
    encoder = Encoder(made, network.config, "cpu", "float32")
    found = torch.from_numpy(encoder.frames(_crops().numpy()))
    torch.testing.assert_close(found, _plain(network), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("change", ["step", "load", "assign"])
def test_new_weights_take_effect(network: DualEncoder, change: str) -> None:
    # Fresh tensors, which nobody has written to: those that are assigned later are fresh, too.
    network.load_state_dict({k: v.clone() for k, v in network.state_dict().items()}, assign=True)
    encoder = Encoder(network, network.config, "cpu", "float32")
    old = encoder.frames(_crops().numpy())
    assert encoder.visual is encoder.visual  # folded once
    stem = "towers.visual.trunk.conv_stem.weight"
    if change == "step":
        with torch.no_grad():
            network.get_parameter(stem).mul_(1.5)
    else:
        state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        state[stem] = state[stem] * 1.5
        network.load_state_dict(state, assign=change == "assign")
    found = torch.from_numpy(encoder.frames(_crops().numpy()))
    assert abs(found.numpy() - old).max() > 1e-3
    torch.testing.assert_close(found, _plain(network), rtol=1e-3, atol=1e-3)


def test_the_precision_of_the_embedded_model_costs_nothing(embedded_model) -> None:
    """The bound that the documentation gives; bfloat16, which is faster, doesn't keep it."""
    portrait = Path(__file__).parents[2] / "examples" / "portrait.mp4"
    crops = np.stack([center_crop(f.rgb, 48) for f in open_video(portrait).sample(7)])
    exact = Encoder(embedded_model.encoder.network, embedded_model.config, "cpu", "float32")
    quick = Encoder(embedded_model.encoder.network, embedded_model.config, "cpu", "auto")
    a, b = (torch.from_numpy(e.frames(crops)) for e in (exact, quick))
    assert torch.cosine_similarity(a, b).min() >= 0.9999


@pytest.mark.slow
def test_compiled_tower_agrees_and_is_never_stale(tiny_model) -> None:
    import numpy as np

    crops = _crops(7).numpy()
    encoder = tiny_model.encoder
    tower = encoder.network.towers.visual
    for _ in range(2):
        plain = Encoder(encoder.network, tiny_model.config, "cpu", encoder.dtype).frames(crops)
        assert tiny_model.compile() is tiny_model
        assert isinstance(encoder.visual, torch._dynamo.OptimizedModule)
        np.testing.assert_allclose(encoder.frames(crops), plain, atol=0.02 * abs(plain).max())
        with torch.no_grad():
            tower.conv1.weight.mul_(1.5)


class _LittleMemory(nn.Module):
    """A tower on a card that holds `room` pictures."""

    def __init__(self, tower: nn.Module, room: int) -> None:
        super().__init__()
        self.tower, self.room = tower, room

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return self.tower(images)


def test_fewer_pictures_at_once_where_memory_does_not_suffice(network, caplog) -> None:
    encoder = Encoder(network, network.config, "cpu", "float32")
    crops = _crops(23).numpy()
    expected = encoder.frames(crops)
    clips = torch.randn(2, 5, 3, 32, 32)
    expected_clips = encoder.video(clips)
    encoder._visual = _LittleMemory(encoder.visual, 3)
    np.testing.assert_allclose(encoder.frames(crops), expected, atol=1e-5)
    torch.testing.assert_close(encoder.video(clips), expected_clips, atol=1e-5, rtol=1e-5)
    # It is learnt once: 23, 11, 5, 2, and no more than that for the clips.
    assert [r.args[0] for r in caplog.records] == [11, 5, 2]
    encoder._visual.room = 0
    with pytest.raises(EmoCLIPError, match="one picture at a time"):
        encoder.frames(crops)


@pytest.mark.parametrize("device", ["meta", "abacus", "mps:7"])
def test_a_device_that_is_not_there(device) -> None:
    with pytest.raises(EmoCLIPError, match=f"'{device}' can't be used here: .{{,240}}$"):
        pick_device(device)


@pytest.mark.parametrize(
    ("window", "filled"), [("wrap", [0, 1, 2, 0, 1]), ("inside", [0, 1, 2, 2, 2])]
)
def test_short_clips_are_seen_as_training_filled_them(
    tiny_model: EmoCLIP, window: str, filled: list[int]
) -> None:
    config = dataclasses.replace(
        tiny_model.config,
        sampling=SamplingConfig(n_frames=5, window=window),  # type: ignore[arg-type]
    )
    assert ModelConfig.from_dict(config.to_dict()) == config
    network = tiny_model.encoder.network
    encoder = Encoder(network, config, "cpu", "float32")
    frames = np.random.default_rng(0).standard_normal((6, encoder.width), dtype=np.float32)
    with torch.inference_mode():
        expected = network.pool(torch.from_numpy(frames[filled])[None])[0].numpy()
        longer = network.pool(torch.from_numpy(frames)[None])[0].numpy()
    pooled = encoder.pool(frames, [[0, 1, 2], list(range(6))])
    assert np.allclose(pooled, np.stack([expected, longer]), atol=1e-5)
    assert not np.allclose(pooled[0], tiny_model.encoder.pool(frames, [[0, 1, 2]])[0], atol=1e-3)
    shares = encoder.attention(frames, [[0, 1, 2], [4, -1]])
    assert [len(row) for row in shares] == [3, 2] and shares[1][1] == 0
    assert np.allclose([row.sum() for row in shares], 1)


def test_a_first_frame_without_a_face_does_not_spoil_padded_clips(embedded_model) -> None:
    """Gaps and padding stand on some row of the frames; NaN there must not get in."""
    encoder = embedded_model.encoder
    rng = np.random.default_rng(0)
    frames = rng.standard_normal((8, encoder.width)).astype(np.float32)
    windows = [[1, -1, 2, 3, 4], [5, 6], [7]]
    expected = encoder.pool(frames, windows)
    frames[0] = np.nan
    np.testing.assert_array_equal(encoder.pool(frames, windows), expected)
    assert np.isfinite(expected).all()
    alone = np.concatenate([encoder.pool(frames, [window]) for window in windows])
    np.testing.assert_allclose(alone, expected, atol=1e-5)
    shares = encoder.attention(frames, windows)
    assert all(np.isfinite(share).all() for share in shares)
