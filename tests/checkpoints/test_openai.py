"""Weights in the layout of OpenAI's CLIP, FaRL's included, and files that are refused."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from emoclip_sdk.checkpoints import convert, encoder_state_from_openai, load_folder
from emoclip_sdk.errors import CheckpointError

from .reference import JOINT, SIDE, WIDTH, clip_state, direct_frames, downstream_file, rand, saved


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


@pytest.fixture
def clips():
    return torch.randn(2, 5, 3, SIDE, SIDE)


@torch.no_grad()
@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch.jit is on its way out
@pytest.mark.parametrize("form", ["pickle", "safetensors", "torchscript"])
def test_openai_clip_in_every_form(tmp_path, clips, form):
    state = clip_state()
    if form == "pickle":
        file = saved(tmp_path / "clip.pt", state)
    elif form == "safetensors":
        file = tmp_path / "clip.safetensors"
        save_file(state, file)
    else:
        file = tmp_path / "ViT.pt"
        holder = torch.jit.script(Archive(state))
        holder.save(str(file))
    config = convert(file, tmp_path / "out", "openai-clip")
    model = load_folder(tmp_path / "out").model
    assert config.temporal.kind == "mean"
    assert config.towers.quick_gelu
    frames = direct_frames(state, clips.flatten(0, 1), "visual.").reshape(2, 5, JOINT)
    torch.testing.assert_close(model.encode_video(clips), frames.mean(1), atol=1e-5, rtol=1e-5)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    torch.testing.assert_close(
        model.encode_video(clips, mask)[1], frames[1, :2].mean(0), atol=1e-5, rtol=1e-5
    )
    assert model.logit_scale.item() == pytest.approx(4.5)


class Archive(torch.nn.Module):
    """A module that holds tensors under CLIP's dotted names, as OpenAI's archives do."""

    def __init__(self, state):
        super().__init__()
        for name, tensor in state.items():
            *path, last = name.split(".")
            owner = self
            for part in path:
                if part not in owner._modules:
                    owner.add_module(part, Empty())
                owner = owner._modules[part]
            owner.register_parameter(last, torch.nn.Parameter(tensor))
        for name in ("input_resolution", "context_length", "vocab_size"):
            self.register_buffer(name, torch.tensor(77))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Empty(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_half_precision_stays_exact(tmp_path):
    state = {n: t.half() if t.ndim > 1 else t for n, t in clip_state().items()}
    convert(saved(tmp_path / "clip.pt", state), tmp_path / "out", "openai-clip")
    kept = load_folder(tmp_path / "out").model.state_dict()
    assert kept["towers.visual.proj"].dtype == torch.float16
    assert torch.equal(kept["towers.visual.proj"], state["visual.proj"])
    model = load_folder(tmp_path / "out", dtype=torch.float32).model
    model.encode_video(torch.randn(1, 2, 3, SIDE, SIDE))


@torch.no_grad()
def test_farl(tmp_path, clips):
    state = clip_state()
    extra = {"visual.mask_token": rand(WIDTH), "visual.lm_head.weight": rand(30, WIDTH)}
    file = saved(tmp_path / "farl.pth", {**state, **extra}, nested="state_dict")
    config = convert(file, tmp_path / "out", "farl")
    assert config.info["left_out"] == sorted(extra)
    frames = direct_frames(state, clips[:, 0], "visual.")
    model = load_folder(tmp_path / "out").model
    torch.testing.assert_close(model.encode_frames(clips[:, 0]), frames, atol=1e-5, rtol=1e-5)
    with pytest.raises(CheckpointError, match=r"unknown tensors: visual\.lm_head\.weight"):
        convert(file, tmp_path / "out2", "openai-clip")


def test_a_resnet_is_refused(tmp_path):
    state = {**clip_state(), "visual.layer1.0.conv1.weight": rand(4, 4, 1, 1)}
    with pytest.raises(CheckpointError, match="ResNet"):
        encoder_state_from_openai(state)


class Harmful:
    def __reduce__(self):
        return (print, ("code ran",))


def test_pickled_code_does_not_run(tmp_path, capsys):
    file = tmp_path / "a.pth"
    torch.save({**downstream_file(), "x": Harmful()}, file)
    with pytest.raises(CheckpointError, match=r"a\.pth.*could run any code"):
        convert(file, tmp_path / "out", "emoclip")
    assert "code ran" not in capsys.readouterr().out


def test_files_that_are_no_state_dict(tmp_path):
    file = tmp_path / "a.pth"
    with pytest.raises(CheckpointError, match="no such file"):
        convert(file, tmp_path / "out", "emoclip")
    torch.save([torch.zeros(1)], file)
    with pytest.raises(CheckpointError, match="expected a state dict, found list"):
        convert(file, tmp_path / "out", "emoclip")
    torch.save({"epoch": 3}, file)
    with pytest.raises(CheckpointError, match="no tensors: epoch"):
        convert(file, tmp_path / "out", "emoclip")
    torch.save({"weight": torch.zeros(1)}, file)
    with pytest.raises(CheckpointError, match=r"visual\.conv1\.weight is missing.*begins with"):
        convert(file, tmp_path / "out", "farl")
    data = saved(file, downstream_file()).read_bytes()
    for broken in (data[: len(data) // 2], b"", b"<html>not found</html>"):
        file.write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"a\.pth: broken"):
            convert(file, tmp_path / "out", "emoclip")
