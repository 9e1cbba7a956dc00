"""The recipe `mini` from end to end: text tower, image tower, temporal module, checkpoint folder."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..checkpoints import model_card, save_folder
from ..config import FORMAT_VERSION, ModelConfig
from ..model import EmoCLIP
from ..nn import DualEncoder, build_tokenizer, preprocess
from ..prompts import LabelEncoder, PromptBank
from ..scoring import cosine_similarities
from .contrastive import CaptionPool, train_images, train_temporal
from .distill import distill, load_teacher
from .evaluate import evaluate_pictures
from .ferplus import Pictures, load_ferplus
from .imagenet import load_efficientnet_lite0
from .metrics import recalls

__all__ = ["MiniRecipe", "export"]

log = logging.getLogger(__name__)


class MiniRecipe:
    """Three stages; each one leaves a file in the run folder and is skipped when it is there.

    Parameters
    ----------
    recipe : dict
        Content of ``recipes/mini.yaml``.
    root : str or Path
        ``ferplus.npz``.
    folder : Path
        Run folder.
    """

    def __init__(self, recipe: dict[str, Any], root: str | Path, folder: Path) -> None:
        self.recipe = recipe
        self.config = ModelConfig.from_dict(
            {"format_version": FORMAT_VERSION, **recipe["model"]}, where="recipe: model"
        )
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.train = load_ferplus(root, "train")
        self.valid = load_ferplus(root, "valid")
        self.tokenize = build_tokenizer(self.config.towers)
        self.seed: int = recipe["seed"]

    def record(self) -> None:
        """Keep the recipe as it is run, overrides included, beside its results."""
        text = yaml.safe_dump(self.recipe, sort_keys=False)
        (self.folder / "recipe.yaml").write_text(text, encoding="utf-8")

    def new_network(self) -> DualEncoder:
        """Build the network with this recipe's random start."""
        torch.manual_seed(self.seed)
        return DualEncoder(self.config)

    def text(self) -> dict[str, Tensor]:
        """Stage 1: return the distilled text transformer's weights."""
        path = self.folder / "text.safetensors"
        if not path.is_file():
            network = self.new_network()
            agreement = distill(
                network,
                self.tokenize,
                load_teacher(),
                self.recipe["text"],
                words=self.recipe["captions"]["words"],
                seed=self.seed,
                folder=self.folder,
            )
            log.info("text: cosine to the teacher %.4f", agreement)
            _save(network.towers.text.state_dict(), path)
        return load_file(path)

    def images(self) -> dict[str, Tensor]:
        """Stage 2: return image tower, text head and logit scale."""
        path = self.folder / "images.safetensors"
        if not path.is_file():
            network = self.new_network()
            if self.recipe["images"]["pretrained"] == "efficientnet_lite0":
                load_efficientnet_lite0(network.towers.visual.trunk)
            teacher = load_teacher()

            def encode(texts: list[str]) -> Tensor:
                return torch.from_numpy(np.asarray(teacher(texts), np.float32)).clone()

            trained = train_images(
                network,
                self._captions(encode),
                self.train,
                self.config.image,
                self.recipe["images"],
                lambda averaged: self._validate(averaged, encode),
            )
            state = trained.state_dict()
            wanted = ("towers.visual.", "towers.text_head.", "logit_scale")
            _save({k: v for k, v in state.items() if k.startswith(wanted)}, path)
        return load_file(path)

    def network(self) -> DualEncoder:
        """Stage 3: run what is missing of the stages before, and return the whole network."""
        path = self.folder / "network.safetensors"
        network = self.new_network()
        if path.is_file():
            network.load_state_dict(load_file(path))
            return network.eval()
        text, images = self.text(), self.images()
        state = network.state_dict()
        state.update({f"towers.text.{key}": value for key, value in text.items()})
        state.update(images)
        network.load_state_dict(state)

        def encode(texts: list[str]) -> Tensor:
            return self._read(network, texts)

        pool = self._captions(encode)
        train_temporal(network, pool, self.train, self.config.image, self.recipe["temporal"])
        log.info("valid: %s", self._validate(network, encode, whole=True))
        _save(network.state_dict(), path)
        return network.eval()

    def _captions(self, encode: Any) -> CaptionPool:
        captions = self.recipe["captions"]
        return CaptionPool(
            encode,
            self.train.classes,
            size=captions["pool"],
            words=captions["words"],
            seed=self.seed,
        )

    def _read(self, network: DualEncoder, texts: list[str]) -> Tensor:
        """Run the text transformer alone, short texts with short ones."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = torch.empty(len(texts), network.width)
        with torch.no_grad():
            for i in range(0, len(order), 500):
                rows = order[i : i + 500]
                out[rows] = network.towers.text(self.tokenize([texts[j] for j in rows]))
        return out

    def _validate(
        self, network: DualEncoder, encode: Any, *, whole: bool = False
    ) -> dict[str, Any]:
        """WAR and UAR on valid with the bank's descriptions; `whole`: through the temporal module."""
        network.eval()
        with torch.no_grad():
            labels = LabelEncoder(
                PromptBank.default(), lambda texts: network.towers.text_head(encode(texts)).numpy()
            )
            vectors, _ = labels.embed(self.valid.classes)
            frames = [
                network.encode_frames(part)
                for part in _batches(self.valid, self.config)
            ]
            video = torch.cat(frames)
            if whole:
                video = network.pool(video[:, None])
        predicted = cosine_similarities(video.numpy(), vectors).argmax(axis=1)
        figures = recalls(predicted, self.valid.labels, self.valid.classes)
        return {key: round(figures[key], 4) for key in ("war", "uar")}


def export(mini: MiniRecipe, out: Path) -> dict[str, Any]:
    """Train what is missing, write the checkpoint in half precision, and measure what was written.

    Returns
    -------
    dict
        WAR and UAR on the validation split, by prompt set; they also go into the model card.
    """
    network = mini.network()
    state = network.state_dict()
    save_folder(out, mini.config, state, dtype=torch.float16)
    model = EmoCLIP.from_pretrained(out, device="cpu")
    figures = {}
    for prompts in ("bank", "words"):
        found = evaluate_pictures(model, mini.valid, prompts)
        figures[f"FER+ valid, 8 classes, prompts: {prompts}"] = {
            "WAR": round(found["war"], 4),
            "UAR": round(found["uar"], 4),
            "n": found["n"],
        }
    info = {
        "name": mini.recipe["name"],
        "license": "apache-2.0",
        "metrics": figures,
        "training": mini.recipe["training"],
    }
    config = dataclasses.replace(mini.config, info=info)
    card = model_card(config, figures, mini.recipe["training"])
    save_folder(out, config, state, dtype=torch.float16, card=card)
    return figures


def _batches(pictures: Pictures, config: ModelConfig) -> Any:
    for part in torch.from_numpy(pictures.images).split(256):
        yield preprocess(part[..., None].expand(-1, -1, -1, 3), config.image)


def _save(state: dict[str, Tensor], path: Path) -> None:
    save_file({key: value.contiguous() for key, value in state.items()}, path)
