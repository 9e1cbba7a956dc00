"""On a GPU the network says what it says on a processor, in the precision chosen by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from emoclip_sdk.config import ImageConfig, ModelConfig, TemporalConfig, TowersConfig
from emoclip_sdk.inference.encoder import Encoder
from emoclip_sdk.nn import DualEncoder

pytestmark = pytest.mark.gpu

CONVOLUTIONAL = {
    "embed_dim": 64,
    "vision_cfg": {
        "timm_model_name": "tf_efficientnet_lite0",
        "timm_pool": "avg",
        "timm_proj": "linear",
        "image_size": 96,
    },
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1},
}


@pytest.mark.parametrize(
    ("towers", "size", "dtype"),
    [
        (TowersConfig(name="ViT-B-32", quick_gelu=True), 224, torch.bfloat16),
        (TowersConfig(model=CONVOLUTIONAL), 96, torch.float16),
    ],
)
def test_as_on_the_processor(towers: TowersConfig, size: int, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    config = ModelConfig(towers, TemporalConfig(layers=2, heads=2), image=ImageConfig(size=size))
    network = DualEncoder(config).eval()
    state = network.state_dict()
    exact = Encoder(network, config, "cpu", "float32")
    again = DualEncoder(config)
    again.load_state_dict(state)
    quick = Encoder(again, config, "cuda")
    assert quick.dtype == dtype

    crops = np.random.default_rng(0).integers(0, 256, (70, 64, 64, 3), dtype=np.uint8)
    windows = [[0, 1, 2, -1], [5], list(range(30, 62))]
    texts = ["a face with raised eyebrows", "disgust"]
    pairs = {
        "frames": (exact.frames(crops), quick.frames(crops)),
        "clips": (
            exact.pool(exact.frames(crops), windows),
            quick.pool(quick.frames(crops), windows),
        ),
        "texts": (exact.texts(texts).numpy(), quick.texts(texts).cpu().numpy()),
    }
    for name, (expected, actual) in pairs.items():
        cosine = F.cosine_similarity(torch.from_numpy(expected), torch.from_numpy(actual))
        assert cosine.min() >= 0.999, name
