"""A model folder from a stranger: one of our errors that names the file, or a model that works."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emoclip_sdk.errors import CheckpointError, EmoCLIPError, PromptError

from .damaged_checkpoints import load_damaged, scores

LIES = (None, -1, 0, 1e308, float("nan"), 10**400, "x", [], {}, [1], True, "../../etc/passwd")


@pytest.fixture
def folder(tiny_checkpoint, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "model"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a checkpoint reached for the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


def change(folder: Path, *keys: str, value: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    place = config
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("room", ["sampling", "faces", "image", "prompts", "calibration"])
def test_no_value_of_the_configuration_is_taken_on_trust(folder, room) -> None:
    whole = (folder / "config.json").read_text()
    for key in json.loads(whole)[room]:
        for lie in LIES:
            (folder / "config.json").write_text(whole)
            change(folder, room, key, value=lie)
            try:
                assert np.isfinite(scores(folder)).all(), (key, lie)
            except CheckpointError as error:
                assert f"{room}.{key}" in str(error) or room in str(error)
            except EmoCLIPError:
                assert key == "labels" and lie == [], "a model without labels"


def test_a_wrong_value_is_named(folder) -> None:
    change(folder, "image", "std", value=[0.2, 0.2])
    with pytest.raises(CheckpointError, match=r"config\.json: image\.std.*list of 3 float"):
        scores(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(folder, value) -> None:
    tensors = {name: t.clone() for name, t in load_file(folder / "model.safetensors").items()}
    for name in ("logit_scale", "temporal.cls_token", "towers.visual.proj"):
        bad = copy.deepcopy(tensors)
        bad[name].view(-1)[0] = value
        save_file(bad, folder / "model.safetensors")
        with pytest.raises(CheckpointError, match=rf"model\.safetensors: {name}.*NaN"):
            scores(folder)


def test_complex_weights(folder) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["temporal.cls_token"] = tensors["temporal.cls_token"].to(torch.complex64)
    try:
        save_file(tensors, folder / "model.safetensors")
    except KeyError:
        pytest.skip("safetensors before 0.7 can't write them")
    with pytest.raises(CheckpointError, match="temporal.cls_token"):
        scores(folder)


def test_damaged_weights(tiny_checkpoint, tmp_path) -> None:
    found, wrong = load_damaged(tiny_checkpoint, tmp_path, 60)
    assert not wrong
    assert sum(found.values()) == 60
    assert found["refused"] > 40


@pytest.mark.parametrize(
    "towers",
    [
        lambda model: model["text_cfg"].update(hf_model_name="somebody/model"),
        lambda model: model["text_cfg"].update(hf_tokenizer_name="somebody/tokenizer"),
        lambda model: model["text_cfg"].update(
            hf_tokenizer_name="x/y", tokenizer_kwargs={"trust_remote_code": True}
        ),
        lambda model: model["vision_cfg"].update(timm_model_name="hf-hub:somebody/model"),
        lambda model: model["vision_cfg"].update(timm_model_name="local-dir:/tmp"),
    ],
)
def test_a_checkpoint_refers_to_nothing_outside(folder, towers: Callable[[Any], None]) -> None:
    config = json.loads((folder / "config.json").read_text())
    towers(config["towers"]["model"])
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="may not refer"):
        scores(folder)


@pytest.mark.parametrize("name", ["hf-hub:somebody/model", "local-dir:/tmp", "../../x"])
def test_an_architecture_is_a_plain_name(folder, name) -> None:
    change(folder, "towers", value={"name": name})
    with pytest.raises(CheckpointError, match="may not refer"):
        scores(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_json_without_end(folder, text) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match="config.json: not readable"):
        scores(folder)


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x]\n"
        + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(12)),
        "a: " + "[" * 20_000,
        "a: &a [*a]\n",
        "!!python/object/apply:os.system ['true']\n",
    ],
)
def test_prompt_files_that_explode(folder, text) -> None:
    (folder / "prompts.yaml").write_text(text)
    with pytest.raises(PromptError, match="prompts.yaml"):
        scores(folder)
