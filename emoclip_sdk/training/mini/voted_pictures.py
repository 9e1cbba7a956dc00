"""Still pictures with votes, for which captions are generated."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import DatasetError
from ..data.captions import Captioner
from ..data.ferplus import Pictures
from ..data.measured_actions import FacialActions
from ..data.states import state_captions
from .action_captions import ActionCaptions
from .heads import PosedHeads, TalkingHeads
from .training_set import Sequences, TextEncoder, add_noise

__all__ = ["VotedPictures"]

_CPU = torch.device("cpu")


class VotedPictures:
    """Still pictures with votes; captions are generated from the votes.

    A picture and a caption belong together to the degree that annotators voted for the caption's
    emotion. Sequences hold random views of one picture; in part of them the expression has an
    onset, an apex and an end, mixed in embedding space with a neutral face. Such a clip counts as
    neutral to the degree that even its most expressive quarter, and at least `apex` frames, are.

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
    actions : FacialActions, optional
        Which actions each picture shows, those of posed heads included, and each clip of `talking`.
    sentences : int
        Captions about single actions to generate.
    states : float
        Share of the captions from votes that are about a state of the prompt bank instead.
    posed : PosedHeads, optional
        More pictures, behind the others. They don't say how common an emotion is.
    share : float
        Of the pictures drawn, the share of these.
    talking : TalkingHeads, optional
        Clips with captions, behind all pictures, which :meth:`weights` never draws.
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
        device: torch.device = _CPU,
        actions: FacialActions | None = None,
        sentences: int = 0,
        states: float = 0.0,
        posed: PosedHeads | None = None,
        share: float = 0.0,
        talking: TalkingHeads | None = None,
    ) -> None:
        rng = np.random.default_rng(seed)
        captioner = Captioner(words, least_actions=1 if actions is None else 2)
        texts = [captioner(name, rng).text for name in pictures.classes for _ in range(pool)]
        read = F.normalize(encode(texts), dim=-1).to(device)
        self._captions = read.view(len(pictures.classes), pool, -1)
        images, votes = [pictures.images], [pictures.votes]
        if posed is not None:
            images.append(posed.images)
            votes.append(posed.votes(pictures.classes))
        if talking is not None:
            votes.append(talking.votes(pictures.classes))
        self._images = torch.from_numpy(np.concatenate(images)).to(device)
        self._votes = torch.from_numpy(np.concatenate(votes)).to(device)
        self._labels = torch.from_numpy(pictures.labels).to(device)
        self._device, self._share = device, share
        given = torch.from_numpy(pictures.votes.sum(axis=0)).to(device)
        self._shares = given**prior * (given > 0)
        self._neutral = pictures.classes.index("neutral")
        calm = pictures.votes[:, self._neutral] > 0.7
        self._calm = torch.from_numpy(calm.nonzero()[0]).to(device)
        self._states = None
        if states:
            voted = [name for name, n in zip(pictures.classes, given, strict=True) if n]
            known = state_captions(voted)
            columns = [pictures.classes.index(name) for name in voted]
            fits = torch.zeros(len(known.texts), len(pictures.classes), device=device)
            fits[:, columns] = torch.from_numpy(known.votes).to(device)
            self._states = _StateCaptions(
                states,
                F.normalize(encode(list(known.texts)), dim=-1).to(device),
                fits,
                fits.T * torch.from_numpy(known.weights).to(device),
            )
        self._actions = None
        if actions is not None:
            if not actions.presence.any():
                raise DatasetError("no landmarks were found in the training pictures")
            self._actions = ActionCaptions.write(actions, encode, sentences, captioner, rng, device)
            # Where nobody is at rest, no expression is there in part, either.
            rest = np.zeros((1, len(actions.names)), np.float32)
            if calm.any():
                rest = actions.presence[: len(pictures)][calm]
            self._at_rest = torch.from_numpy(rest.mean(axis=0)).float().to(device)

    def __len__(self) -> int:
        return len(self._images)

    @property
    def posed(self) -> int:
        return len(self._images) - len(self._labels)

    def weights(self, power: float) -> Tensor:
        counts = torch.bincount(self._labels, minlength=self._votes.shape[1]).clamp(min=1)
        weights = (counts[self._labels] / counts.max()) ** -power
        of_posed = self._share / (1 - self._share) * weights.sum() / max(self.posed, 1)
        return torch.cat([weights, of_posed.expand(self.posed)])

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
        drawn, fits = self._captions[classes, picks], votes[:, classes]
        if self._states is not None:
            told = torch.rand(len(classes), device=self._device) < self._states.share
            told &= self._states.chances.any(dim=1)[classes]
            texts = self._states.draw(classes[told])
            drawn[told] = self._states.captions[texts]
            fits[:, told] = votes @ self._states.fits[texts].T
        return add_noise(drawn, noise), fits

    def action_captions(
        self, rows: Tensor, noise: float, expressed: Tensor | None = None
    ) -> tuple[Tensor, Tensor] | None:
        if self._actions is None:
            return None
        return self._actions.draw(rows, noise, expressed, self._at_rest)

    def all_pictures(self) -> Tensor:
        return self._images

    def sequences(
        self, frames: Tensor, rows: Tensor, length: Tensor, neutral: float = 0.0, apex: int = 1
    ) -> Sequences:
        b, t, views = len(rows), int(length.max()), frames.shape[1]
        device = self._device
        at = torch.arange(t, device=device)
        mask = at < length[:, None]
        picks = torch.randint(views, (b, t), device=device)
        # Where no neutral face was ever seen, none can come before the expression.
        neutral = neutral if len(self._calm) else 0.0
        calm = rows
        if neutral:
            calm = self._calm[torch.randint(len(self._calm), (b,), device=device)]
        expressive, at_rest = frames[rows[:, None], picks], frames[calm[:, None], picks]

        still = (torch.rand(b, device=device) >= neutral) | (length < 3)
        degree = torch.where(still[:, None], 1.0, _envelope(length, t)) * mask
        clips = torch.lerp(at_rest, expressive, degree[..., None])

        top = degree.sort(dim=1, descending=True).values
        # The apex: a quarter of a long clip, of a short one `apex` frames.
        apex_frames = torch.maximum((length / 4).ceil(), length.clamp(max=apex))
        in_apex = at < apex_frames[:, None]
        expressed = (top * in_apex).sum(1) / in_apex.sum(1)
        shown = degree / degree.sum(1, keepdim=True).clamp(min=1e-6)
        rest = mask / mask.sum(1, keepdim=True)
        summary = torch.lerp(
            (F.normalize(at_rest, dim=-1) * rest[..., None]).sum(1),
            (F.normalize(expressive, dim=-1) * shown[..., None]).sum(1),
            expressed[:, None],
        )
        return Sequences(clips, mask, summary, expressed)


@dataclass(frozen=True)
class _StateCaptions:
    """T captions (T, D), their share, how each fits each class (T, C), chances by class (C, T)."""

    share: float
    captions: Tensor
    fits: Tensor
    chances: Tensor

    @functools.cached_property
    def _until(self) -> Tensor:
        """Chances summed up to each caption, from c to c + 1 in class c: (C * T,)."""
        sums = self.chances.double().cumsum(dim=1)
        sums = sums / sums[:, -1:].clamp(min=1e-12)
        return (sums + torch.arange(len(sums), device=sums.device)[:, None]).flatten()

    def draw(self, classes: Tensor) -> Tensor:
        """Draw a caption of each class (N,) that has any: (N,)."""
        at = classes + torch.rand(len(classes), dtype=torch.float64, device=classes.device)
        return torch.searchsorted(self._until, at, right=True) % self.chances.shape[1]


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
