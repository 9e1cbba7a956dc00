"""Stage 1 of the recipe `mini`: a text tower that knows English before it meets a face.

A pretrained sentence encoder (the teacher) is distilled into open_clip's text transformer on
CLIP's tokenizer, so that the model ships without the teacher and without its package.

A small sentence encoder knows rare words badly, but it can read a dictionary
(``tools/dictionary_study.py``). With the recipe key ``text.definitions``, where a text names a
feeling or a look by a word of WordNet, the student learns the teacher's embedding of the text *and*
those of the word's definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ...nn import DualEncoder, Towers, clip_tokenizer
from ..data.captions import Captioner
from ..data.corpus import Text, definitions, templated_texts, wordnet_texts
from ..data.facial_actions import EMOTION_ACTIONS
from ..engine.bag_of_words import start_as_bag_of_words
from ..engine.optim import Amp, freeze
from ..engine.plan import LengthSortedPlan, Plan
from .settings import TextSettings
from .teacher import Teacher

__all__ = ["DistillationTask", "build_corpus", "distillation_task", "teacher_targets"]

# Texts that are not trained on.
HELD_OUT = 1000


@dataclass
class DistillationTask:
    """The text transformer learns the teacher's embeddings.

    Parameters
    ----------
    network : DualEncoder
        Its joint width is the teacher's.
    tokens : Tensor of int32, (N, L)
        The first `HELD_OUT` are for validation.
    targets : Tensor, (N, D)
        Unit vectors.
    """

    network: DualEncoder
    tokens: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        self.module: nn.Module = self.network

    def plan(self, settings: TextSettings, seed: int) -> LengthSortedPlan:
        """Return the order in which the texts are read; its rows count from the first trained."""
        lengths = self.tokens[HELD_OUT:].argmax(dim=-1).cpu().numpy()  # the end token's place
        return LengthSortedPlan(
            lengths=lengths, batch_size=settings.optim.batch_size, epochs=settings.epochs, seed=seed
        )

    def batches(self, plan: Plan) -> Iterator[tuple[Tensor, Tensor]]:
        for _, rows in plan:
            places = torch.tensor(rows, device=self.tokens.device) + HELD_OUT
            yield self.tokens[places].long(), self.targets[places]

    def train(self) -> None:
        self.network.eval().towers.text.train()

    def backward(self, batch: tuple[Tensor, Tensor], amp: Amp) -> Tensor:
        tokens, targets = batch
        # On a CPU the fused attention takes twice as long to go back through texts so short.
        with sdpa_kernel(SDPBackend.MATH):
            with amp.autocast():
                embeddings = self.network.towers.text(tokens).float()
            # Squared distance to a unit vector: matches direction and length at once.
            loss = (embeddings - targets).square().sum(dim=1).mean()
            amp.scaler.scale(loss).backward()
        return loss.detach()

    def validate(self) -> dict[str, float]:
        """Return the mean cosine similarity to the targets on held-out texts."""
        text = self.network.towers.text.eval()
        tokens, targets = self.tokens[:HELD_OUT].long(), self.targets[:HELD_OUT]
        with torch.no_grad():
            embeddings = torch.cat([text(part) for part in tokens.split(250)])
        return {"score": float(F.cosine_similarity(embeddings, targets).mean())}


def distillation_task(
    network: DualEncoder,
    tokenize: Callable[[list[str]], Tensor],
    teacher: Teacher,
    settings: TextSettings,
    *,
    words: float,
    seed: int,
) -> DistillationTask:
    """Collect the texts, let the teacher read them, and start the student from its words.

    Parameters
    ----------
    network : DualEncoder
        Changed in place: its text transformer starts as a bag of words, and it alone learns.
    tokenize : callable
        Texts to tokens (N, L).
    teacher : Teacher
    settings : TextSettings
    words : float
        Share of generated captions that name the emotion.
    seed : int
    """
    device = network.logit_scale.device
    texts = build_corpus(settings, words, seed)
    np.random.default_rng(seed).shuffle(texts)
    # Of the teacher in bfloat16 the cosine to float32 is 0.9999.
    with Amp(settings.optim.precision, device).autocast():
        targets = torch.from_numpy(teacher_targets(texts, teacher, settings))
    lines = [text.text for text in texts]
    tokens = torch.cat(
        [tokenize(lines[i : i + 4096]).to(torch.int32) for i in range(0, len(lines), 4096)]
    )
    _start_from_teacher(network.towers, teacher)
    freeze(network, settings.optim.lr)
    return DistillationTask(network, tokens.to(device), targets.to(device))


def build_corpus(settings: TextSettings, words: float, seed: int) -> list[Text]:
    """Collect WordNet, templated words and generated captions; see :class:`TextSettings`."""
    rng = np.random.default_rng(seed)
    captioner = Captioner(words)
    emotions = list(EMOTION_ACTIONS)
    texts = [t for t in wordnet_texts(settings.wordnet) if len(t.text) <= settings.longest]
    texts += templated_texts(settings.templated, rng, Path(settings.wordnet))
    texts += [captioner(emotions[i % len(emotions)], rng) for i in range(settings.captions)]
    return list({text.text: text for text in texts}.values())


def teacher_targets(
    texts: list[Text], teacher: Teacher, settings: TextSettings
) -> NDArray[np.float32]:
    """Return the embedding that the student is to give of each text: (N, D), unit length.

    A text that names a word of the dictionary: the teacher's embedding of the text plus
    `definitions` times the share of the word times the mean of the embeddings of its senses.
    """
    senses = definitions(settings.wordnet) if settings.definitions else {}
    named = {t.word.lower() for t in texts if t.word and t.word.lower() in senses}
    lines = [line for word in sorted(named) for line in senses[word]]
    written = [text.text for text in texts]
    read = teacher([*written, *lines])
    targets = read[: len(written)]
    of_line = dict(zip(lines, read[len(written) :], strict=True))
    meaning = {word: np.mean([of_line[line] for line in senses[word]], axis=0) for word in named}
    for i, text in enumerate(texts):
        if text.word and (vector := meaning.get(text.word.lower())) is not None:
            targets[i] += settings.definitions * text.share * vector / np.linalg.norm(vector)
    return targets / np.linalg.norm(targets, axis=1, keepdims=True)


def _start_from_teacher(towers: Towers, teacher: Teacher) -> None:
    """Start as a bag of words, each token with the teacher's embedding of it."""
    tokenizer = clip_tokenizer()
    words = [tokenizer.decode([i]).strip() or "." for i in range(tokenizer.vocab_size - 2)]
    start_as_bag_of_words(towers.text, torch.from_numpy(teacher(words)))
