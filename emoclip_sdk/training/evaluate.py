"""Zero-shot evaluation of any model on labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DatasetError
from ..model import EmoCLIP
from ..prompts import LabelEncoder, PromptBank
from ..scoring import cosine_similarities
from .ferplus import Pictures
from .metrics import recalls

__all__ = ["class_vectors", "evaluate_pictures", "picture_vectors"]


def class_vectors(
    model: EmoCLIP, classes: tuple[str, ...], prompts: str | Path
) -> NDArray[np.float32]:
    """Embed class names by the prompts that an evaluation names.

    Parameters
    ----------
    model : EmoCLIP
    classes : tuple of str
        C class names.
    prompts : str or Path
        ``"bank"``: the model's own descriptions. ``"words"``: the bare class name. Else a YAML
        file ``name: sentence``, which must describe every class.

    Returns
    -------
    ndarray, (C, D)

    Raises
    ------
    DatasetError
        A class is missing in the file.
    PromptError
        The file can't be read.
    """
    if prompts == "words":
        return model.embed_text(list(classes))
    if prompts == "bank":
        bank, where = model.prompts, "the model's prompt bank"
    else:
        bank, where = PromptBank.from_yaml(prompts), str(prompts)
    missing = [name for name in classes if name not in bank]
    if missing:
        raise DatasetError(f"{where}: no description of {', '.join(missing)}")
    encoder = LabelEncoder(bank, lambda texts: model.encode_text(texts).float().cpu().numpy())
    return encoder.embed(classes)[0]


def picture_vectors(model: EmoCLIP, pictures: Pictures) -> NDArray[np.float32]:
    """Embed each picture as a clip of one frame, through the whole model: (N, D)."""
    crops = np.repeat(pictures.images[..., None], 3, axis=3)
    frames = model.encoder.frames(crops)
    return model.encoder.pool(frames, np.arange(len(frames))[:, None].tolist())


def evaluate_pictures(
    model: EmoCLIP, pictures: Pictures, prompts: str | Path = "bank"
) -> dict[str, Any]:
    """Classify pictures zero-shot.

    Returns
    -------
    dict
        ``war``, ``uar``, ``n``, ``per_class`` (see :func:`recalls`), ``confusion`` (rows: true
        class) and ``prompts``.
    """
    vectors = class_vectors(model, pictures.classes, prompts)
    predicted = cosine_similarities(picture_vectors(model, pictures), vectors).argmax(axis=1)
    figures = recalls(predicted, pictures.labels, pictures.classes)
    confusion = np.zeros((len(pictures.classes),) * 2, int)
    np.add.at(confusion, (pictures.labels, predicted), 1)
    return {**figures, "confusion": confusion.tolist(), "prompts": str(prompts)}
