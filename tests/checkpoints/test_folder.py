"""Checkpoint folders: bit-exact round trips, and refusals that name what is wrong."""

from __future__ import annotations

import dataclasses
import json
import stat

import pytest
import torch

from emoclip_sdk.checkpoints import build_encoder, load_folder, save_folder
from emoclip_sdk.checkpoints import folder as folder_module
from emoclip_sdk.config import ModelConfig, TowersConfig
from emoclip_sdk.errors import CheckpointError
from emoclip_sdk.nn import DualEncoder

WEIGHTS = "model.safetensors"


def test_round_trip_is_bit_exact(folder, config, model):
    loaded_config, loaded, prompts = load_folder(folder)[:3]
    assert loaded_config == config
    assert prompts == folder / "prompts.yaml"
    assert not loaded.training
    state = loaded.state_dict()
    assert list(state) == list(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert state[name].dtype == tensor.dtype, name
        assert torch.equal(state[name], tensor), name
    clips = torch.randn(2, 3, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(loaded.encode_video(clips), model.encode_video(clips))


def test_saving_twice_gives_the_same_bytes(folder, tmp_path):
    config, model, _ = load_folder(folder)[:3]
    again = save_folder(tmp_path / "again", config, model.state_dict())
    for name in ("config.json", WEIGHTS, "README.md"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    assert {path.name for path in again.iterdir()} == {"config.json", WEIGHTS, "README.md"}


def test_saving_over_the_folder_it_was_loaded_from(folder):
    config, model, _ = load_folder(folder)[:3]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    save_folder(folder, config, model.state_dict())
    for name, tensor in load_folder(folder).model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert load_folder(folder).prompts is None


def test_files_can_be_read_by_others(folder):
    modes = {stat.S_IMODE((folder / name).stat().st_mode) for name in ("config.json", WEIGHTS)}
    assert len(modes) == 1


def test_loaded_weights_can_be_trained(folder):
    model = load_folder(folder).model.train()
    model.encode_video(torch.randn(1, 2, 3, 32, 32)).sum().backward()
    assert model.temporal.cls_token.grad is not None


def test_half_precision(tmp_path, config, model):
    path = save_folder(tmp_path / "half", config, model.state_dict(), dtype=torch.float16)
    kept = load_folder(path).model.state_dict()
    assert kept["temporal.layers.0.attention.qkv.weight"].dtype == torch.float16
    assert kept["logit_scale"].dtype == torch.float32
    assert torch.equal(kept["logit_scale"], model.logit_scale)
    cast = load_folder(path, dtype=torch.float32).model
    assert {p.dtype for p in cast.parameters()} == {torch.float32}
    exact = model.state_dict()["towers.visual.proj"].half().float()
    assert torch.equal(cast.state_dict()["towers.visual.proj"], exact)
    assert (path / WEIGHTS).stat().st_size < 0.55 * 4 * sum(p.numel() for p in model.parameters())


def test_unknown_format_version_is_refused(folder):
    data = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**data, "format_version": 99}))
    with pytest.raises(CheckpointError, match=r"config\.json: format_version is 99.*newer"):
        load_folder(folder)


def test_configuration_that_builds_nothing(folder):
    data = json.loads((folder / "config.json").read_text())
    data["towers"]["model"]["vision_cfg"]["depth"] = 3
    (folder / "config.json").write_text(json.dumps(data))
    with pytest.raises(CheckpointError, match=r"config\.json: towers: .*unknown key 'depth'"):
        load_folder(folder)


@pytest.mark.parametrize("name", ["config.json", WEIGHTS])
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"not a checkpoint folder, {name} missing"):
        load_folder(folder)


def test_not_a_folder(tmp_path, folder):
    with pytest.raises(CheckpointError, match="no such folder"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="pass the folder"):
        load_folder(folder / WEIGHTS)


def test_pickles_are_refused_with_a_hint(tmp_path):
    file = tmp_path / "emoclip.pth"
    torch.save({"a": torch.zeros(1)}, file)
    for path in (file, tmp_path):
        with pytest.raises(CheckpointError, match=r"emoclip convert .*emoclip\.pth OUT"):
            load_folder(path)


def test_a_state_of_another_configuration_is_not_saved(tmp_path, config, model):
    other = dataclasses.replace(config.temporal, mlp_dim=17)
    config = dataclasses.replace(config, temporal=other)
    with pytest.raises(CheckpointError, match=r"temporal\.layers\.0\.mlp\.1\.weight is \(16, 32\)"):
        save_folder(tmp_path / "new", config, model.state_dict())
    assert not (tmp_path / "new").exists()


def test_a_failed_save_leaves_the_old_checkpoint(folder, config, model, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(folder_module, "save_file", fail)
    with pytest.raises(CheckpointError, match="No space left"):
        save_folder(folder, config, model.state_dict())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_buffers_that_are_not_saved_are_computed():
    model = {
        "embed_dim": 32,
        "custom_text": True,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {"width": 64, "heads": 1, "layers": 1, "vocab_size": 100},
    }
    config = ModelConfig(TowersConfig(model=model))
    first = DualEncoder(config).eval()
    assert any(name not in first.state_dict() for name, _ in first.named_buffers())
    second = build_encoder(config, first.state_dict())
    assert not any(t.is_meta for t in (*second.parameters(), *second.buffers()))
    tokens = torch.randint(1, 99, (2, 77))
    torch.testing.assert_close(second.encode_tokens(tokens), first.encode_tokens(tokens))


def test_a_convolutional_tower_keeps_its_statistics(tmp_path):
    vision = {"timm_model_name": "tf_efficientnet_lite0", "timm_pool": "avg", "image_size": 64}
    text = {"width": 64, "heads": 1, "layers": 1, "vocab_size": 100}
    model = {"embed_dim": 32, "vision_cfg": vision, "text_cfg": text}
    config = ModelConfig(TowersConfig(model=model, text_head_hidden=8))
    first = DualEncoder(config)
    first.encode_frames(torch.randn(4, 3, 64, 64))  # moves the running statistics
    loaded = load_folder(save_folder(tmp_path, config, first.state_dict())).model.state_dict()
    for name, tensor in first.state_dict().items():
        assert torch.equal(loaded[name], tensor), name
