"""The whole recipe, end to end, on pictures drawn by code and a stand-in teacher."""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import write_ferplus
from safetensors.torch import save_file

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import CheckpointError, EmoCLIPError
from emoclip_sdk.training.data.ferplus import load_ferplus
from emoclip_sdk.training.engine.recipe import load_recipe
from emoclip_sdk.training.evaluation import evaluate_pictures
from emoclip_sdk.training.mini import run as mini
from emoclip_sdk.training.mini.actions import MOVEMENTS, picture_keys

WIDTH = 64
SIDES = [(f"{part}Left", f"{part}Right") for part in ("mouth", "eyeLookIn", "eyeLookOut")]
FILLERS = {"with", "face", "person", "that", "someone", "shows", "there", "picture", "subject"}


def word_teacher(texts: list[str]) -> np.ndarray:
    """A bag of words with a fixed random vector per word."""
    out = []
    for text in texts:
        words = "".join(c if c.isalpha() else " " for c in text.lower()).split()
        words = [w for w in words if len(w) > 3 and w not in FILLERS] or ["."]
        vectors = [
            np.random.default_rng(zlib.crc32(w.encode())).standard_normal(WIDTH) for w in words
        ]
        mean = np.mean(vectors, axis=0)
        out.append(mean / np.linalg.norm(mean))
    return np.asarray(out, np.float32)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes, each a bright bar at its own height: flips leave it alone."""
    rng = np.random.default_rng(0)
    n = 640
    labels = 2 * (np.arange(n) % 4)
    images = rng.integers(0, 60, (n, 48, 48)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 12] = 220
    votes = np.zeros((n, 10), np.uint8)
    votes[np.arange(n), labels] = 10
    path = tmp_path_factory.mktemp("ferplus") / "ferplus.npz"
    split = ["valid" if i >= 560 else "train" for i in range(n)]
    return write_ferplus(path, votes, images=images, split=split)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    wordnet = tmp_path_factory.mktemp("wordnet")
    (wordnet / "data.adj").write_text("00001740 00 s 01 glad 0 000 | showing joy\n")
    (wordnet / "data.noun").write_text("00001930 12 n 01 joy 0 000 | great happiness\n")
    (wordnet / "data.adv").write_text("")
    (wordnet / "data.verb").write_text("")
    recipe = load_recipe("mini")
    towers = recipe["model"]["towers"]
    towers["model"] = {
        "embed_dim": WIDTH,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 8,
                       "head_width": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2,
                     "layers": 1},
    }  # fmt: skip
    towers["text_head_hidden"] = 16
    recipe["model"]["temporal"].update(heads=2, dim_head=8, mlp_dim=32)
    recipe["model"]["image"]["size"] = 32
    recipe["captions"].update(pool=50, words=1.0)
    recipe["text"].update(
        wordnet=str(wordnet), captions=1500, templated=200, epochs=3, batch_size=64, warmup=10,
        lr=3e-3,
    )  # fmt: skip
    recipe["images"].update(
        pretrained=None,
        sizes=[[32, 2]],
        batch_size=40,
        warmup=5,
        ema=0.9,
        compile=False,
        lr=3e-3,
        text_noise=0.3,
    )
    recipe["temporal"].update(
        views=1, steps=10, warmup=5, batch_size=64, longest=8, text_noise=0.3, balance=0.0
    )
    return recipe


def test_recipe_makes_a_model_and_resumes(
    dataset: Path,
    recipe: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mini, "load_teacher", lambda: word_teacher)
    torch.set_num_threads(2)
    run = mini.MiniRecipe(recipe, "ferplus", dataset, tmp_path / "run")
    figures = mini.export(run, tmp_path / "model")
    assert {p.name for p in (tmp_path / "run").iterdir()} >= {
        "recipe.yaml", "text.safetensors", "images.safetensors", "network.safetensors",
    }  # fmt: skip
    assert figures["FER+ valid, 8 classes, prompts: bank"]["n"] == 80

    model = EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")
    found = evaluate_pictures(model, load_ferplus(dataset, "valid"), "words")
    assert found["war"] == pytest.approx(
        figures["FER+ valid, 8 classes, prompts: words"]["WAR"], abs=1e-4
    )
    card = (tmp_path / "model" / "README.md").read_text()
    assert "FER2013" in card and "WordNet" in card
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["info"]["name"] == "emoclip-mini"

    # Finished stages are not done again: the second run needs no teacher.
    monkeypatch.setattr(mini, "load_teacher", lambda: pytest.fail("stage was run again"))
    again = mini.MiniRecipe(recipe, "ferplus", dataset, tmp_path / "run").network().state_dict()
    for key, value in run.network().state_dict().items():
        assert torch.equal(value, again[key]), key


def test_goes_on_from_weights_with_captions_of_measured_actions(
    dataset: Path, recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mini, "load_teacher", lambda: word_teacher)
    train = load_ferplus(dataset, "train").images
    names = sorted({part for parts in (*MOVEMENTS.values(), *SIDES) for part in parts})
    scores = np.random.default_rng(0).random((len(train), len(names)), np.float32)
    np.savez(
        tmp_path / "actions.npz",
        pictures=picture_keys(train),
        scores=scores,
        found=np.ones(len(train), bool),
        names=names,
    )
    recipe = copy.deepcopy(recipe)
    recipe["images"].update(sizes=[[32, 1]], lr=0.0, pretrained=str(tmp_path / "whole.safetensors"))
    recipe["images"].update(texts="student", mixup=0.4)
    recipe["captions"]["measured"].update(file=str(tmp_path / "actions.npz"), sentences=30)
    run = mini.MiniRecipe(recipe, "ferplus", dataset, tmp_path / "run")
    torch.manual_seed(1)
    given = {key: torch.rand_like(v) for key, v in run.new_network().state_dict().items()}
    given["logit_scale"] = torch.tensor(2.0)
    save_file(given, tmp_path / "whole.safetensors")

    run.text()
    tokenize, read = run.tokenize, []

    def reading(texts: Sequence[str]) -> torch.Tensor:
        read.append(len(texts))
        return tokenize(texts)

    monkeypatch.setattr(run, "tokenize", reading)
    found = run.images()
    assert "logit_scale" in found and any(key.startswith("towers.visual.") for key in found)
    for key, value in found.items():
        torch.testing.assert_close(value, given[key].cpu())
    assert {8 * 50, 30} <= set(read), "captions of votes, and of measured actions"

    (tmp_path / "run/images.safetensors").unlink()
    recipe["images"]["texts"] = "both"
    with pytest.raises(EmoCLIPError, match=r"images\.texts is 'both'"):
        run.images()
    recipe["images"]["texts"] = "student"
    save_file({"logit_scale": given["logit_scale"]}, tmp_path / "whole.safetensors")
    with pytest.raises(CheckpointError, match=r"whole\.safetensors: the recipe's model has"):
        run.images()


def test_trains_on_clips_with_captions_of_their_own(
    recipe: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from PIL import Image

    rng = np.random.default_rng(1)
    sentences = ("eyes wide open", "a broad smile", "brows pulled down", "a dropped jaw")
    lines = ["path,caption,split"]
    for i in range(72):
        folder = tmp_path / f"clip{i}"
        folder.mkdir()
        for t in range(1 + i % 3):  # pictures and clips
            picture = rng.integers(0, 60, (48, 48)).astype(np.uint8)
            picture[12 * (i % 4) : 12 * (i % 4) + 12] = 220
            Image.fromarray(picture).save(folder / f"{t}.png")
        split = "valid" if i >= 60 else "train"
        lines.append(f"clip{i},{sentences[i % 4]},{split}")
    lines.append("gone,never read,train")
    table = tmp_path / "manifest.csv"
    table.write_text("\n".join(lines))

    monkeypatch.setattr(mini, "load_teacher", lambda: word_teacher)
    recipe = copy.deepcopy(recipe)
    recipe["model"]["faces"]["detector"] = "none"
    recipe["images"].update(sizes=[[32, 2]], batch_size=30)
    run = mini.MiniRecipe(recipe, "manifest", table, tmp_path / "run")
    figures = mini.export(run, tmp_path / "model")["caption retrieval, validation split"]
    assert figures["captions"] == 4
    assert 0 <= figures["recall@1"] <= 1
    assert "gone: no such file" in caplog.text
    EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")
