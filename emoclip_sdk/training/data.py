"""What the training loops draw from: pictures with votes, or clips with captions of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .captions import Captioner
from .ferplus import Pictures

__all__ = ["CaptionedClips", "TextEncoder", "TrainingSet", "VotedPictures"]

# N texts to their embeddings (N, D), before the text head.
TextEncoder = Callable[[list[str]], Tensor]


class TrainingSet(Protocol):
    """N samples, each one picture or a clip, and captions for them.

    Embeddings of captions are unit vectors before the text head. The text encoder is frozen, so
    each sentence is read once; Gaussian noise of norm `noise` on what is drawn makes the image
    tower ignore what is particular to one wording.
    """

    def __len__(self) -> int: ...

    def weights(self, power: float) -> Tensor:
        """Weights (N,) that draw samples in proportion to (class size) ** -power."""
        ...

    def pictures(self, rows: Tensor) -> Tensor:
        """Return a grey picture of each of B samples: (B, S, S) uint8."""
        ...

    def captions(self, rows: Tensor, per_sample: int, noise: float) -> tuple[Tensor, Tensor]:
        """Draw captions for B samples: embeddings (M, D), and how well each fits each (B, M)."""
        ...

    def all_pictures(self) -> Tensor:
        """Return the P pictures of all samples, (P, S, S) uint8."""
        ...

    def sequences(
        self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float
    ) -> tuple[Tensor, ...]:
        """Lay out clips of at most `length` (B,) frames.

        `frames` (P, V, D) holds the embeddings of V random views of each of `all_pictures`.

        Returns clips (B, T, D), which frames there are (B, T) and which show the expression
        (B, T). A share `neutral` gets neutral frames around the expression, where the data know
        what neutral is.
        """
        ...


class VotedPictures:
    """Still pictures with votes; captions are generated from the votes.

    A picture and a caption belong together to the degree that annotators voted for the caption's
    emotion. Sequences hold random views of one picture; in part of them the expression has an
    onset and an end, and neutral frames around it.

    Parameters
    ----------
    pictures : Pictures
    encode : callable
        Reads captions.
    pool : int
        Captions to generate per emotion.
    words : float
        Share of captions that carry an emotion word.
    """

    def __init__(
        self, pictures: Pictures, encode: TextEncoder, *, pool: int, words: float, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        captioner = Captioner(words)
        texts = [captioner(name, rng).text for name in pictures.classes for _ in range(pool)]
        self._captions = F.normalize(encode(texts), dim=-1).view(len(pictures.classes), pool, -1)
        self._images = torch.from_numpy(pictures.images)
        self._votes = torch.from_numpy(pictures.votes)
        self._labels = torch.from_numpy(pictures.labels)
        calm = pictures.votes[:, pictures.classes.index("neutral")] > 0.7
        self._calm = torch.from_numpy(calm.nonzero()[0])

    def __len__(self) -> int:
        return len(self._images)

    def weights(self, power: float) -> Tensor:
        counts = torch.bincount(self._labels, minlength=self._votes.shape[1]).clamp(min=1)
        return (counts[self._labels] / counts.max()) ** -power

    def pictures(self, rows: Tensor) -> Tensor:
        return self._images[rows]

    def captions(self, rows: Tensor, per_sample: int, noise: float) -> tuple[Tensor, Tensor]:
        votes = self._votes[rows]
        classes = torch.multinomial(votes, per_sample, replacement=True).flatten()
        drawn = self._captions[classes, torch.randint(self._captions.shape[1], classes.shape)]
        return _noisy(drawn, noise), votes[:, classes]

    def all_pictures(self) -> Tensor:
        return self._images

    def sequences(
        self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float
    ) -> tuple[Tensor, ...]:
        b, t, views = len(rows), int(length.max()), frames.shape[1]
        at = torch.arange(t)
        mask = at < length[:, None]
        picks = torch.randint(views, (b, t))
        clips = frames[rows[:, None], picks]
        onset = (torch.rand(b) * length * 0.75).long()
        end = onset + 1 + (torch.rand(b) * (length - onset)).long()
        inside = (at >= onset[:, None]) & (at < end[:, None])
        whole = (torch.rand(b) >= neutral) | (length < 3)
        expressive = (inside | whole[:, None]) & mask
        calm = self._calm[torch.randint(len(self._calm), (b,))]
        clips = torch.where(expressive[..., None], clips, frames[calm[:, None], picks])
        return clips, mask, expressive


class CaptionedClips:
    """Pictures or clips with sentences of their own; a sentence belongs to its own sample only.

    Parameters
    ----------
    clips : sequence of ndarray
        For each sample grey face crops (T, S, S) uint8; T is 1 for a picture.
    captions : sequence of str
        One sentence per sample. Equal sentences fit all their samples.
    encode : callable
        Reads captions.
    """

    def __init__(
        self, clips: Sequence[np.ndarray], captions: Sequence[str], encode: TextEncoder
    ) -> None:
        distinct = {text: i for i, text in enumerate(dict.fromkeys(captions))}
        self._sentence = torch.tensor([distinct[text] for text in captions])
        self._captions = F.normalize(encode(list(distinct)), dim=-1)
        self._pictures = torch.from_numpy(np.concatenate(list(clips)))
        self._counts = torch.tensor([len(clip) for clip in clips])
        self._starts = self._counts.cumsum(0) - self._counts

    def __len__(self) -> int:
        return len(self._counts)

    def weights(self, power: float) -> Tensor:
        return torch.ones(len(self))

    def pictures(self, rows: Tensor) -> Tensor:
        place = (torch.rand(len(rows)) * self._counts[rows]).long()
        return self._pictures[self._starts[rows] + place]

    def captions(self, rows: Tensor, per_sample: int, noise: float) -> tuple[Tensor, Tensor]:
        mine = self._sentence[rows]
        drawn = mine.repeat_interleave(per_sample)
        return _noisy(self._captions[drawn], noise), (mine[:, None] == drawn).float()

    def all_pictures(self) -> Tensor:
        return self._pictures

    def sequences(
        self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float
    ) -> tuple[Tensor, ...]:
        counts = self._counts[rows]
        length = torch.where(counts > 1, torch.minimum(length, counts), length)
        t = int(length.max())
        at = torch.arange(t)
        mask = at < length[:, None]
        start = (torch.rand(len(rows)) * (counts - length + 1).clamp(min=1)).long()
        place = (start[:, None] + at).clamp(max=(counts - 1)[:, None])
        picks = torch.randint(frames.shape[1], place.shape)
        return frames[self._starts[rows][:, None] + place, picks], mask, mask


def _noisy(captions: Tensor, noise: float) -> Tensor:
    return captions + torch.randn_like(captions) * (noise / captions.shape[1] ** 0.5)
