"""Tensors that don't fit a network, and files that hold none."""

from __future__ import annotations

import os

import pytest
import torch
from safetensors.torch import load_file, save_file

from emoclip_sdk.checkpoints import load_folder, save_folder
from emoclip_sdk.errors import CheckpointError

WEIGHTS = "model.safetensors"


def change(folder, edit):
    """Write the tensors of a folder again after `edit` had its way with them."""
    tensors = {name: tensor.clone() for name, tensor in load_file(folder / WEIGHTS).items()}
    edit(tensors)
    save_file(tensors, folder / WEIGHTS)


def test_values_beyond_half_precision_are_refused(tmp_path, config, model):
    state = model.state_dict()
    state["towers.visual.proj"] = state["towers.visual.proj"] + 1e6
    with pytest.raises(CheckpointError, match=r"towers\.visual\.proj.*float16"):
        save_folder(tmp_path / "half", config, state, dtype=torch.float16)


def test_missing_tensor_is_named(folder):
    change(folder, lambda tensors: tensors.pop("temporal.cls_token"))
    with pytest.raises(
        CheckpointError, match=r"model\.safetensors.*1 missing: temporal\.cls_token"
    ):
        load_folder(folder)


def test_unexpected_tensor_is_named(folder):
    change(folder, lambda tensors: tensors.update({"head.weight": torch.zeros(3)}))
    with pytest.raises(CheckpointError, match=r"1 unexpected: head\.weight"):
        load_folder(folder)


def test_wrong_shape_is_named(folder):
    change(folder, lambda tensors: tensors.update({"temporal.cls_token": torch.zeros(31)}))
    with pytest.raises(
        CheckpointError, match=r"temporal\.cls_token is \(31\) and should be \(32\)"
    ):
        load_folder(folder)


def test_wrong_kind_is_named(folder):
    whole = torch.zeros(32, dtype=torch.int64)
    change(folder, lambda tensors: tensors.update({"temporal.cls_token": whole}))
    with pytest.raises(CheckpointError, match=r"temporal\.cls_token is torch\.int64"):
        load_folder(folder)


def test_many_problems_are_counted(folder):
    def edit(tensors):
        for name in [n for n in tensors if n.startswith("towers.text")]:
            del tensors[name]

    change(folder, edit)
    with pytest.raises(CheckpointError, match=r"17 missing: .* and 12 more"):
        load_folder(folder)


@pytest.mark.parametrize("keep", [0, 5, 1000, -1])
def test_cut_short_weights(folder, keep):
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[:keep])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: broken or cut short.*again"):
        load_folder(folder)


def test_random_bytes_and_lfs_pointers(folder):
    (folder / WEIGHTS).write_bytes(os.urandom(4096))
    with pytest.raises(CheckpointError, match="broken or cut short"):
        load_folder(folder)
    (folder / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(CheckpointError, match="git lfs pull"):
        load_folder(folder)
