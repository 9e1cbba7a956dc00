"""Pictures drawn by code, a teacher that is a bag of words, and a recipe of tiny towers."""

from __future__ import annotations

import copy
import functools
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES
from emoclip_sdk.training.engine.recipe import load_recipe

WIDTH = 64
FILLERS = {"with", "face", "person", "that", "someone", "shows", "there", "picture", "subject"}


@functools.cache
def _vector(word: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(WIDTH)


def word_teacher(texts: list[str]) -> np.ndarray:
    """A bag of words with a fixed random vector per word."""
    out = []
    for text in texts:
        words = "".join(c if c.isalpha() else " " for c in text.lower()).split()
        words = [w for w in words if len(w) > 3 and w not in FILLERS] or ["."]
        mean = np.mean([_vector(word) for word in words], axis=0)
        out.append(mean / np.linalg.norm(mean))
    return np.asarray(out, np.float32)


def write_pictures(path: Path) -> Path:
    """Four classes of FER+, each a bright bar at its own height: flips leave it alone."""
    rng = np.random.default_rng(0)
    n = 640
    labels = 2 * (np.arange(n) % 4)
    images = rng.integers(0, 60, (n, 48, 48)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 12] = 220
    votes = np.zeros((n, 10), np.uint8)
    votes[np.arange(n), labels] = 10
    np.savez(
        path,
        images=images,
        votes=votes,
        columns=np.array([*FERPLUS_CLASSES, "unknown", "NF"]),
        split=np.array(["valid" if i >= 560 else "train" for i in range(n)]),
        duplicate=np.zeros(n, bool),
    )
    return path


def write_wordnet(folder: Path) -> Path:
    """Two words of WordNet."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.adj").write_text("00001740 00 s 01 glad 0 000 | showing joy\n")
    (folder / "data.noun").write_text("00001930 12 n 01 joy 0 000 | great happiness\n")
    (folder / "data.adv").write_text("")
    (folder / "data.verb").write_text("")
    return folder


def small_recipe(wordnet: Path) -> dict[str, Any]:
    """The recipe of the package with tiny towers; 14 steps of 64 texts, 28 of 40 pictures, 10."""
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
    recipe["model"]["shape"], recipe["captions"]["actions"] = None, 0  # the pictures show no faces
    recipe["model"]["actions"] = None
    recipe["model"]["temporal"].update(heads=2, dim_head=8, mlp_dim=32)
    recipe["model"]["image"]["size"] = 32
    recipe["captions"].update(pool=50, words=1.0, states=0.0)  # states: 20,000 texts to read
    text, images, temporal = recipe["text"], recipe["images"], recipe["temporal"]
    text.update(wordnet=str(wordnet), captions=1500, templated=200, epochs=3)
    text["optim"].update(batch_size=64, warmup=10, lr={"text_blocks": 3e-3, "text_rest": 3e-3})
    images.update(pretrained=None, sizes=[[32, 2]], text_noise=0.3)
    images["optim"].update(
        batch_size=40, warmup=5, average=0.9,
        lr={"visual": 3e-3, "text_head": 3e-3, "logit_scale": 3e-3},
    )  # fmt: skip
    recipe["shape"].update(steps=10, text_noise=0.3)
    recipe["shape"]["optim"].update(batch_size=64, warmup=5)
    temporal.update(views=1, steps=10, longest=8, text_noise=0.3)
    temporal["optim"].update(batch_size=64, warmup=5)
    recipe["actions"].update(steps=10, captions=300)
    recipe["heads"]["people"] = 2
    recipe["actions"]["optim"].update(batch_size=32, warmup=5)
    return recipe


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("ferplus") / "ferplus.npz")


@pytest.fixture(scope="session")
def _recipe(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return small_recipe(write_wordnet(tmp_path_factory.mktemp("wordnet")))


@pytest.fixture
def recipe(_recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr("emoclip_sdk.training.mini.stages.load_teacher", lambda name: word_teacher)
    return copy.deepcopy(_recipe)
