"""The recipe `mini` from end to end: text tower, image tower, temporal module, checkpoint."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from ...checkpoints import model_card, save_folder
from ...checkpoints.tensors import read_safetensors
from ...config import FORMAT_VERSION, ModelConfig
from ...errors import CheckpointError, EmoCLIPError
from ...inference.devices import pick_device
from ...model import EmoCLIP
from ...nn import DualEncoder, build_tokenizer, preprocess
from ..data.ferplus import FERPLUS_CLASSES, load_ferplus
from ..evaluation import evaluate_pictures
from .contrastive import embed_views, train_images, train_temporal
from .distill import KeptTeacher, distill, load_teacher
from .imagenet import EFFICIENTNETS, load_efficientnet
from .samples import TextEncoder, TrainingSet
from .sources import open_dataset

__all__ = ["MiniRecipe", "export", "leave_one_out"]

log = logging.getLogger(__name__)


class MiniRecipe:
    """Three stages; each one leaves a file in the run folder and is skipped when it is there.

    Parameters
    ----------
    recipe : dict
        Content of ``recipes/mini.yaml``.
    dataset, root : str, str or Path
        See :func:`~emoclip_sdk.training.mini.sources.open_dataset`.
    folder : Path
        Run folder.
    left_out : str, optional
        A class of FER+ that images and temporal module never see. The text tower, which sees no
        face, is the one of the folder above.
    device : str or torch.device
        See :func:`~emoclip_sdk.inference.devices.pick_device`.
    """

    def __init__(
        self,
        recipe: dict[str, Any],
        dataset: str,
        root: str | Path,
        folder: Path,
        left_out: str | None = None,
        device: str | torch.device = "auto",
    ) -> None:
        self.device = pick_device(device)
        self.recipe = recipe
        self.config = ModelConfig.from_dict(
            {"format_version": FORMAT_VERSION, **recipe["model"]}, where="recipe: model"
        )
        self.source = open_dataset(dataset, root, self.config, recipe, left_out)
        self.tokenize = build_tokenizer(self.config.towers)
        self.seed: int = recipe["seed"]
        self.folder = folder
        self.text_folder = folder if left_out is None else folder.parent
        folder.mkdir(parents=True, exist_ok=True)
        # The recipe as it is run, overrides included, stays beside its results.
        text = yaml.safe_dump({**recipe, "dataset": dataset}, sort_keys=False)
        (folder / "recipe.yaml").write_text(text, encoding="utf-8")

    def new_network(self) -> DualEncoder:
        """Build the network with this recipe's random start, the same on any device."""
        torch.manual_seed(self.seed)
        return DualEncoder(self.config).to(self.device)

    def text(self) -> dict[str, Tensor]:
        """Stage 1: return the distilled text transformer's weights."""
        path = self.text_folder / "text.safetensors"
        if not path.is_file():
            network = self.new_network()
            agreement = distill(
                network,
                self.tokenize,
                load_teacher(),
                self.recipe["text"],
                words=self.recipe["captions"]["words"],
                seed=self.seed,
                folder=self.text_folder,
            )
            log.info("text: cosine to the targets %.4f", agreement)
            _save(network.towers.text.state_dict(), path)
        return load_file(path)

    def images(self) -> dict[str, Tensor]:
        """Stage 2: return image tower, text head and logit scale."""
        path = self.folder / "images.safetensors"
        if not path.is_file():
            network = self.new_network()
            pretrained = self.recipe["images"]["pretrained"]
            if pretrained in EFFICIENTNETS:
                load_efficientnet(network.towers.visual, pretrained)
            elif pretrained is not None:
                _go_on_from(network, Path(pretrained))
            encode = self._image_texts(network)
            trained = train_images(
                network,
                self.source.training_set(encode, self.device),
                self.config.image,
                self.recipe["images"],
                lambda averaged: self._validate(averaged, encode, pool=False),
            )
            _save(_image_weights(trained.state_dict()), path)
        return load_file(path)

    def _image_texts(self, network: DualEncoder) -> TextEncoder:
        """Return what reads the captions of stage 2; the student is taken over from stage 1."""
        reader = self.recipe["images"]["texts"]
        if reader not in ("teacher", "student"):
            raise EmoCLIPError(f"recipe: images.texts is {reader!r}, not 'teacher' or 'student'")
        if reader == "student":
            network.towers.text.load_state_dict(self.text())
            return lambda texts: self._read(network, texts)
        teacher = KeptTeacher(load_teacher, self.text_folder)
        return lambda texts: torch.from_numpy(teacher(texts)).to(self.device)

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

        log.info("before the temporal module, valid: %s", self._validate(network, encode, False))
        data = self.source.training_set(encode, self.device)
        train_temporal(network, data, self.frames(network, data), self.recipe["temporal"])
        log.info("valid: %s", self._validate(network, encode, True))
        _save(network.state_dict(), path)
        return network.eval()

    def frames(self, network: DualEncoder, data: TrainingSet) -> Tensor:
        """Return frame embeddings of the training pictures, which the image tower alone decides."""
        path = self.folder / "frames.safetensors"
        if not path.is_file():
            views = self.recipe["temporal"]["views"]
            _save({"frames": embed_views(network, data, self.config.image, views)}, path)
        return load_file(path, device=str(self.device))["frames"]

    def _read(self, network: DualEncoder, texts: list[str]) -> Tensor:
        """Run the text transformer alone, short texts with short ones."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = torch.empty(len(texts), network.width, device=self.device)
        with torch.no_grad():
            for i in range(0, len(order), 500):
                rows = order[i : i + 500]
                tokens = self.tokenize([texts[j] for j in rows])
                out[rows] = network.towers.text(tokens.to(self.device))
        return out

    def _validate(self, network: DualEncoder, encode: Any, pool: bool) -> dict[str, float]:
        """Validate through the temporal module, or, while there is none, by the frames' mean."""
        network.eval()

        def clips(samples: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
            grey = torch.from_numpy(np.concatenate(list(samples))).to(self.device)
            crops = grey[..., None].expand(-1, -1, -1, 3)
            parts = [preprocess(part, self.config.image) for part in crops.split(256)]
            frames = torch.cat([network.encode_frames(part) for part in parts])
            video = []
            for clip in frames.split([len(sample) for sample in samples]):
                video.append(network.pool(clip[None])[0] if pool else clip.mean(0))
            return torch.stack(video).cpu().numpy()

        with torch.no_grad():
            return self.source.validate(
                clips, lambda texts: network.towers.text_head(encode(texts)).cpu().numpy()
            )


def export(run: MiniRecipe, out: Path) -> dict[str, Any]:
    """Train what is missing, write the checkpoint in half precision, calibrate and measure it.

    Returns
    -------
    dict
        Figures of the validation split; they also go into the model card.
    """
    state = run.network().state_dict()
    save_folder(out, run.config, state, dtype=torch.float16)
    raw = EmoCLIP.from_pretrained(out, device="cpu")
    calibration = run.source.calibrate(raw, run.recipe["calibration"]["keep"])
    figures = run.source.measure(raw)
    training = run.recipe["training"]
    info = {
        "name": run.recipe["name"],
        "license": "apache-2.0",
        "metrics": figures,
        "training": training,
    }
    config = dataclasses.replace(run.config, calibration=calibration, info=info)
    card = model_card(config, figures, training)
    save_folder(out, config, state, dtype=torch.float16, card=card)
    return figures


def leave_one_out(
    recipe: dict[str, Any],
    dataset: str,
    root: str | Path,
    folder: Path,
    out: Path,
    device: str | torch.device = "auto",
) -> dict[str, float | None]:
    """Train one model for each class without it: ``OUT/<class>``.

    Parameters
    ----------
    recipe, dataset, root, folder, device
        See :class:`MiniRecipe`. Recipe key ``loco.classes`` names the classes; null: each.
    out : Path

    Returns
    -------
    dict
        For each class the recall of its validation pictures, against all classes.
    """
    found = {}
    for name in recipe["loco"]["classes"] or FERPLUS_CLASSES:
        if not (out / name / "config.json").is_file():
            log.info("without %s", name)
            run = MiniRecipe(recipe, dataset, root, folder / name, name, device)
            export(run, out / name)
        figures = evaluate_pictures(
            EmoCLIP.from_pretrained(out / name, device="cpu"), load_ferplus(root, "valid")
        )
        found[name] = figures["per_class"][name]["recall"]
        log.info("without %s: recall %.4f on validation", name, found[name])
    return found


def _image_weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what the second stage trains, of the weights of a whole model."""
    wanted = ("towers.visual.", "towers.text_head.", "logit_scale")
    return {key: value for key, value in state.items() if key.startswith(wanted)}


def _go_on_from(network: DualEncoder, path: Path) -> None:
    """Take over what the second stage trains from the weights of a model built alike."""
    found, own = _image_weights(read_safetensors(path)), _image_weights(network.state_dict())
    for name, tensor in own.items():
        if name not in found or found[name].shape != tensor.shape:
            raise CheckpointError(f"{path}: the recipe's model has another {name}")
    network.load_state_dict(found, strict=False)


def _save(state: dict[str, Tensor], path: Path) -> None:
    save_file({key: value.contiguous() for key, value in state.items()}, path)
