"""Which texts stand for a dataset's classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError
from ...model import EmoCLIP
from ...prompts import CompoundMode, LabelEncoder, PromptBank
from ...prompts.files import LABEL_PLACEHOLDER

__all__ = ["class_bank", "class_vectors"]


def class_bank(
    own: PromptBank, classes: Sequence[str], prompts: str | Path, *, one_text: bool = False
) -> PromptBank:
    """Return a bank in which every class has the texts that an evaluation names.

    Parameters
    ----------
    own : PromptBank
        The model's bank.
    classes : sequence of str
        A compound is its parts joined by ``_``. Whatever the prompts, it is made of its parts'.
    prompts : str or Path
        ``"bank"``: the model's own descriptions (the paper's class descriptions). ``"words"``:
        the bare class name. ``"templates"``: the bank's templates filled with the class name
        (the paper's "prompt ensemble"). A text with ``{label}`` in it: one template, this one.
        Else a YAML file ``name: sentence``.
    one_text : bool
        Only the first text of each class or part: no ensemble.

    Raises
    ------
    DatasetError
        A class, or a part of a compound, has no text.
    PromptError
        The file can't be read.
    """
    where = str(prompts)
    if prompts == "bank":
        bank, where = own, "the model's prompt bank"
    elif prompts in ("words", "templates") or LABEL_PLACEHOLDER in where:
        bank = PromptBank()
        templates = own.templates if prompts == "templates" else (where,)
        for name in dict.fromkeys(part for c in classes for part in _parts(own, c)):
            phrase = name.replace("_", " ")
            texts = [name]
            if prompts != "words":
                texts = [text.replace(LABEL_PLACEHOLDER, phrase) for text in templates]
            bank.add_label(name, texts)
    else:
        bank = PromptBank.from_yaml(prompts)
    if one_text:
        bank = _first_texts(bank, [part for name in classes for part in _parts(own, name)])
    missing: dict[str, None] = {}
    for name in classes:
        parts = _parts(own, name)
        if name not in bank and len(parts) > 1 and all(part in bank for part in parts):
            bank = bank.copy() if bank is own else bank
            bank.add_compound(name, parts)
        elif name not in bank:
            missing.update(dict.fromkeys(part for part in parts if part not in bank))
    if missing:
        raise DatasetError(
            f"{where}: no description of {', '.join(missing)}. Give a file that describes every "
            "class, or take --prompts templates"
        )
    return bank


def class_vectors(
    model: EmoCLIP,
    classes: Sequence[str],
    prompts: str | Path = "bank",
    compound: CompoundMode = "average",
    *,
    one_text: bool = False,
) -> NDArray[np.float32]:
    """Embed class names by the prompts that an evaluation names.

    Parameters
    ----------
    model : EmoCLIP
    classes, prompts, one_text
        See :func:`class_bank`.
    compound : {"average", "concatenate"}
        Eq. 2, or the paper's baseline of joined prompts.

    Returns
    -------
    ndarray, (C, D)
        Unnormalized.
    """
    bank = class_bank(model.prompts, classes, prompts, one_text=one_text)
    encoder = LabelEncoder(bank, lambda texts: model.encode_text(texts).float().cpu().numpy())
    return encoder.embed(classes, compound=compound)[0]


def _first_texts(bank: PromptBank, names: Sequence[str]) -> PromptBank:
    """Return a bank in which each of these labels has its first text alone."""
    bank = bank.copy()
    for name in dict.fromkeys(bank.resolve(name) or "" for name in names):
        if name and name not in bank.compounds:
            bank.add_label(name, bank.descriptions(name)[0])
    return bank


def _parts(own: PromptBank, name: str) -> list[str]:
    """Return the parts of a compound; a class that isn't one is its only part."""
    known = own.resolve(name)
    if known is not None and known in own.compounds:
        return [part for part, _ in own.compounds[known]]
    parts = name.split("_")
    if known is None and len(parts) > 1 and all(part in own for part in parts):
        return parts
    return [name]
