"""Named baselines, with small weights of the same layout behind the same addresses."""

from __future__ import annotations

import dataclasses

import open_clip
import pytest
import torch
from safetensors.torch import save

from emoclip_sdk.checkpoints import BASELINES, load
from emoclip_sdk.config import TowersConfig
from emoclip_sdk.errors import HubError
from emoclip_sdk.nn import FrameEnsemble, Towers

from .conftest import TINY_CLIP, Repo

ON_HUB = ["clip-vit-b-32", "clip-vit-b-32-openai"]


@pytest.fixture
def clip():
    torch.manual_seed(2)
    return open_clip.CLIP(**TINY_CLIP, quick_gelu=True).eval()


@pytest.fixture
def served(hub, clip, monkeypatch, tmp_path):
    """Serve tiny weights at each baseline's own place."""
    for name, baseline in BASELINES.items():
        towers = TowersConfig(model=TINY_CLIP, quick_gelu=baseline.towers.quick_gelu)
        url = baseline.url and f"{hub.url}/release/farl.pth"
        small = dataclasses.replace(baseline, towers=towers, url=url)
        monkeypatch.setitem(BASELINES, name, small)
        if baseline.repo:
            hub.repos[baseline.repo] = Repo(
                {"open_clip_model.safetensors": save(clip.state_dict())}
            )
    # FaRL's release: nested, with the head of its masked-image task
    extra = {"visual.mask_token": torch.zeros(64)}
    torch.save({"state_dict": {**clip.state_dict(), **extra}}, tmp_path / "farl.pth")
    hub.lfs["farl.pth"] = (tmp_path / "farl.pth").read_bytes()
    return hub


@torch.no_grad()
@pytest.mark.parametrize("name", list(BASELINES))
def test_a_baseline_averages_its_frames(served, clip, name):
    config, model, prompts = load(name)[:3]
    assert isinstance(model.temporal, FrameEnsemble)
    assert prompts is None
    assert config.info["name"] == name
    assert config.prompts.labels[:3] == ("anger", "disgust", "fear")
    assert torch.equal(model.logit_scale, clip.logit_scale)
    clips = torch.randn(2, 3, 3, 32, 32)
    expected = torch.stack([clip.encode_image(frames).mean(0) for frames in clips])
    torch.testing.assert_close(model.encode_video(clips), expected)
    tokens = torch.randint(1, 99, (2, 77))
    tokens[:, 9] = 99
    torch.testing.assert_close(
        model.encode_tokens(tokens), clip.encode_text(tokens), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_baseline_is_downloaded_once(served, name):
    load(name)
    served.shutdown()
    served.server_close()
    load(name)
    load(name, local_files_only=True)
    assert load(name, dtype=torch.bfloat16).model.logit_scale.dtype == torch.bfloat16


@pytest.mark.parametrize("name", list(BASELINES))
def test_offline(served, name):
    with pytest.raises(HubError, match="local_files_only"):
        load(name, local_files_only=True)
    served.shutdown()
    served.server_close()
    with pytest.raises(HubError, match="embedded model"):
        load(name)


def test_offline_is_noticed_at_once(served):
    served.shutdown()
    served.server_close()
    with pytest.raises(HubError, match="can't be reached"):
        load("clip-vit-b-32")
    # a single attempt: waiting for a network that is not there helps nobody
    assert not served.pauses


@pytest.mark.parametrize("name", ON_HUB)
def test_weights_missing_or_cut_short_on_the_hub(served, name):
    files = served.repos[BASELINES[name].repo].files
    data = files.pop("open_clip_model.safetensors")
    with pytest.raises(HubError, match=r"open_clip_model\.safetensors"):
        load(name)
    files["open_clip_model.safetensors"] = data[: len(data) // 2]
    served.repos[BASELINES[name].repo].revisions["main"] = "e" * 40  # a new commit
    with pytest.raises(HubError, match="broken"):
        load(name)


def test_broken_release_file_is_not_kept(served, tmp_path):
    whole = served.lfs["farl.pth"]
    served.lfs["farl.pth"] = whole[: len(whole) // 2]
    with pytest.raises(HubError, match=r"farl-vit-b-16.*broken.*try again"):
        load("farl-vit-b-16", cache_dir=tmp_path / "mine")
    served.lfs["farl.pth"] = whole
    load("farl-vit-b-16", cache_dir=tmp_path / "mine")
    left = [path.name for path in (tmp_path / "mine").rglob("*") if path.is_file()]
    assert left == ["farl.pth"]


def test_addresses_and_activations_agree_with_open_clip():
    tags = {
        "clip-vit-b-32": ("ViT-B-32", "laion400m_e32"),
        "clip-vit-b-32-openai": ("ViT-B-32", "openai"),
        "clip-vit-b-16-openai": ("ViT-B-16", "openai"),
        "clip-vit-l-14-openai": ("ViT-L-14", "openai"),
    }
    assert set(tags) == {name for name, baseline in BASELINES.items() if baseline.repo}
    for name, (model, tag) in tags.items():
        known = open_clip.get_pretrained_cfg(model, tag)
        assert BASELINES[name].towers.name == model
        assert known["hf_hub"].strip("/") == BASELINES[name].repo
        assert known["quick_gelu"] is BASELINES[name].towers.quick_gelu is True
    with torch.device("meta"):
        sizes = {n: Towers(b.towers) for n, b in BASELINES.items()}
    assert sum(p.numel() for p in sizes["clip-vit-b-32"].parameters()) == 151_277_312
    # As the docs and the titles have them: 87.8 and 304 million in the image towers.
    count = {n: sum(p.numel() for p in t.visual.parameters()) for n, t in sizes.items()}
    assert count["clip-vit-l-14-openai"] == pytest.approx(
        3.5 * count["clip-vit-b-32-openai"], rel=0.02
    )
    assert sizes["clip-vit-l-14-openai"].width == 768
    assert sizes["farl-vit-b-16"].visual.conv1.weight.shape == (768, 3, 16, 16)
