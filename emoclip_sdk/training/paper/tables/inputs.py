"""What decides a measurement, found out without loading a model, so that nothing is done twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from ....checkpoints import resolve
from ....errors import EmoCLIPError
from ....prompts import CompoundMode, PromptBank, compose
from ....runtime.hashes import file_hash
from ...data.datasets import Clip
from ...evaluation import class_bank
from .roots import MissingInput

__all__ = ["checkpoint_hash", "clips_hash", "files_hash", "texts_hash"]


def checkpoint_hash(name: str) -> str:
    """Return what tells a model's weights from others'.

    Raises
    ------
    MissingInput
        A file of the checkpoint is missing.
    EmoCLIPError
        No such model.
    """
    checkpoint = resolve(name)
    if isinstance(checkpoint, Path):
        return files_hash(checkpoint / "config.json", checkpoint / "model.safetensors")
    return f"{checkpoint.name} from {checkpoint.repo or checkpoint.url}"


def texts_hash(
    name: str, classes: tuple[str, ...], prompts: str, compound: CompoundMode, one_text: bool
) -> str:
    """Hash the texts that a model's text tower will read for the classes.

    Raises
    ------
    EmoCLIPError
        No such model; a class without a text.
    """
    checkpoint = resolve(name)
    own = checkpoint / "prompts.yaml" if isinstance(checkpoint, Path) else None
    bank = PromptBank.default()
    if own is not None and own.is_file():
        bank = PromptBank.from_yaml(own)
    bank = class_bank(bank, classes, prompts, one_text=one_text)
    texts = [compose(bank, label, compound) for label in classes]
    content = json.dumps([[text.texts, text.weights] for text in texts])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def files_hash(*paths: Path) -> str:
    """Return the first 16 digits of the SHA-256 of files, one after the other.

    Raises
    ------
    MissingInput
        A file is missing.
    EmoCLIPError
        One can't be read.
    """
    try:
        return file_hash(*paths)[:16]
    except FileNotFoundError as error:
        raise MissingInput(f"{error.filename}: no such file") from None
    except OSError as error:
        raise EmoCLIPError(f"{error.filename}: can't be read ({error})") from error


def clips_hash(clips: list[Clip], classes: tuple[str, ...]) -> str:
    """Hash the list of clips with their labels, and how their videos lie on disk."""
    digest = hashlib.sha256(json.dumps(classes).encode())
    for clip in clips:
        digest.update(f"{clip.id}\0{clip.label}".encode())
        if isinstance(clip.video, np.ndarray):
            digest.update(np.ascontiguousarray(clip.video).data)
            continue
        try:
            stat = clip.video.stat()
            digest.update(f"\0{clip.video} {stat.st_size} {stat.st_mtime_ns}".encode())
        except OSError:
            digest.update(b"\0missing")
    return digest.hexdigest()[:16]
