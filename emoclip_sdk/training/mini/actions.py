"""The last stage of the recipe `mini`: the space of facial actions beside finished weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ...errors import DatasetError
from ...nn import DualEncoder
from ...nn.losses import contrastive_loss
from ..data.action_texts import ActionTexts
from ..data.captions import Captioner
from ..data.measured_actions import FacialActions
from ..engine.optim import Amp, freeze
from ..engine.plan import Plan, WeightedPlan
from ..heads.actions import SIDE_ACTIONS
from .heads import MeasuredHeads
from .settings import ActionSettings
from .training_set import TrainingSet, add_noise

__all__ = ["ActionTask", "ReadTexts", "read_texts", "set_level", "weakest"]

SPAN = 16
"""Frames of the longest training clip."""
REST, FULL, SHOWN = 0.1, 0.5, 0.8
"""How far an action is there: in a face at rest at most, rather than not, for sure."""
OF_BEHAVIORS, OF_SEVERAL = 0.12, 0.3
"""Shares of the captions of what a face does that are about a behavior, and about two to four
actions at once."""
SEVERAL = 4
"""Actions that a caption names at most."""
OF_HEADS = 0.6
"""Share of the clips in which something changes that are of rendered heads."""
FROM_VOTES = 32
"""Captions from votes for each one of actions, where they are told apart."""
TOKEN_NOISE = 0.1
"""Noise on each token, relative to its size and to the noise on sentences."""


@dataclass(frozen=True)
class ReadTexts:
    """M captions as the frozen text tower reads them.

    Attributes
    ----------
    tokens : Tensor, (M, L, 2 W), float16
        What the space of actions reads of each token.
    mask : Tensor of bool, (M, L)
    sentences : Tensor, (M, S)
        Unit vectors.
    about : Tensor of int, (M, K)
        What a caption is about: K actions, of which one may stand several times; a side; or the
        first and the second action, and whether the second is mentioned first.
    """

    tokens: Tensor
    mask: Tensor
    sentences: Tensor
    about: Tensor

    def draw(self, rows: Tensor, noise: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens, mask and sentences of some captions, with noise on the embeddings.

        `noise` is the norm of that on a sentence; each token has as much, relative to its own.
        """
        mask = self.mask[rows]
        longest = int(mask.sum(dim=1).max())
        tokens = self.tokens[rows, :longest].float()
        size = tokens.square().mean().sqrt()
        tokens = tokens + torch.randn_like(tokens) * size * noise * TOKEN_NOISE
        return tokens, mask[:, :longest], add_noise(self.sentences[rows], noise)


# From N texts, each about K of something (N, K).
Reader = Callable[[list[str], NDArray[np.int64]], ReadTexts]


@dataclass(frozen=True)
class _Clips:
    """B clips of shapes (B, T, F), a mask (B, T), and what is seen first and last (B, A)."""

    shapes: Tensor
    mask: Tensor
    first: Tensor
    last: Tensor

    @property
    def shown(self) -> Tensor:
        return torch.maximum(self.first, self.last)


