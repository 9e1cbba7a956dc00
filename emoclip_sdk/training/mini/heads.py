"""Rendered heads beside the training pictures, and what a landmark network measures on them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...faces.crop import center_crop
from ...faces.landmarks import FaceLandmarker
from ...faces.shapes import crop_shapes
from ..data.measured_actions import FacialActions
from ..data.shapes import shape_rows
from ..heads.actions import head_actions, head_sides
from ..heads.portraits import read_portraits, render_portrait
from ..heads.posed import render_posed
from ..heads.render import HeadModel, render_person
from ..heads.talking import render_talking

__all__ = [
    "MeasuredHeads",
    "PosedHeads",
    "TalkingHeads",
    "measure_heads",
    "measure_posed_heads",
    "measure_talking_heads",
]

log = logging.getLogger(__name__)

Posed = TypeVar("Posed", bound="PosedHeads")

FIRST, FIRST_POSING, FIRST_TALKING = 1000, 2000, 3000
"""Seeds of the first persons: at rest or with single actions, who pose, and who talk. Those below
them are for evaluation."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as the model's "gray"


@dataclass(frozen=True)
class MeasuredHeads:
    """R heads, rendered or portraits, in which a face is seen, as in their mirror images.

    Attributes
    ----------
    shapes, mirrored : Tensor, (R, F)
    actions : FacialActions
        Sides apart.
    sides : FacialActions
        Of one side of the face.
    people : ndarray of int, (R,)
        Who it is.
    """

    shapes: Tensor
    mirrored: Tensor
    actions: FacialActions
    sides: FacialActions
    people: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write an npz file, whole or not at all."""
        _save(
            path,
            shapes=self.shapes.half(),
            mirrored=self.mirrored.half(),
            actions=self.actions.presence,
            action_names=self.actions.names,
            sides=self.sides.presence,
            side_names=self.sides.names,
            people=self.people,
        )

    @classmethod
    def load(cls, path: Path) -> MeasuredHeads:
        """Read what :meth:`save` wrote."""
        with np.load(path) as file:
            return cls(
                torch.from_numpy(file["shapes"]).float(),
                torch.from_numpy(file["mirrored"]).float(),
                FacialActions(tuple(map(str, file["action_names"])), file["actions"]),
                FacialActions(tuple(map(str, file["side_names"])), file["sides"]),
                file["people"],
            )


def measure_heads(
    path: Path, people: int, faces: Iterable[NDArray[np.uint8]] = (), portraits: int = 0
) -> MeasuredHeads:
    """Render `people` of a head model, move portraits by it, and measure the shapes of both.

    `faces` are pictures of faces at rest; the first `portraits` that can be moved are.
    """
    model, landmarker = HeadModel(path), FaceLandmarker()
    log.info("rendering %d people and %d portraits", people, portraits)
    rendered = (render_person(model, FIRST + person) for person in range(people))
    moved = (
        render_portrait(model, portrait, FIRST + people + i)
        for i, portrait in enumerate(islice(read_portraits(model, faces), portraits))
    )
    parts: list[tuple[Tensor, Tensor, FacialActions, FacialActions]] = []
    for person in chain(rendered, moved):
        heads = list(person)
        pictures = [head.picture for head in heads]
        flipped = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
        shapes, mirrored = (shape_rows(crop_shapes(landmarker, p)) for p in (pictures, flipped))
        seen = torch.isfinite(shapes[:, 0]) & torch.isfinite(mirrored[:, 0])
        actions, sides = (
            FacialActions(known.names, known.presence[seen.numpy()])
            for known in (head_actions(heads), head_sides(heads))
        )
        parts.append((shapes[seen], mirrored[seen], actions, sides))
    shapes_of, mirrored_of, actions_of, sides_of = zip(*parts, strict=True)
    return MeasuredHeads(
        torch.cat(shapes_of),
        torch.cat(mirrored_of),
        _joined(actions_of),
        _joined(sides_of),
        np.repeat(np.arange(len(parts)), [len(shapes) for shapes in shapes_of]),
    )


@dataclass(frozen=True)
class PosedHeads:
    """R rendered heads that pose an emotion, in all of which the landmark network sees a face.

    Attributes
    ----------
    images : ndarray of uint8, (R, S, S)
        Gray, of the size of the training pictures.
    shapes : Tensor, (R, F)
        Measured on the large pictures, as it is done on videos.
    emotions : tuple of str
        What each poses.
    degrees : ndarray of float32, (R,)
        How far, in [0, 1].
    """

    images: NDArray[np.uint8]
    shapes: Tensor
    emotions: tuple[str, ...]
    degrees: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of heads."""
        return len(self.images)

    def of(self: Posed, emotions: Sequence[str]) -> Posed:
        """Return the heads that pose one of `emotions`."""
        kept = np.isin(self.emotions, emotions)
        posed = tuple(np.array(self.emotions)[kept].tolist())
        shapes = self.shapes[torch.from_numpy(kept)]
        return type(self)(self.images[kept], shapes, posed, self.degrees[kept])

    def votes(self, classes: Sequence[str]) -> NDArray[np.float32]:
        """Return votes for `classes`, all that are posed among them: (R, C).

        Of a faint pose, part of the votes are for a neutral face, where that is one of them.
        """
        votes = np.zeros((len(self), len(classes)), np.float32)
        sure = np.ones(len(self), np.float32)
        if "neutral" in self.emotions:
            sure = (0.5 + self.degrees / 2).astype(np.float32)
            votes[:, classes.index("neutral")] = 1 - sure
        votes[np.arange(len(self)), [classes.index(name) for name in self.emotions]] += sure
        return votes

    def save(self, path: Path) -> None:
        """Write an npz file, whole or not at all."""
        _save(
            path,
            images=self.images,
            shapes=self.shapes.half(),
            emotions=self.emotions,
            degrees=self.degrees,
        )

    @classmethod
    def load(cls: type[Posed], path: Path) -> Posed:
        """Read what :meth:`save` wrote."""
        with np.load(path) as file:
            return cls(
                file["images"],
                torch.from_numpy(file["shapes"]),
                tuple(map(str, file["emotions"])),
                file["degrees"],
            )


