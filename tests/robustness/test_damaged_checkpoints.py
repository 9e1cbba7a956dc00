"""A model folder from a stranger: one of our errors that names the file, or a model that works."""

from __future__ import annotations

import copy
import json
import shutil
import time
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


ROOMS = ("sampling", "faces", "image", "prompts", "calibration", "temporal")


@pytest.mark.parametrize("room", ROOMS)
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


HUGE = (0, 31, 4096, 100_000, 10**19, 1e-6, "x", True, {"a": 1}, [1, 2, 3, 4], None)
TOWER_KEYS = {
    "vision_cfg": ("layers", "width", "patch_size", "image_size", "head_width", "mlp_ratio"),
    "text_cfg": ("context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio"),
}
ODD_KEYS = ("output_tokens", "norm_kwargs", "act_kwargs", "pool_type", "ls_init_value", "no_such")


@pytest.mark.parametrize("section", TOWER_KEYS)
def test_no_value_of_the_towers_is_taken_on_trust(folder, section) -> None:
    whole = (folder / "config.json").read_text()
    begun = time.monotonic()
    for key in (*TOWER_KEYS[section], *ODD_KEYS):
        for lie in HUGE:
            (folder / "config.json").write_text(whole)
            change(folder, "towers", "model", section, key, value=lie)
            try:
                assert np.isfinite(scores(folder)).all(), (key, lie)
            except CheckpointError as error:
                assert "config.json" in str(error) or "towers" in str(error)
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize(
    "keys, value, named",
    [
        (("temporal", "layers"), 150, "150 layers|asks for"),
        (("temporal", "mlp_dim"), 262_144, "temporal in config.json asks for"),
        (("towers", "model", "text_cfg", "vocab_size"), 9_000_000, "towers, text"),
        (("towers", "model", "vision_cfg", "width"), 16_384, "towers, image"),
        (("image", "size"), 31, "31 x 31"),
        (("image", "size"), 4096, "from 1 to 1024"),
        (("image", "std"), [1e-6] * 3, "image.std"),
        (("faces", "detect_size"), 16_000, "faces.detect_size"),
        (("faces", "margin"), 9, "faces.margin"),
        (("sampling", "rate"), 1000, "sampling.rate"),
        (("prompts", "labels"), ["joy"] * 20_000, "20000 labels"),
    ],
)
def test_what_a_configuration_asks_for_is_compared_with_the_file(
    folder, keys, value, named, monkeypatch
) -> None:
    def build(*_: Any) -> None:
        raise AssertionError("something was built")

    if value != 31:
        monkeypatch.setattr("emoclip_sdk.checkpoints.folder.DualEncoder", build)
    change(folder, *keys, value=value)
    with pytest.raises(CheckpointError, match=named):
        scores(folder)


@pytest.mark.parametrize(
    "name",
    ["roberta-ViT-B-32", "xlm-roberta-base-ViT-B-32", "mt5-base-ViT-B-32", "nllb-clip-base"],
)
def test_a_tower_that_is_described_on_the_hub(folder, name) -> None:
    change(folder, "towers", value={"name": name})
    with pytest.raises(CheckpointError, match="described on the Hub"):
        scores(folder)


def test_a_tokenizer_on_the_hub_is_taken_from_this_machine_only(tmp_path, monkeypatch) -> None:
    from emoclip_sdk.config import TowersConfig
    from emoclip_sdk.nn.tokenizer import build_tokenizer

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match="hf download"):
        build_tokenizer(TowersConfig(name="ViT-B-16-SigLIP"))


def doubling(n: int) -> str:
    rows = ["emotions:", "  joy: A smile", "  awe: An open mouth", "compounds:"]
    names = ["joy", "awe"]
    for i in range(n):
        rows.append(f"  a{i}: [{names[-2]}, {names[-1]}]")
        rows.append(f"  b{i}: {{parts: {{{names[-2]}: 2, {names[-1]}: 1}}}}")
        names += [f"a{i}", f"b{i}"]
    return "\n".join(rows)


def chain(n: int) -> str:
    rows = ["emotions:", "  joy: A smile", "  awe: An open mouth", "compounds:"]
    rows += [f"  c{i}: [awe, {f'c{i + 1}' if i < n - 1 else 'joy'}]" for i in range(n)]
    return "\n".join(rows)


def many_aliases(n: int) -> str:
    rows = ["emotions:", "  joy:", "    descriptions: A smile", "    aliases: &a"]
    rows += [f"      - alias {i}" for i in range(n)]
    rows += [f"  e{i}: {{descriptions: A smile, aliases: *a}}" for i in range(n)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    "text, message",
    [
        (doubling(28), r"prompts\.yaml:\d+: the compound 'a\d+' is nested"),
        (chain(1000), r"prompts\.yaml:\d+: compounds are nested more than 8"),
        (many_aliases(3000), r"prompts\.yaml:\d+: .*are too many"),
        (
            "emotions: {joy: A smile}\ncompounds: {x: {parts: {joy: 1.0e+308}}}",
            r":2: a weight must be",
        ),
        (
            "emotions: {joy: A smile}\ncompounds: {x: {parts: {joy: 1.0e-300}}}",
            r":2: a weight must be",
        ),
        ('emotions:\n  "a\\uD83D": A smile', r"prompts\.yaml:2"),
        ("joy: " + "smile " * 1000, r"prompts\.yaml:1: too much text"),
        ("joy: A smile\n" * 2**19, "bytes are too many"),
        ("\n".join(f"e{i}: A smile" for i in range(3000)), "3000 are too many"),
    ],
    ids=lambda value: value[:20],
)
def test_prompt_files_of_any_size_and_depth(tmp_path, text, message) -> None:
    from emoclip_sdk.prompts import PromptBank

    path = tmp_path / "prompts.yaml"
    path.write_text(text)
    begun = time.monotonic()
    with pytest.raises(PromptError, match=message):
        PromptBank.from_yaml(path)
    assert time.monotonic() - begun < 10