class ActionTask:
    """The space of actions learns to match clips with captions of what the faces do.

    Captions of one action, of several at once, and of behaviors that show in one or two, are
    contrasted with pictures, with heads and with clips; those of one side with heads and their
    mirror images; those of two actions in order with clips and their reverse, laid out over two
    pictures that differ. How far a text is about actions is learned beside it, from these captions
    and those from votes. All else in the network stays as it is.

    Parameters
    ----------
    network : DualEncoder
        Finished but for its space of actions.
    data : TrainingSet
    shapes, mirrored : Tensor, (P, F)
        Of its pictures and of their mirror images; NaN: none.
    actions : FacialActions
        What the pictures show.
    settings : ActionSettings
    read : callable
        Reads N texts, each about K of something (N, K).
    heads : MeasuredHeads, optional
        Without them nothing is learned of sides.
    seed : int
        Of captions and clips.
    """

    def __init__(
        self,
        network: DualEncoder,
        data: TrainingSet,
        shapes: Tensor,
        mirrored: Tensor,
        actions: FacialActions,
        settings: ActionSettings,
        read: Reader,
        heads: MeasuredHeads | None,
        seed: int,
    ) -> None:
        if network.actions is None or network.shape is None:
            raise ValueError("the network has no space of actions")
        self.module: nn.Module = network
        self._space, self._stream = network.actions, network.shape
        self._scale = network.logit_scale
        self._device = network.logit_scale.device
        self._data, self._settings = data, settings
        rng = np.random.default_rng(seed)
        texts, captioner = ActionTexts.read(), Captioner(least_actions=2)
        names = tuple(dict.fromkeys([*actions.names, *(heads.actions.names if heads else ())]))
        self._pictures = len(shapes)
        views, presence = (
            [torch.stack([shapes, mirrored], dim=1).half()],
            [_widened(actions, names)],
        )
        if heads is not None:
            views.append(torch.stack([heads.shapes, heads.mirrored], dim=1).half())
            presence.append(_widened(heads.actions, names))
        self._views = torch.cat(views).to(self._device)
        self._presence = torch.cat(presence).to(self._device)
        seen = torch.isfinite(self._views[: self._pictures, :, 0]).all(dim=1)
        if not seen.any():
            raise DatasetError("no landmarks were found in the training pictures")
        self._measured = seen.nonzero()[:, 0]
        self._captions = self._write_actions(names, texts, captioner, read, rng)
        self._of_order = self._write_order(names, texts, read, rng)
        self._by_pair: dict[tuple[int, int], list[int]] = {}
        for row, (first, second, _) in enumerate(self._of_order.about.tolist()):
            self._by_pair.setdefault((first, second), []).append(row)
        columns = [names.index(name) for name in texts.ordered if name in names]
        self._ordered = torch.tensor(columns, device=self._device)
        shown = (self._presence[: self._pictures, columns] > SHOWN).cpu().numpy()
        self._showing = [np.flatnonzero(column) for column in shown.T if column.any()]
        self._heads = torch.arange(self._pictures, len(self._views), device=self._device)
        if heads is not None:
            self._know_heads(heads, texts, read, rng)
        freeze(network, settings.optim.lr)

    def _write_actions(
        self,
        names: tuple[str, ...],
        texts: ActionTexts,
        captioner: Captioner,
        read: Reader,
        rng: np.random.Generator,
    ) -> ReadTexts:
        said = [i for i, name in enumerate(names) if name in texts.wordings]
        behaviors = [name for name, parts in texts.behaviors.items() if set(parts) <= set(names)]
        count = self._settings.captions
        of_behaviors = round(OF_BEHAVIORS * count) if behaviors else 0
        several = self._drawn_together(said, round(OF_SEVERAL * count), rng)
        lines, about = [], []
        for i in np.resize(said, count - of_behaviors - len(several)).tolist():
            lines.append(texts.action(names[i], captioner, rng))
            about.append([i])
        for name in np.resize(behaviors, of_behaviors).tolist():
            lines.append(texts.behavior(name, rng))
            about.append([names.index(part) for part in texts.behaviors[name]])
        for together in several:
            lines.append(texts.several([names[i] for i in together], captioner, rng))
            about.append(together)
        return read(lines, np.array([np.resize(actions, SEVERAL) for actions in about]))

    def _drawn_together(
        self, said: list[int], count: int, rng: np.random.Generator
    ) -> list[list[int]]:
        """Draw two to four actions that some picture or head shows, each about as often."""
        shown = (torch.nan_to_num(self._presence[:, said]) > FULL).cpu().numpy()
        rarity = 1 / np.maximum(shown.sum(axis=0), 1)
        shown = shown[shown.sum(axis=1) > 1]
        showing = [rows for column in shown.T if len(rows := np.flatnonzero(column))]
        drawn = []
        for i in range(count if showing else 0):
            row = shown[rng.choice(showing[i % len(showing)])]
            n = int(rng.integers(2, min(SEVERAL, row.sum()) + 1))
            chances = row * rarity
            picks = rng.choice(len(said), n, replace=False, p=chances / chances.sum())
            drawn.append([said[k] for k in picks])
        return drawn

    def _write_order(
        self, names: tuple[str, ...], texts: ActionTexts, read: Reader, rng: np.random.Generator
    ) -> ReadTexts:
        known = [i for i, name in enumerate(names) if name in texts.ordered]
        pairs = np.array([(i, j) for i in known for j in known if i != j])
        about = np.resize(pairs, (self._settings.captions, 2))
        said = [texts.sequence(names[i], names[j], rng) for i, j in about]
        backward = np.array([reverse for _, reverse in said], np.int64)[:, None]
        return read([text for text, _ in said], np.concatenate([about, backward], axis=1))

    def _know_heads(
        self, heads: MeasuredHeads, texts: ActionTexts, read: Reader, rng: np.random.Generator
    ) -> None:
        rows = [np.flatnonzero(heads.people == person) for person in np.unique(heads.people)]
        shown = self._presence[self._pictures :, self._ordered]
        still = (torch.nan_to_num(shown).amax(dim=1) < REST).cpu().numpy()
        self._people = [part + self._pictures for part in rows]
        self._at_rest = [part[still[part]] + self._pictures for part in rows]
        self._sides = torch.from_numpy(heads.sides.presence).to(self._device)
        known = heads.sides.names
        self._swapped = [known.index(_other_side(name)) for name in known]
        self._one_sided = (self._sides.amax(dim=1) > FULL).nonzero()[:, 0]
        about = np.arange(max(self._settings.captions // 4, len(known))) % len(known)
        lines = [texts.side(*SIDE_ACTIONS[known[i]], rng) for i in about]
        self._of_sides = read(lines, about[:, None])

    def plan(self, seed: int) -> WeightedPlan:
        """Return the order in which samples are drawn: one epoch of `steps`."""
        settings = self._settings
        return WeightedPlan(
            weights=np.ones(len(self._data)),
            batch_size=settings.optim.batch_size,
            epochs=1,
            epoch_steps=settings.steps,
            seed=seed,
        )

    def batches(self, plan: Plan) -> Iterator[Tensor]:
        for _, rows in plan:
            yield torch.tensor(rows, device=self._device)

    def train(self) -> None:
        self.module.eval()
        self._space.train()

    def backward(self, batch: Tensor, amp: Amp) -> Tensor:
        settings, space = self._settings, self._space
        texts = torch.randint(len(self._captions.about), (len(batch),), device=self._device)
        about = self._captions.about[texts]
        named = space.texts(*self._captions.draw(texts, settings.text_noise))
        stills = self._stills(self._drawn(self._measured, len(batch)))
        loss = self._contrast(self._embed(stills), named, weakest(stills.first, about))
        if len(self._heads):
            stills = self._stills(self._drawn(self._heads, len(batch)))
            video = self._embed(stills)
            fits = weakest(stills.first, about)
            loss = loss + settings.heads * self._contrast(video, named, fits)
            loss = loss + settings.sides * self._of_one_side()
        if len(self._showing) > 1 or len(self._heads):
            loss = loss + settings.order * self._in_order(named, about)
        loss = loss + self._told_apart(batch)
        amp.scaler.scale(loss).backward()
        return loss.detach()

    def _drawn(self, rows: Tensor, count: int) -> Tensor:
        return rows[torch.randint(len(rows), (count,), device=self._device)]

    def _contrast(self, video: Tensor, text: Tensor, fits: Tensor) -> Tensor:
        """Contrast clips with those texts of which is known how they fit them (NaN: not)."""
        known = torch.isfinite(fits).all(dim=0)
        return contrastive_loss(video, text[known], self._scale, fits[:, known])

    def _embed(self, clips: _Clips) -> Tensor:
        """Embed clips as training shows them: noise on each frame, some without a shape."""
        settings = self._settings
        features = self._stream.standardized(clips.shapes)
        features = features + torch.randn_like(features) * settings.shape_noise
        unseen = torch.rand(len(features), 1, 1, device=self._device) < settings.without_shape
        frames = self._space.frames(features.masked_fill(unseen, torch.nan))
        return self._space.pool(frames, clips.mask)

    def _stills(self, rows: Tensor) -> _Clips:
        """Return clips in which nothing changes: (B, T, F), each of one view."""
        length = torch.randint(1, SPAN // 4 + 1, (len(rows),), device=self._device)
        mask = torch.arange(SPAN // 4, device=self._device) < length[:, None]
        mirrored = torch.randint(2, (len(rows),), device=self._device)
        shapes = self._views[rows, mirrored].float()[:, None].expand(-1, mask.shape[1], -1)
        return _Clips(shapes, mask, self._presence[rows], self._presence[rows])

    def _of_one_side(self) -> Tensor:
        """Contrast captions of one side with heads and their mirror images."""
        settings = self._settings
        rows = self._drawn(self._one_sided, settings.optim.batch_size // 2)
        views = self._views[self._pictures + rows].float()
        shapes = torch.cat([views[:, 0], views[:, 1]])[:, None]
        shown = torch.cat([self._sides[rows], self._sides[rows][:, self._swapped]])
        mask = shapes.new_ones(shapes.shape[:2], dtype=torch.bool)
        texts = torch.randint(len(self._of_sides.about), (len(shown),), device=self._device)
        said = self._space.texts(*self._of_sides.draw(texts, settings.text_noise))
        video = self._embed(_Clips(shapes, mask, shown, shown))
        return contrastive_loss(video, said, self._scale, shown[:, self._of_sides.about[texts, 0]])

    def _in_order(self, named: Tensor, about: Tensor) -> Tensor:
        """Contrast captions of two actions with clips and their reverse."""
        space = self._space
        # A generator of this step alone: a run that was interrupted goes on by torch's.
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        clips = self._reversible(self._settings.optim.batch_size // 2, rng)
        began, ended = torch.nan_to_num(clips.first), torch.nan_to_num(clips.last)
        first, last = began[:, self._ordered], ended[:, self._ordered]
        chances = (first * (1 - last))[:, :, None] * (last * (1 - first))[:, None]
        chances = chances.flatten(1)
        fit = chances.amax(dim=1) > FULL
        video = self._embed(clips)
        loss = self._contrast(video, named, weakest(clips.shown, about))
        columns, n = self._ordered.tolist(), len(self._ordered)
        picks = torch.multinomial(chances[fit], 1)[:, 0].tolist() if fit.any() else []
        known = [self._by_pair.get((columns[i // n], columns[i % n]), []) for i in picks]
        drawn = [int(rng.choice(texts)) for texts in known if texts]
        if not drawn:
            return loss
        rows = torch.tensor(drawn, device=self._device)
        one, two, backward = space.read(*self._of_order.draw(rows, self._settings.text_noise))
        said = space.in_order(one, two, backward)
        a, b, reverse = self._of_order.about[rows].T
        fits = began[:, a] * (1 - ended[:, a]) * ended[:, b] * (1 - began[:, b])
        loss = loss + contrastive_loss(video, said, self._scale, fits * (fits > REST))
        # What is mentioned, and in which order of time: else the one is not learned for the other.
        loss = loss + F.binary_cross_entropy_with_logits(backward[:, 0], reverse.float())
        shown = video.chunk(2, dim=-1)[0]
        mentioned = (torch.where(reverse > 0, b, a), torch.where(reverse > 0, a, b))
        for slot, action in zip((one, two), mentioned, strict=True):
            fits = torch.nan_to_num(clips.shown[:, action])
            loss = loss + contrastive_loss(shown, slot, self._scale, fits) / 2
        return loss

    def _reversible(self, count: int, rng: np.random.Generator) -> _Clips:
        """Lay out clips over two pictures, first one and then the other: each beside its reverse.

        Two of one head, with its face at rest before, between and after; or two of two people.
        """
        device = self._device
        rows = np.zeros((2 * count, SPAN), np.int64)
        mask = np.zeros((2 * count, SPAN), bool)
        ends = np.zeros((2 * count, 2), np.int64)
        for k in range(0, 2 * count, 2):
            pair, rest = self._pair(rng)
            layout = _layout(rng, rest is not None)
            for row, (one, two) in ((k, pair), (k + 1, pair[::-1])):
                rows[row, : len(layout)] = np.array([one, two, one if rest is None else rest])[
                    layout
                ]
                ends[row] = one, two
            mask[k : k + 2, : len(layout)] = True
        mirrored = torch.from_numpy(np.repeat(rng.integers(2, size=count), 2)).to(device)
        shapes = self._views[torch.from_numpy(rows).to(device), mirrored[:, None]].float()
        first, last = self._presence[torch.from_numpy(ends).to(device)].unbind(dim=1)
        return _Clips(shapes, torch.from_numpy(mask).to(device), first, last)

    def _pair(self, rng: np.random.Generator) -> tuple[tuple[int, int], int | None]:
        """Draw two pictures that differ, and one of the same face at rest where there is one."""
        if len(self._heads) and (len(self._showing) < 2 or rng.random() < OF_HEADS):
            person = rng.integers(len(self._people))
            one, two = rng.choice(self._people[person], 2, replace=False)
            rest = self._at_rest[person]
            return (int(one), int(two)), int(rng.choice(rest)) if len(rest) else None
        actions = rng.choice(len(self._showing), 2, replace=False)
        one, two = (int(rng.choice(self._showing[i])) for i in actions)
        return (one, two), None

    def _told_apart(self, batch: Tensor) -> Tensor:
        """Tell captions of actions from captions from votes."""
        noise = self._settings.text_noise / 2
        from_votes, _ = self._data.captions(batch, FROM_VOTES, noise)
        kinds = [self._captions, self._of_order]
        if len(self._heads):
            kinds.append(self._of_sides)
        parts = []
        for known in kinds:
            rows = torch.randint(
                len(known.sentences), (-(-len(batch) // len(kinds)),), device=self._device
            )
            parts.append(add_noise(known.sentences[rows], noise))
        sentences = torch.cat([from_votes, *parts])
        share = self._space.share(sentences)[:, 0]
        truth = torch.zeros_like(share)
        truth[len(from_votes) :] = 1
        return F.binary_cross_entropy(share, truth)


def read_texts(
    network: DualEncoder, tokenize: Callable[[list[str]], Tensor], texts: list[str]
) -> tuple[Tensor, Tensor, Tensor]:
    """Read N texts: what is known of tokens (N, L, 2 W), mask (N, L), unit sentences (N, S)."""
    assert network.actions is not None
    tower, device = network.towers.text, network.logit_scale.device
    tokens = tokenize(texts)
    length = int(tokens.argmax(dim=-1).max()) + 1
    states, sentences = [], []
    with torch.no_grad():
        for part in tokens[:, :length].split(500):
            inputs, outputs, end = tower.states(part.to(device))
            sentences.append(F.normalize(tower.project(outputs, end), dim=-1))
            read = network.actions.tokens(inputs, outputs)
            states.append(F.pad(read, (0, 0, 0, length - read.shape[1])).half())
    mask = torch.arange(length) <= tokens.argmax(dim=-1)[:, None]
    return torch.cat(states), mask.to(device), torch.cat(sentences)


def set_level(network: DualEncoder, shapes: Tensor, level: float) -> None:
    """Set the level of texts about actions, by photographs with shapes (P, F); NaN: none."""
    space, stream = network.actions, network.shape
    assert space is not None and stream is not None
    seen = shapes[torch.isfinite(shapes[:, 0])].to(network.logit_scale.device)
    with torch.no_grad():
        frames = [space.frames(stream.standardized(part))[:, None] for part in seen.split(1000)]
        space.set_level(torch.cat([space.pool(part) for part in frames]), level)


def _widened(actions: FacialActions, names: tuple[str, ...]) -> Tensor:
    """Return the presence of `names`, (N, A); NaN where nothing is known of an action."""
    presence = torch.full((len(actions.presence), len(names)), torch.nan)
    columns = [names.index(name) for name in actions.names]
    presence[:, columns] = torch.from_numpy(actions.presence).float()
    return presence


def weakest(presence: Tensor, about: Tensor) -> Tensor:
    """Return how far each of N faces (N, A) shows all of K actions (M, K): (N, M)."""
    return presence[:, about].amin(dim=2)


def _other_side(name: str) -> str:
    action, _, side = name.rpartition("_")
    return f"{action}_{'right' if side == 'left' else 'left'}"


def _layout(rng: np.random.Generator, rest: bool) -> list[int]:
    """Draw which picture each frame of a clip shows: 0, then 1; 2 (at rest) anywhere around."""
    parts = [int(rng.integers(1, SPAN // 4 + 1)) for _ in range(2)]
    gaps = [0, 0, 0]
    if rest and rng.random() < 0.7:
        gaps = [int(rng.integers(0, SPAN // 6 + 2)) for _ in range(3)]
    frames = [2] * gaps[0] + [0] * parts[0] + [2] * gaps[1] + [1] * parts[1] + [2] * gaps[2]
    return frames[:SPAN]