class TalkingHeads(PosedHeads):
    """R clips of rendered heads that talk: `images` (R, T, S, S) and `shapes` (R, T, F).

    Of those whose face is at rest but for the mouth, the emotion is "neutral".
    """


def measure_posed_heads(path: Path, people: int, size: int) -> PosedHeads:
    """Render `people` of a head model who pose emotions: pictures of `size` pixels, and shapes."""
    model, landmarker = HeadModel(path), FaceLandmarker()
    log.info("rendering %d people who pose", people)
    images: list[NDArray[np.uint8]] = []
    shapes: list[Tensor] = []
    emotions: list[str] = []
    degrees: list[float] = []
    for person in range(people):
        heads = list(render_posed(model, FIRST_POSING + person))
        pictures = [posed.head.picture for posed in heads]
        measured = shape_rows(crop_shapes(landmarker, pictures))
        for posed, picture, shape in zip(heads, pictures, measured, strict=True):
            if not torch.isfinite(shape[0]):
                continue
            images.append(_gray(picture, size))
            shapes.append(shape.half())
            emotions.append(posed.emotion)
            degrees.append(posed.degree)
    return PosedHeads(
        np.stack(images), torch.stack(shapes), tuple(emotions), np.array(degrees, np.float32)
    )


def measure_talking_heads(path: Path, people: int, size: int) -> TalkingHeads:
    """Render clips of `people` of a head model who talk: `size` pixels, and shapes."""
    model, landmarker = HeadModel(path), FaceLandmarker()
    log.info("rendering %d people who talk", people)
    images: list[NDArray[np.uint8]] = []
    shapes: list[Tensor] = []
    emotions: list[str] = []
    degrees: list[float] = []
    for person in range(people):
        for clip in render_talking(model, FIRST_TALKING + person):
            pictures = [head.picture for head in clip.frames]
            measured = shape_rows(crop_shapes(landmarker, pictures))
            if torch.isfinite(measured[:, 0]).all():
                images.append(np.stack([_gray(picture, size) for picture in pictures]))
                shapes.append(measured.half())
                emotions.append(clip.emotion)
                degrees.append(clip.degree)
    return TalkingHeads(
        np.stack(images), torch.stack(shapes), tuple(emotions), np.array(degrees, np.float32)
    )


def _gray(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    return np.rint(center_crop(picture, size) @ LUMA).astype(np.uint8)


def _save(path: Path, **arrays: Any) -> None:
    part = path.with_suffix(".part.npz")  # else half a file would be read after a kill
    np.savez(part, **arrays)
    os.replace(part, path)


def _joined(parts: Sequence[FacialActions]) -> FacialActions:
    return FacialActions(parts[0].names, np.concatenate([part.presence for part in parts]))
