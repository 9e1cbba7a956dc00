"""What the training loops draw from: pictures with votes, or clips with captions of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.captions import Captioner
from ..data.ferplus import Pictures
from .actions import FacialActions

__all__ = [
    "CaptionedClips",
    "MeasuredPictures",
    "Sequences",
    "TextEncoder",
    "TrainingSet",
    "VotedPictures",
]

CPU = torch.device("cpu")

# N texts to their embeddings (N, D), before the text head.
TextEncoder = Callable[[list[str]], Tensor]


APEX = 7
"""Frames for which an expression has to last to count in full: a second, at 7 frames a second.
Expressions of emotion last from half a second to four (Ekman and Friesen)."""


@dataclass(frozen=True)
class Sequences:
    """Clips laid out over frame embeddings.

    Attributes
    ----------
    clips : Tensor, (B, T, D)
    mask : Tensor of bool, (B, T)
        True where there is a frame.
    summary : Tensor, (B, D)
        What a clip shows at its most expressive, as a mixture of unit frame embeddings.
    expressed : Tensor, (B,)
        How much of the sample's expression its clip shows, in [0, 1]; the rest is neutral.
    """

    clips: Tensor
    mask: Tensor
    summary: Tensor
    expressed: Tensor


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

    def captions(
        self, rows: Tensor, per_sample: int, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw `per_sample` captions for each of B samples, M in all.

        Embeddings (M, D), and how well each fits each sample (B, M).

        `expressed` (B,), see :class:`Sequences`; None: the samples as they are.
        """
        ...

    def all_pictures(self) -> Tensor:
        """Return the P pictures of all samples, (P, S, S) uint8."""
        ...

    def sequences(self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float) -> Sequences:
        """Lay out clips of at most `length` (B,) frames.

        `frames` (P, V, D) holds the embeddings of V random views of each of `all_pictures`. In a
        share `neutral` of the clips the expression comes out of a neutral face and may go back,
        where the data know what neutral is.
        """
        ...


