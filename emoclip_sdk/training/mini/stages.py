"""The stages of the recipe `mini`, each of which leaves its result in the run folder."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from ...checkpoints.tensors import read_safetensors
from ...errors import CheckpointError
from ...nn import DualEncoder, build_tokenizer, open_clip_config
from ..data.measured_actions import facial_actions
from ..data.shapes import measure_shapes
from ..engine.identity import claim_folder
from ..engine.loop import Trainer
from ..engine.plan import Plan
from ..engine.process import Process
from ..engine.settings import OptimSettings
from ..engine.state import save_weights
from ..engine.task import TrainingTask
from .actions import ActionTask, ReadTexts, read_texts, set_level
from .datasets import MiniDataset
from .distill import distillation_task
from .heads import (
    MeasuredHeads,
    PosedHeads,
    TalkingHeads,
    measure_heads,
    measure_posed_heads,
    measure_talking_heads,
)
from .imagenet import EFFICIENTNETS, load_efficientnet
from .images import ImageTask
from .settings import MiniSettings
from .shape import ShapeTask, fused, mirrored_shapes, views_of_shapes
from .teacher import KeptTeacher, load_teacher
from .temporal import Talking, TemporalTask, embed_pictures, embed_views
from .training_set import TextEncoder, TrainingSet

__all__ = ["MiniStages"]

log = logging.getLogger(__name__)

# What the second stage takes over where its image tower is not to learn.
_VISUAL = ("towers.visual.",)
# What the second stage trains.
_IMAGE_WEIGHTS = ("towers.visual.", "towers.text_head.", "logit_scale")
# What the shape stage trains.
_SHAPE_WEIGHTS = ("shape.", "towers.text_head.", "logit_scale")


@dataclass(frozen=True)
class MiniStages:
    """The recipe on one dataset, in one run folder.

    A stage has a folder for its state, its log and what it is a stage of, and leaves one file of
    weights beside it. A finished stage is not done again; one that was interrupted goes on.

    Attributes
    ----------
    settings : MiniSettings
    recipe : dict
        As it was read, overrides included.
    dataset : MiniDataset
    folder : Path
        Run folder.
    text_folder : Path
        Run folder of the text tower, which sees no face: runs on other faces can share it.
    process : Process
    """

    settings: MiniSettings
    recipe: dict[str, Any]
    dataset: MiniDataset
    folder: Path
    text_folder: Path
    process: Process

    @property
    def device(self) -> torch.device:
        """Where the network is trained."""
        return self.process.device

    def new_network(self) -> DualEncoder:
        """Build the network with this recipe's random start, the same on any device."""
        torch.manual_seed(self.settings.seed)
        return DualEncoder(self.settings.model).to(self.device)

    def text(self) -> dict[str, Tensor]:
        """Stage 1: return the text transformer's weights, distilled or a model's own."""
        pretrained = self.settings.text.pretrained
        if pretrained is not None:
            network = self.new_network()
            _go_on_from(network, Path(pretrained), ("towers.text.",))
            return network.towers.text.state_dict()
        path = self._claim("text", self._text_identity())
        if not path.is_file():
            network, settings = self.new_network(), self.settings
            task = distillation_task(
                network,
                self.tokenize,
                self._teacher(),
                settings.text,
                words=settings.captions.words,
                seed=settings.seed,
            )
            plan = task.plan(settings.text, settings.seed)
            self._fit(path, task, plan, settings.text.optim, task.validate)
            save_weights(path, network.towers.text.state_dict())
        return load_file(path)

    def images(self) -> dict[str, Tensor]:
        """Stage 2: return image tower, text head and logit scale."""
        settings, network = self.settings, self.new_network()
        pretrained = settings.images.pretrained
        if pretrained is not None and not settings.images.sizes:
            _go_on_from(network, Path(pretrained), _IMAGE_WEIGHTS)
            return _part(network.state_dict(), _IMAGE_WEIGHTS)
        path = self._claim("images", self._images_identity())
        if not path.is_file():
            if pretrained in EFFICIENTNETS:
                load_efficientnet(network.towers.visual, pretrained)
            elif pretrained is not None:
                frozen = settings.images.optim.lr.visual is None
                _go_on_from(network, Path(pretrained), _VISUAL if frozen else _IMAGE_WEIGHTS)
            encode = self._image_texts(network)
            data = self.dataset.training_set(encode, self.device, self._train_shapes)
            frames = None
            if settings.images.optim.lr.visual is None:
                frames = self._frames(network, data)
            task = ImageTask(network, data, settings.model.image, settings.images, frames)
            self._fit(
                path,
                task,
                task.plan(settings.seed),
                settings.images.optim,
                lambda: self._validate(network, encode),
            )
            save_weights(path, _part(network.state_dict(), _IMAGE_WEIGHTS))
        return load_file(path)

    def shape(self, network: DualEncoder, data: TrainingSet, encode: TextEncoder) -> None:
        """Stage 3: train the shape stream of a network with finished towers, in place."""
        path, settings = self._claim("shape", self._shape_identity()), self.settings
        if not path.is_file():
            frames, shapes = self._frames(network, data), self._views_of_shapes(data)
            task = ShapeTask(network, data, frames, shapes.float(), settings.shape)
            self._fit(
                path,
                task,
                task.plan(settings.seed),
                settings.shape.optim,
                lambda: self._validate(network, encode, shape=True),
            )
            save_weights(path, _part(network.state_dict(), _SHAPE_WEIGHTS))
        network.load_state_dict(load_file(path), strict=False)

    def temporal(self, network: DualEncoder, data: TrainingSet, encode: TextEncoder) -> None:
        """Stage 4: train the temporal module of a network that is finished up to here, in place."""
        frames, settings = self._frames(network, data), self.settings
        frames = fused(network, frames, self._views_of_shapes(data)) if network.shape else frames
        talking = None
        if self._talking is not None:
            talking = Talking(self._talking_frames(network, self._talking), settings.heads.talking)
        task = TemporalTask(network, data, frames, settings.temporal, talking)
        self._fit(
            self._network_path(),
            task,
            task.plan(settings.seed),
            settings.temporal.optim,
            lambda: self._validate(network, encode, shape=True, pool=True),
        )

    def actions(self, network: DualEncoder, data: TrainingSet) -> None:
        """Stage 5: train the space of actions of a network with all else finished, in place."""
        settings, shapes = self.settings, self._photographed(data)
        heads = None if settings.heads.path is None else self._heads()

        def read(texts: list[str], about: NDArray[np.int64]) -> ReadTexts:
            where = torch.from_numpy(about).to(self.device)
            return ReadTexts(*read_texts(network, self.tokenize, texts), where)

        log.info("reading captions of actions")
        task = ActionTask(
            network,
            data,
            shapes.float(),
            mirrored_shapes(shapes.float()),
            facial_actions(shapes),
            settings.actions,
            read,
            heads,
            settings.seed,
        )
        path, plan = self._actions_path(), task.plan(settings.seed)
        self._fit(path, task, plan, settings.actions.optim, lambda: {"score": 0.0})
        set_level(network, shapes.float(), settings.actions.level)

    def network(self) -> DualEncoder:
        """Run what is missing of all stages, and return the whole network."""
        network, settings = self.new_network(), self.settings

        def encode(texts: list[str]) -> Tensor:
            return self._read(network, texts)

        path = self._network_path()
        data: TrainingSet | None = None
        if settings.actions.pretrained is not None:
            weights = _all_but_actions(network.state_dict())
            _go_on_from(network, Path(settings.actions.pretrained), tuple(weights))
        elif path.is_file():
            network.load_state_dict(load_file(path), strict=False)
        else:
            text, images = self.text(), self.images()
            state = network.state_dict()
            state.update({f"towers.text.{key}": value for key, value in text.items()})
            state.update(images)
            network.load_state_dict(state)
            data = self._training_set(encode)
            if network.shape is not None:
                self.shape(network, data, encode)
            self.temporal(network, data, encode)
            save_weights(path, _all_but_actions(network.state_dict()))
        if network.actions is not None:
            path = self._actions_path()
            if not path.is_file():
                data = data or self.dataset.training_set(encode, self.device, self._train_shapes)
                self.actions(network, data)
                save_weights(path, _part(network.state_dict(), ("actions.",)))
            network.load_state_dict(load_file(path), strict=False)
        return network.eval()

    def finished(self) -> bool:
        """Whether all stages are done, by these settings."""
        last = self._network_path if self.settings.model.actions is None else self._actions_path
        return last().is_file()

    @functools.cached_property
    def tokenize(self) -> Callable[[list[str]], Tensor]:
        """Texts to tokens (N, L)."""
        return build_tokenizer(self.settings.model.towers)

    def _network_path(self) -> Path:
        return self._claim("network", self._network_identity())

    def _actions_path(self) -> Path:
        settings = self.settings
        identity = {
            **self._network_identity(),
            "model": dataclasses.asdict(settings.model),
            "actions": dataclasses.asdict(settings.actions),
        }
        return self._claim("actions", identity)

    def _network_identity(self) -> dict[str, Any]:
        settings = self.settings
        model = dataclasses.asdict(settings.model)
        del model["actions"]
        return {
            **self._shape_identity(),
            "model": model,
            "temporal": dataclasses.asdict(settings.temporal),
        }

    def _shape_identity(self) -> dict[str, Any]:
        settings = self.settings
        identity = {**self._text_identity(), **self._images_identity()}
        if settings.model.shape is not None:
            identity["model"] = {
                **identity["model"],
                "shape": dataclasses.asdict(settings.model.shape),
            }
            identity["shape"] = dataclasses.asdict(settings.shape)
            identity["views"] = settings.temporal.views
        if settings.heads.path is not None:
            identity["heads"] = dataclasses.asdict(settings.heads)
        return identity

    def _text_identity(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "seed": settings.seed,
            "model": {"towers": dataclasses.asdict(settings.model.towers)},
            "captions": {"words": settings.captions.words},
            "text": dataclasses.asdict(settings.text),
        }

    def _images_identity(self) -> dict[str, Any]:
        settings = self.settings
        model = {
            key: dataclasses.asdict(getattr(settings.model, key)) for key in ("towers", "image")
        }
        return {
            **(self._text_identity() if settings.images.texts == "student" else {}),
            "seed": settings.seed,
            "model": model,
            "captions": dataclasses.asdict(settings.captions),
            "images": dataclasses.asdict(settings.images),
            "dataset": self.dataset.identity,
        }

    def _claim(self, stage: str, identity: dict[str, Any]) -> Path:
        """Return where the result of a stage belongs, if its folder is one of these settings."""
        folder = self.text_folder if stage == "text" else self.folder
        path = folder / f"{stage}.safetensors"
        claim_folder(folder / stage, identity, self.recipe, self.process, result=path)
        return path

    def _fit(
        self,
        path: Path,
        task: TrainingTask,
        plan: Plan,
        optim: OptimSettings,
        validate: Callable[[], dict[str, float]],
    ) -> None:
        log.info("%s: %d steps", path.stem, plan.total)
        folder = path.with_suffix("")
        Trainer(task, plan, optim, self.settings.run, validate, folder, self.process).fit()

    def _teacher(self) -> KeptTeacher:
        settings = self.settings
        width = open_clip_config(settings.model.towers)["embed_dim"]
        return KeptTeacher(lambda: load_teacher(settings.text.teacher), self.text_folder, width)

    def _image_texts(self, network: DualEncoder) -> TextEncoder:
        """Return what reads the captions of stage 2; the student is taken over from stage 1."""
        if self.settings.images.texts == "student":
            network.towers.text.load_state_dict(self.text())
            return lambda texts: self._read(network, texts)
        teacher = self._teacher()
        return lambda texts: torch.from_numpy(teacher(texts)).to(self.device)

    def _frames(self, network: DualEncoder, data: TrainingSet) -> Tensor:
        """Return frame embeddings of the training pictures, which the image tower alone decides."""
        path = self._network_path().with_suffix("") / "frames.safetensors"
        if not path.is_file():
            settings = self.settings
            views = settings.temporal.views
            frames = embed_views(network, data, settings.model.image, views, settings.seed)
            save_weights(path, {"frames": frames})
        return load_file(path, device=str(self.device))["frames"]

    def _training_set(self, encode: TextEncoder) -> TrainingSet:
        """Return pictures, heads that pose behind them, and captions for heads that talk."""
        return self.dataset.training_set(
            encode,
            self.device,
            self._train_shapes,
            self._posed,
            self.settings.heads.posed,
            self._talking,
        )

    def _train_shapes(self, pictures: NDArray[np.uint8]) -> Tensor:
        return self._shapes("train", pictures)

    def _photographed(self, data: TrainingSet) -> Tensor:
        """Return the shapes of what was photographed, which is all but heads that pose."""
        pictures = data.all_pictures()
        return self._train_shapes(pictures[: len(pictures) - data.posed].cpu().numpy())

    def _views_of_shapes(self, data: TrainingSet) -> Tensor:
        shapes = self._photographed(data)
        if data.posed and self._posed is not None:
            shapes = torch.cat([shapes, self._posed.shapes.to(shapes)])
        return views_of_shapes(shapes, self.settings.temporal.views)

    @functools.cached_property
    def _posed(self) -> PosedHeads | None:
        """Rendered heads that pose the emotions of the dataset, where both are there."""
        settings, emotions = self.settings.heads, self.dataset.emotions
        if settings.path is None or not settings.posed or not emotions:
            return None
        path = self.text_folder / "posed.npz"  # it depends on heads alone, as stage 1 does on texts
        if not path.is_file():
            measured = measure_posed_heads(Path(settings.path), settings.people, self.dataset.size)
            measured.save(path)
        return PosedHeads.load(path).of(emotions)

    @functools.cached_property
    def _talking(self) -> TalkingHeads | None:
        """Rendered heads that talk, at rest or with an emotion of the dataset."""
        settings, emotions = self.settings.heads, self.dataset.emotions
        if settings.path is None or not settings.talking or not emotions:
            return None
        path = self.text_folder / "talking.npz"
        if not path.is_file():
            people = -(-settings.people // 2)
            measure_talking_heads(Path(settings.path), people, self.dataset.size).save(path)
        return TalkingHeads.load(path).of(emotions)

    def _talking_frames(self, network: DualEncoder, talking: TalkingHeads) -> Tensor:
        """Return frame embeddings (R, T, D) of heads that talk."""
        clips, frames = talking.images.shape[:2]
        pictures = torch.from_numpy(talking.images).flatten(0, 1)
        embedded = embed_pictures(network, pictures.to(self.device), self.settings.model.image)
        shapes = talking.shapes.to(embedded).flatten(0, 1)[:, None]
        return fused(network, embedded[:, None], shapes)[:, 0].unflatten(0, (clips, frames))

    def _heads(self) -> MeasuredHeads:
        """Return heads and portraits; what is measured on them nothing here changes."""
        settings = self.settings.heads
        path = self._actions_path().with_suffix("") / "heads.npz"
        if not path.is_file():
            faces = self.dataset.at_rest if settings.portraits else ()
            measure_heads(
                Path(str(settings.path)), settings.people, faces, settings.portraits
            ).save(path)
        return MeasuredHeads.load(path)

    def _shapes(self, split: str, pictures: NDArray[np.uint8]) -> Tensor:
        """Return what the landmark network measures on pictures, which nothing here changes."""
        path = self._network_path().with_suffix("") / f"{split}_shapes.safetensors"
        if not path.is_file():
            save_weights(path, {"shapes": measure_shapes(pictures)})
        return load_file(path, device=str(self.device))["shapes"]

    def _read(self, network: DualEncoder, texts: list[str]) -> Tensor:
        """Run the text transformer alone, short texts with short ones."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = torch.empty(len(texts), network.towers.width, device=self.device)
        with torch.no_grad():
            for i in range(0, len(order), 500):
                rows = order[i : i + 500]
                tokens = self.tokenize([texts[j] for j in rows])
                out[rows] = network.towers.text(tokens.to(self.device))
        return out

    def _validate(
        self,
        network: DualEncoder,
        encode: TextEncoder,
        *,
        shape: bool = False,
        pool: bool = False,
    ) -> dict[str, float]:
        """Validate with shape stream and temporal module, or without what has not learned yet."""
        network.eval()
        image = self.settings.model.image

        def clips(samples: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
            gray = torch.from_numpy(np.concatenate(list(samples))).to(self.device)
            frames = embed_pictures(network, gray, image)
            if shape and network.shape is not None:
                frames = fused(network, frames, self._shapes("valid", gray.cpu().numpy()))
            video = []
            for clip in frames.split([len(sample) for sample in samples]):
                video.append(network.temporal(clip[None])[0] if pool else clip.mean(0))
            return torch.stack(video).cpu().numpy()

        def texts(lines: list[str]) -> NDArray[np.float32]:
            return network.towers.text_head(encode(lines)).cpu().numpy()

        with torch.no_grad():
            return self.dataset.validate(clips, texts)


def _part(state: dict[str, Tensor], prefixes: tuple[str, ...]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key.startswith(prefixes)}


def _all_but_actions(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if not key.startswith("actions.")}


def _go_on_from(network: DualEncoder, path: Path, prefixes: tuple[str, ...]) -> None:
    """Take over a part of the weights of a model built alike."""
    weights, own = _part(read_safetensors(path), prefixes), _part(network.state_dict(), prefixes)
    for name, tensor in own.items():
        if name not in weights or weights[name].shape != tensor.shape:
            raise CheckpointError(f"{path}: the recipe's model has another {name}")
    network.load_state_dict(weights, strict=False)
