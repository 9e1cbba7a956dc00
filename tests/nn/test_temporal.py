"""The reference's temporal module, re-derived in plain tensor algebra, against ours."""

from __future__ import annotations

import math

import pytest
import torch

from emoclip_sdk.config import TemporalConfig
from emoclip_sdk.nn import FrameEnsemble, TemporalTransformer, build_temporal

SMALL = TemporalConfig(layers=3, heads=4, dim_head=5, mlp_dim=24, max_positions=20)


def layer_norm(x, weight, bias):
    centered = x - x.mean(-1, keepdim=True)
    return centered / (centered.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight + bias


def tanh_gelu(x):
    return x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def reference(state, frames, heads, mask=None):
    """Evaluate the temporal module from its tensors, one query, key and value at a time."""
    b, t, d = frames.shape
    x = torch.cat([state["cls_token"].reshape(1, 1, d).repeat(b, 1, 1), frames], dim=1)
    x = x + state["positions"][: t + 1]
    n_layers = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    for i in range(n_layers):
        p = {n.removeprefix(f"layers.{i}."): v for n, v in state.items() if f"layers.{i}." in n}
        y = layer_norm(x, p["attention.norm.weight"], p["attention.norm.bias"])
        # rows of qkv: three chunks, each "(h d)"
        rows = p["attention.qkv.weight"].reshape(3, heads, -1, d)
        q, k, v = torch.einsum("btd,jhed->jbhte", y, rows)
        logits = torch.einsum("bhie,bhje->bhij", q, k) * rows.shape[2] ** -0.5
        if mask is not None:
            hidden = ~torch.cat([torch.ones(b, 1, dtype=torch.bool), mask], dim=1)
            logits = logits.masked_fill(hidden[:, None, None], -torch.inf)
        weights = (logits - logits.amax(-1, keepdim=True)).exp()
        weights = weights / weights.sum(-1, keepdim=True)
        y = torch.einsum("bhij,bhje->bihe", weights, v).reshape(b, t + 1, -1)
        x = x + y @ p["attention.out.weight"].T + p["attention.out.bias"]
        y = layer_norm(x, p["mlp.0.weight"], p["mlp.0.bias"])
        y = tanh_gelu(y @ p["mlp.1.weight"].T + p["mlp.1.bias"])
        x = x + y @ p["mlp.3.weight"].T + p["mlp.3.bias"]
    return x[:, 0]


def random_module(width, config):
    torch.manual_seed(3)
    module = TemporalTransformer(width, config).eval()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "norm" in name or name.endswith(("mlp.0.weight", "mlp.0.bias")):
                parameter.add_(torch.randn_like(parameter) * 0.3)  # a norm that does something
    return module


@torch.no_grad()
def test_small_module_agrees_with_the_reference():
    module = random_module(12, SMALL)
    frames = torch.randn(4, 7, 12)
    expected = reference(module.state_dict(), frames, heads=4)
    torch.testing.assert_close(module(frames), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_full_size_module_agrees_with_the_reference():
    module = random_module(512, TemporalConfig())
    attention = 4 * 512 * 8 * 2048 + 512
    perceptron = 2 * (512 * 512 + 512)
    norms = 4 * 512
    positions_and_token = 1025 * 512
    expected = 2 * (attention + perceptron + norms) + positions_and_token
    assert sum(p.numel() for p in module.parameters()) == expected == 68_689_408  # "68.7 M"
    assert module.state_dict()["layers.0.attention.qkv.weight"].shape == (3 * 8 * 2048, 512)
    frames = torch.randn(2, 32, 512)
    expected = reference(module.state_dict(), frames, heads=8)
    torch.testing.assert_close(module(frames), expected, atol=1e-5, rtol=1e-5)
    mask = torch.ones(2, 32, dtype=torch.bool)
    mask[1, 20:] = False
    expected = reference(module.state_dict(), frames, heads=8, mask=mask)
    torch.testing.assert_close(module(frames, mask), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_padding_does_not_matter():
    module = random_module(12, SMALL)
    frames = torch.randn(2, 9, 12)
    mask = torch.zeros(2, 9, dtype=torch.bool)
    mask[0, :9] = True
    mask[1, :4] = True
    out = module(frames, mask)
    torch.testing.assert_close(
        out, reference(module.state_dict(), frames, heads=4, mask=mask), atol=1e-5, rtol=1e-5
    )
    other = frames.clone()
    other[1, 4:] = 1e3 * torch.randn(5, 12)
    torch.testing.assert_close(module(other, mask), out, atol=1e-6, rtol=1e-6)
    # and equals the clip without its padding
    torch.testing.assert_close(module(frames[1:, :4]), out[1:], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_order_of_frames_matters():
    module = random_module(12, SMALL)
    frames = torch.randn(1, 6, 12)
    assert (module(frames) - module(frames.flip(1))).abs().max() > 1e-2


def test_too_many_frames_are_refused():
    module = TemporalTransformer(12, SMALL)
    module(torch.zeros(1, 19, 12))
    with pytest.raises(ValueError, match="20 frames"):
        module(torch.zeros(1, 20, 12))


def test_frame_ensemble_is_the_mean_of_real_frames():
    pool = build_temporal(12, TemporalConfig(kind="mean"))
    assert isinstance(pool, FrameEnsemble)
    assert not list(pool.parameters())
    frames = torch.randn(2, 5, 12)
    torch.testing.assert_close(pool(frames), torch.einsum("btd->bd", frames) / 5)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    expected = torch.stack([frames[0].sum(0) / 5, (frames[1, 0] + frames[1, 1]) / 2])
    torch.testing.assert_close(pool(frames, mask), expected)
