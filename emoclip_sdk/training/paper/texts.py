"""What text a clip is trained with: its caption, or a description of its class."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import DatasetError
from ...prompts import PromptBank, compose
from ..data.datasets.clips import Clip
from ..data.frames import clip_rng
from .settings import ObjectiveSettings

__all__ = ["TextTable", "text_table"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextTable:
    """All texts of a training split, each once, and the ones that each clip may be given.

    Attributes
    ----------
    clips : tuple of Clip
        Those that have a text.
    texts : tuple of str
    candidates : tuple of tuple of int
        For each clip the rows of `texts` from which one is drawn.
    """

    clips: tuple[Clip, ...]
    texts: tuple[str, ...]
    candidates: tuple[tuple[int, ...], ...]

    def draw(self, row: int, seed: int, epoch: int) -> int:
        """Return the row of the text that a clip has in an epoch."""
        rows = self.candidates[row]
        if len(rows) == 1:
            return rows[0]
        return rows[int(clip_rng(seed, epoch, self.clips[row].id, "text").integers(len(rows)))]


def text_table(
    clips: Sequence[Clip],
    classes: tuple[str, ...],
    bank: PromptBank,
    objective: ObjectiveSettings,
) -> TextTable:
    """Collect the texts of clips.

    Parameters
    ----------
    clips : sequence of Clip
    classes : tuple of str
    bank : PromptBank
    objective : ObjectiveSettings
        `texts` and `one_text`. Captions: a neutral clip has none and gets two of the bank's neutral
        sentences, joined (the paper, section IV); any other clip without one is left out, which is
        logged. Descriptions: one of its class, with `one_text` always the first; of a compound,
        one of each part, joined.

    Raises
    ------
    DatasetError
        No clip has a text.
    """
    neutral = [f"{a} {b}" for a, b in itertools.permutations(bank.neutral_sentences, 2)]
    described = [_descriptions(bank, name) for name in classes]
    if objective.one_text:
        described = [own[:1] for own in described]
    with_texts: list[tuple[Clip, list[str]]] = []
    for clip in clips:
        name = None if clip.label is None else classes[clip.label]
        if objective.texts == "descriptions":
            own = [] if clip.label is None else described[clip.label]
        elif clip.caption:
            own = [clip.caption]
        else:
            own = neutral if name is not None and bank.resolve(name) == "neutral" else []
        if own:
            with_texts.append((clip, own))
    what = "caption" if objective.texts == "captions" else "label"
    if not with_texts:
        raise DatasetError(
            f"none of the {len(clips)} training clips has a {what}: this objective needs one"
        )
    if len(with_texts) < len(clips):
        log.warning("%d training clips without a %s left out", len(clips) - len(with_texts), what)
    places = {
        text: i for i, text in enumerate(dict.fromkeys(t for _, own in with_texts for t in own))
    }
    return TextTable(
        tuple(clip for clip, _ in with_texts),
        tuple(places),
        tuple(tuple(places[text] for text in own) for _, own in with_texts),
    )


def _descriptions(bank: PromptBank, label: str) -> list[str]:
    label_text = compose(bank, label)
    if not label_text.parts:
        return list(label_text.texts)
    parts = [_descriptions(bank, part) for part, _ in label_text.parts]
    return [" ".join(choice) for choice in itertools.product(*parts)]
