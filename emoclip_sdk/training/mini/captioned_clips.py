"""Pictures or clips with sentences of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .training_set import Sequences, TextEncoder, add_noise

__all__ = ["CaptionedClips"]

_CPU = torch.device("cpu")


class CaptionedClips:
    """Pictures or clips with sentences of their own; a sentence belongs to its own sample only.

    Parameters
    ----------
    clips : sequence of ndarray
        For each sample gray face crops (T, S, S) uint8; T is 1 for a picture.
    captions : sequence of str
        One sentence per sample. Equal sentences fit all their samples.
    encode : callable
        Reads captions.
    device : torch.device
        Where pictures and captions lie.
    """

    def __init__(
        self,
        clips: Sequence[np.ndarray],
        captions: Sequence[str],
        encode: TextEncoder,
        *,
        device: torch.device = _CPU,
    ) -> None:
        distinct = {text: i for i, text in enumerate(dict.fromkeys(captions))}
        self._device = device
        self._sentence = torch.tensor([distinct[text] for text in captions], device=device)
        self._captions = F.normalize(encode(list(distinct)), dim=-1).to(device)
        self._pictures = torch.from_numpy(np.concatenate(list(clips))).to(device)
        self._counts = torch.tensor([len(clip) for clip in clips], device=device)
        self._starts = self._counts.cumsum(0) - self._counts

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def posed(self) -> int:
        return 0

    def weights(self, power: float) -> Tensor:
        return torch.ones(len(self), device=self._device)

    def pictures(self, rows: Tensor) -> Tensor:
        place = (torch.rand(len(rows), device=self._device) * self._counts[rows]).long()
        return self._pictures[self._starts[rows] + place]

    def captions(
        self, rows: Tensor, per_sample: int, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        own = self._sentence[rows]
        drawn = own.repeat_interleave(per_sample)
        return add_noise(self._captions[drawn], noise), (own[:, None] == drawn).float()

    def action_captions(
        self, rows: Tensor, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor] | None:
        return None

    def all_pictures(self) -> Tensor:
        return self._pictures

    def sequences(
        self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float = 0.0, apex: int = 1
    ) -> Sequences:
        counts = self._counts[rows]
        length = torch.where(counts > 1, torch.minimum(length, counts), length)
        t = int(length.max())
        at = torch.arange(t, device=self._device)
        mask = at < length[:, None]
        chance = torch.rand(len(rows), device=self._device)
        start = (chance * (counts - length + 1).clamp(min=1)).long()
        place = (start[:, None] + at).clamp(max=(counts - 1)[:, None])
        picks = torch.randint(frames.shape[1], place.shape, device=self._device)
        clips = frames[self._starts[rows][:, None] + place, picks]
        summary = (F.normalize(clips, dim=-1) * mask[..., None]).sum(1) / length[:, None]
        return Sequences(clips, mask, summary, torch.ones(len(rows), device=self._device))
