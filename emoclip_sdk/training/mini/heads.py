"""Rendered heads beside the training pictures, and captions of what they do."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...faces.crop import center_crop
from ...faces.landmarks import FaceLandmarker
from ...faces.shapes import crop_shapes
from ..data.captions import Captioner
from ..data.measured_actions import FacialActions
from ..data.shapes import shape_rows
from ..heads.actions import head_actions
from ..heads.render import HeadModel, render_person
from .action_captions import ActionCaptions
from .training_set import TextEncoder

__all__ = ["CaptionedHeads", "MeasuredHeads", "measure_heads"]

log = logging.getLogger(__name__)

FIRST = 1000
"""Seed of the first person; those below it are for evaluation."""


class CaptionedHeads:
    """Rendered heads with captions of their facial actions.

    Parameters
    ----------
    rows : Tensor, (R, D + F)
        Embeddings of pixels, and shapes.
    actions : FacialActions
    encode : callable
        Reads captions.
    sentences : int
        Captions to write.
    seed : int
    device : torch.device
    """

    def __init__(
        self,
        rows: Tensor,
        actions: FacialActions,
        encode: TextEncoder,
        sentences: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self._rows = rows.to(device)
        rng = np.random.default_rng(seed)
        self._captions = ActionCaptions.write(
            actions, encode, sentences, Captioner(least_actions=2), rng, device
        )

    def draw(self, count: int, noise: float) -> tuple[Tensor, Tensor, Tensor]:
        """Draw heads (B, D + F), as many captions (B, D), and how well they fit (B, B)."""
        rows = torch.randint(len(self._rows), (count,), device=self._rows.device)
        return self._rows[rows], *self._captions.draw(rows, noise)


@dataclass(frozen=True)
class MeasuredHeads:
    """R rendered heads in which the landmark network sees a face.

    Attributes
    ----------
    crops : ndarray of uint8, (R, S, S, 3)
        As the image tower sees them.
    shapes : Tensor, (R, F)
    actions : FacialActions
    """

    crops: NDArray[np.uint8]
    shapes: Tensor
    actions: FacialActions


def measure_heads(path: Path, people: int, size: int) -> MeasuredHeads:
    """Render `people` and measure their shapes; crops have `size` pixels a side."""
    model, landmarker = HeadModel(path), FaceLandmarker()
    log.info("rendering %d people", people)
    crops, shapes, presence, names = [], [], [], tuple[str, ...]()
    for person in range(people):
        heads = list(render_person(model, FIRST + person))
        rows = shape_rows(crop_shapes(landmarker, [head.picture for head in heads]))
        seen = torch.isfinite(rows[:, 0])
        actions = head_actions(heads)
        shapes.append(rows[seen])
        presence.append(actions.presence[seen.numpy()])
        crops += [center_crop(head.picture, size) for head, s in zip(heads, seen, strict=True) if s]
        names = actions.names
    measured = FacialActions(names, np.concatenate(presence))
    return MeasuredHeads(np.stack(crops), torch.cat(shapes), measured)