class VotedPictures:
    """Still pictures with votes; captions are generated from the votes.

    A picture and a caption belong together to the degree that annotators voted for the caption's
    emotion. Sequences hold random views of one picture; in part of them the expression has an
    onset, an apex and an end, mixed in embedding space with a neutral face. Such a clip counts as
    neutral to the degree that even its most expressive quarter, and at least `APEX` frames, are.

    Parameters
    ----------
    pictures : Pictures
    encode : callable
        Reads captions.
    pool : int
        Captions to generate per emotion.
    words : float
        Share of captions that carry an emotion word.
    device : torch.device
        Where pictures and captions lie.
    prior : float
        An emotion's captions are drawn in proportion to (votes for it) ** prior. Contrastive scores
        say how much more likely an emotion is than among the captions they compete with: at 1 the
        model learns nothing of how common an emotion is, at 0 all of it.
    """

    def __init__(
        self,
        pictures: Pictures,
        encode: TextEncoder,
        *,
        pool: int,
        words: float,
        prior: float,
        seed: int,
        device: torch.device = CPU,
    ) -> None:
        rng = np.random.default_rng(seed)
        captioner = Captioner(words)
        texts = [captioner(name, rng).text for name in pictures.classes for _ in range(pool)]
        read = F.normalize(encode(texts), dim=-1).to(device)
        self._captions = read.view(len(pictures.classes), pool, -1)
        self._images = torch.from_numpy(pictures.images).to(device)
        self._votes = torch.from_numpy(pictures.votes).to(device)
        self._labels = torch.from_numpy(pictures.labels).to(device)
        self._device = device
        self._shares = self._votes.sum(0) ** prior * (self._votes.sum(0) > 0)
        self._neutral = pictures.classes.index("neutral")
        calm = pictures.votes[:, self._neutral] > 0.7
        self._calm = torch.from_numpy(calm.nonzero()[0]).to(device)

    def __len__(self) -> int:
        return len(self._images)

    def weights(self, power: float) -> Tensor:
        counts = torch.bincount(self._labels, minlength=self._votes.shape[1]).clamp(min=1)
        return (counts[self._labels] / counts.max()) ** -power

    def pictures(self, rows: Tensor) -> Tensor:
        return self._images[rows]

    def captions(
        self, rows: Tensor, per_sample: int, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        votes = self._votes[rows]
        if expressed is not None:
            votes = votes * expressed[:, None]
            votes[:, self._neutral] += 1 - expressed
        classes = torch.multinomial(self._shares, len(rows) * per_sample, replacement=True)
        picks = torch.randint(self._captions.shape[1], classes.shape, device=self._device)
        drawn = self._captions[classes, picks]
        return _noisy(drawn, noise), votes[:, classes]

    def all_pictures(self) -> Tensor:
        return self._images

    def sequences(self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float) -> Sequences:
        b, t, views = len(rows), int(length.max()), frames.shape[1]
        device = self._device
        at = torch.arange(t, device=device)
        mask = at < length[:, None]
        picks = torch.randint(views, (b, t), device=device)
        # Where no neutral face was ever seen, none can be shown before the expression.
        neutral = neutral if len(self._calm) else 0.0
        calm = rows
        if neutral:
            calm = self._calm[torch.randint(len(self._calm), (b,), device=device)]
        shown, at_rest = frames[rows[:, None], picks], frames[calm[:, None], picks]

        still = (torch.rand(b, device=device) >= neutral) | (length < 3)
        degree = torch.where(still[:, None], 1.0, _envelope(length, t)) * mask
        clips = torch.lerp(at_rest, shown, degree[..., None])

        top = degree.sort(dim=1, descending=True).values
        # The apex: a quarter of a long clip, of a short one what takes most of a second.
        apex_frames = torch.maximum((length / 4).ceil(), length.clamp(max=APEX))
        at_apex = at < apex_frames[:, None]
        expressed = (top * at_apex).sum(1) / at_apex.sum(1)
        apex = degree / degree.sum(1, keepdim=True).clamp(min=1e-6)
        rest = mask / mask.sum(1, keepdim=True)
        summary = torch.lerp(
            (F.normalize(at_rest, dim=-1) * rest[..., None]).sum(1),
            (F.normalize(shown, dim=-1) * apex[..., None]).sum(1),
            expressed[:, None],
        )
        return Sequences(clips, mask, summary, expressed)


class MeasuredPictures(VotedPictures):
    """Still pictures of which facial actions were measured, too.

    A share of the captions says what some picture shows, one to four of its actions, whatever
    emotion annotators saw in it. They fit every picture to the degree that it shows all of them.

    Parameters
    ----------
    pictures, encode, seed, device, captions
        See :class:`VotedPictures`.
    actions : FacialActions
        Of the same pictures.
    share : float
        Share of these captions.
    sentences : int
        How many of them to generate.
    """

    def __init__(
        self,
        pictures: Pictures,
        encode: TextEncoder,
        *,
        actions: FacialActions,
        share: float,
        sentences: int,
        seed: int,
        device: torch.device = CPU,
        **captions: Any,
    ) -> None:
        super().__init__(pictures, encode, seed=seed, device=device, **captions)
        rng = np.random.default_rng(seed)
        captioner = Captioner()
        spoken = np.zeros((sentences, len(actions.names)), np.float32)
        texts = []
        shows = np.flatnonzero(actions.shown.max(axis=1) > 0.5)
        for row, picture in zip(spoken, rng.choice(shows, sentences), strict=True):
            chances = actions.shown[picture] + 1e-3  # now and then what it hardly shows
            count = int(rng.integers(1, 5))
            drawn = rng.choice(len(row), count, replace=False, p=chances / chances.sum())
            row[drawn] = 1
            texts.append(captioner.sentence([actions.names[i] for i in drawn], rng))
        self._share = share
        self._sentences = F.normalize(encode(texts), dim=-1).to(device)
        self._spoken = torch.from_numpy(spoken).to(device)
        self._shown = torch.from_numpy(actions.shown).clamp(min=1e-4).log().to(device)

    def captions(
        self, rows: Tensor, per_sample: int, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        drawn, fits = super().captions(rows, per_sample, noise, expressed)
        if not (count := int(len(drawn) * self._share)):
            return drawn, fits
        picks = torch.randint(len(self._sentences), (count,), device=self._device)
        shown = (self._shown[rows] @ self._spoken[picks].T).exp()
        if expressed is not None:
            shown = shown * expressed[:, None]
        said = _noisy(self._sentences[picks], noise)
        return torch.cat([drawn[count:], said]), torch.cat([fits[:, count:], shown], dim=1)


def _envelope(length: Tensor, t: int) -> Tensor:
    """Draw how strong an expression is over time, (B, T) in [0, 1]: onset, apex, end."""
    chances = torch.rand(6, len(length), 1, device=length.device)
    start, rise, hold, fall = (
        chance * length[:, None] * part
        for chance, part in zip(chances, (0.8, 0.4, 1.0, 0.4), strict=False)
    )
    peak = torch.where(chances[4] < 0.6, 1.0, 0.2 + 0.8 * chances[5])
    at = torch.arange(t, device=length.device)
    up = (at - start + 1) / (rise + 1)
    down = (start + rise + 1 + hold + fall - at) / (fall + 1)
    return peak * torch.minimum(up, down).clamp(0, 1)


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
    device : torch.device
        Where pictures and captions lie.
    """

    def __init__(
        self,
        clips: Sequence[np.ndarray],
        captions: Sequence[str],
        encode: TextEncoder,
        *,
        device: torch.device = CPU,
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

    def weights(self, power: float) -> Tensor:
        return torch.ones(len(self), device=self._device)

    def pictures(self, rows: Tensor) -> Tensor:
        place = (torch.rand(len(rows), device=self._device) * self._counts[rows]).long()
        return self._pictures[self._starts[rows] + place]

    def captions(
        self, rows: Tensor, per_sample: int, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        mine = self._sentence[rows]
        drawn = mine.repeat_interleave(per_sample)
        return _noisy(self._captions[drawn], noise), (mine[:, None] == drawn).float()

    def all_pictures(self) -> Tensor:
        return self._pictures

    def sequences(self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float) -> Sequences:
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


def _noisy(captions: Tensor, noise: float) -> Tensor:
    return captions + torch.randn_like(captions) * (noise / captions.shape[1] ** 0.5)
