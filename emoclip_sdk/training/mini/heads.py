"""Rendered heads beside the training pictures: what a landmark network measures on them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...faces.landmarks import FaceLandmarker
from ...faces.shapes import crop_shapes
from ..data.measured_actions import FacialActions
from ..data.shapes import shape_rows
from ..heads.actions import head_actions, head_sides
from ..heads.render import HeadModel, render_person

__all__ = ["MeasuredHeads", "measure_heads"]

log = logging.getLogger(__name__)

FIRST = 1000
"""Seed of the first person; those below it are for evaluation."""


@dataclass(frozen=True)
class MeasuredHeads:
    """R rendered heads in which the landmark network sees a face, and in their mirror images.

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
        part = path.with_suffix(".part.npz")  # else half a file would be read after a kill
        np.savez(
            part,
            shapes=self.shapes.half(),
            mirrored=self.mirrored.half(),
            actions=self.actions.presence,
            action_names=self.actions.names,
            sides=self.sides.presence,
            side_names=self.sides.names,
            people=self.people,
        )
        os.replace(part, path)

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


def measure_heads(path: Path, people: int) -> MeasuredHeads:
    """Render `people` of a head model and measure their shapes."""
    model, landmarker = HeadModel(path), FaceLandmarker()
    log.info("rendering %d people", people)
    parts: list[tuple[Tensor, Tensor, FacialActions, FacialActions]] = []
    for person in range(people):
        heads = list(render_person(model, FIRST + person))
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
        np.repeat(np.arange(people), [len(shapes) for shapes in shapes_of]),
    )


def _joined(parts: Sequence[FacialActions]) -> FacialActions:
    return FacialActions(parts[0].names, np.concatenate([part.presence for part in parts]))
