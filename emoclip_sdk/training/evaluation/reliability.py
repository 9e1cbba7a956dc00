"""What of a model's labels can be trusted: measured on FER+, for its ``reliability.json``."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml

from ...checkpoints.folder import CONFIG_FILE
from ...checkpoints.reliability import (
    RELIABILITY_FILE,
    MeasuredClass,
    MeasuredReliability,
)
from ...config import ModelConfig
from ...errors import CheckpointError
from ...inference.reliability import neighbor_likeness
from ...inference.scorer import cosine_similarities
from ...model import EmoCLIP
from ...prompts.facial_actions import action_wordings
from ...prompts.unreadable import listed_words
from ..data.captions import load_lexicon
from ..data.corpus import wordnet_texts
from .card.actions import measured_actions
from .card.rows import EvaluatedPictures
from .card.wording import SYNONYMS, class_centers
from .presence import measured_presence

__all__ = ["measure_reliability", "write_reliability"]

_WORD = re.compile(r"[^\W\d_]{3,}")


def measure_reliability(
    split: EvaluatedPictures,
    *,
    about: Mapping[str, str],
    wordnet: Path | None = None,
    keep: float = 0.9,
    n_words: int = 400,
    seed: int = 0,
) -> MeasuredReliability:
    """Measure which labels a model reads, and from where on a text is too far from all of them.

    Parameters
    ----------
    split : EvaluatedPictures
        The model, and pictures that nothing was trained on.
    about : mapping of str to str
        ``command``, ``dataset`` and ``weights`` of the result.
    wordnet : Path, optional
        Folder of WordNet, where the text tower was trained on it: its words, and those of the
        generated captions, are the vocabulary.
    keep : float
        Of words for expressions that no caption of training holds, the share that is readable.
    n_words : int
        Words of the training captions to keep; they are drawn from all classes alike.
    seed : int
        Of the choice of words.
    """
    model, classes = split.model, split.classes
    centers = class_centers(split)
    right = split.scores.argmax(axis=1) == split.labels
    words = _words_read_right(split, centers, n_words, seed)
    wordings = [wording for known in action_wordings().values() for wording in known]
    neighbors = _sentences(model, [*words, *wordings])
    groups: dict[str, list[str]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    unseen = {word: name for name, known in groups.items() if name in classes for word in known}
    likeness = neighbor_likeness(_sentences(model, list(unseen)), neighbors)
    threshold = round(float(np.quantile(likeness, 1 - keep)), 4)
    others = [word for listed in listed_words().values() for word in listed]
    refused = neighbor_likeness(_sentences(model, others), neighbors) < threshold
    vectors = np.concatenate([model.embed_labels([word])[0] for word in unseen])
    read_as = np.nan_to_num(cosine_similarities(vectors, centers), nan=-1).argmax(axis=1)
    hits = [classes[i] == name for i, name in zip(read_as, unseen.values(), strict=True)]
    return MeasuredReliability(
        **about,
        classes=tuple(
            MeasuredClass(
                name,
                round(float(right[rows].mean()), 4),
                int(rows.sum()),
                tuple(round(float(value), 4) for value in centers[i]),
            )
            for i, name in enumerate(classes)
            if (rows := split.labels == i).any()
        ),
        words=tuple(words),
        min_likeness=threshold,
        actions=measured_actions(split),
        keep=keep,
        refused=round(float(refused.mean()), 4),
        other_words=round(float(np.mean(hits)), 4),
        vocabulary="" if wordnet is None else " ".join(_vocabulary(wordnet)),
        presence=measured_presence(split),
    )


def _vocabulary(wordnet: Path) -> list[str]:
    """Return the words of WordNet's lemmas, definitions and examples, and of captions."""
    texts = [text.text for text in wordnet_texts(wordnet)]
    for lexicon in load_lexicon().values():
        texts += [word for word, _ in lexicon.adjectives + lexicon.nouns]
        texts += lexicon.paraphrases
    texts += [wording for known in action_wordings().values() for wording in known]
    return sorted({word for text in texts for word in _WORD.findall(text.lower())})


def _sentences(model: EmoCLIP, texts: list[str]) -> np.ndarray:
    return model.encoder.texts(texts, head=False).cpu().numpy()


def _words_read_right(
    split: EvaluatedPictures, centers: np.ndarray, n: int, seed: int
) -> list[str]:
    """Return words and clauses of the captions that find the faces of their class.

    Of each class alike many, where it has so many.
    """
    rng = np.random.default_rng(seed)
    chosen: list[str] = []
    for name, lexicon in load_lexicon().items():
        if name not in split.classes:
            continue
        graded = [word for word, _ in lexicon.adjectives + lexicon.nouns]
        words = list(dict.fromkeys([*graded, *lexicon.paraphrases]))
        words = [word for word in words if "," not in word]  # which a label takes for a list
        vectors = np.concatenate([split.model.embed_labels([word])[0] for word in words])
        nearest = np.nan_to_num(cosine_similarities(vectors, centers), nan=-1).argmax(axis=1)
        right = [w for w, i in zip(words, nearest, strict=True) if split.classes[i] == name]
        share = -(-n // len(split.classes))
        chosen += [right[i] for i in sorted(rng.permutation(len(right))[:share])]
    return chosen


def write_reliability(folder: Path, measured: MeasuredReliability, margin: float) -> None:
    """Put what was measured into a checkpoint: its file, and the margin into its configuration.

    Raises
    ------
    CheckpointError
        The folder is no checkpoint or can't be written.
    """
    config = ModelConfig.from_json_file(folder / CONFIG_FILE)
    calibration = dataclasses.replace(config.calibration, margin=margin)
    config = dataclasses.replace(config, calibration=calibration)
    texts = {RELIABILITY_FILE: measured.to_json(), CONFIG_FILE: config.to_json()}
    try:
        with tempfile.TemporaryDirectory(prefix=".saving-", dir=folder) as temporary:
            for name, text in texts.items():
                staged = Path(temporary, name)
                staged.write_text(text, encoding="utf-8")
                os.replace(staged, folder / name)
    except OSError as error:
        raise CheckpointError(f"{folder}: can't be written ({error})") from error
