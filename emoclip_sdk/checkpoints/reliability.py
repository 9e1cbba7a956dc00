"""What was measured of the labels that a checkpoint can read: ``reliability.json`` in its folder.

Written by ``emoclip-train reliability``; a checkpoint may have none. It belongs to the weights: of
others it says nothing.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from ..config import bounded, read_dataclass
from ..errors import CheckpointError

__all__ = [
    "RELIABILITY_FILE",
    "MeasuredAction",
    "MeasuredClass",
    "MeasuredPresence",
    "MeasuredReliability",
    "read_reliability",
]

RELIABILITY_FILE = "reliability.json"
_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class MeasuredClass:
    """One of the model's own labels.

    Attributes
    ----------
    name : str
    recall : float
        Share of its clips that are recognized among all classes.
    n : int
        How many clips that is measured on.
    center : tuple of float, (D,)
        Mean of the unit embeddings of its clips.
    """

    name: str
    recall: float = bounded(0.0, 0, 1)
    n: int = bounded(0, 0)
    center: tuple[float, ...] = ()


@dataclass(frozen=True)
class MeasuredAction:
    """One facial action, described by itself.

    Attributes
    ----------
    name : str
        Key of :data:`~emoclip_sdk.prompts.facial_actions.ACTIONS`.
    auc : float
        With which the wordings of the training captions rank clips that show it above the others.
    other_words : float, optional
        The same for a wording that no caption has.
    n : int
        How many clips that is measured on.
    """

    name: str
    auc: float = bounded(0.5, 0, 1)
    other_words: float | None = bounded(None, 0, 1)
    n: int = bounded(0, 0)


@dataclass(frozen=True)
class MeasuredPresence:
    """How cosine similarity becomes the probability that a label is shown at all.

    Attributes
    ----------
    kind : str
        ``"label"``: of the model's own label `name`; ``"actions"``: of words for facial actions;
        ``"words"``: of all others.
    name : str
    scale, level : float
        The probability is 1 / (1 + exp(level - scale · cosine)).
    """

    kind: str
    name: str = ""
    scale: float = bounded(1.0, 0, 1e4)
    level: float = bounded(0.0, -1e4, 1e4)


@dataclass(frozen=True)
class MeasuredReliability:
    """What a model was trained on and how well it reads that.

    Attributes
    ----------
    command : str
        What wrote the file.
    dataset : str
        What it was measured on, such as ``"FER+ valid"``.
    weights : str
        SHA-256 of the weights.
    classes : tuple of MeasuredClass
    actions : tuple of MeasuredAction
        None where no facial actions were measured.
    words : tuple of str
        Words and clauses of the captions of training that find the faces of their class.
    min_likeness : float
        A text whose likeness to the words and actions of training is less is not readable.
    keep : float
        Share of words for expressions, none of them trained on, that are as like or more.
    refused : float, optional
        Share of words for other things that are less.
    other_words : float, optional
        Share of words for expressions, none of them trained on, that find the faces of their class.
    vocabulary : str
        Every word of the texts that the text tower was trained on, in lower case, separated by
        blanks. Empty: not known.
    presence : tuple of MeasuredPresence
        For `multi_label`. Empty: not calibrated.
    """

    command: str
    dataset: str
    weights: str
    classes: tuple[MeasuredClass, ...]
    words: tuple[str, ...]
    min_likeness: float = bounded(0.0, -1, 1)
    actions: tuple[MeasuredAction, ...] = ()
    keep: float = bounded(0.95, 0, 1)
    refused: float | None = bounded(None, 0, 1)
    other_words: float | None = bounded(None, 0, 1)
    vocabulary: str = ""
    presence: tuple[MeasuredPresence, ...] = ()

    def to_json(self) -> str:
        """Return the text of the file: one line for each class and action."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        lines = []
        for name, value in fields.items():
            if name in ("classes", "actions", "presence"):
                rows = [json.dumps(dataclasses.asdict(row), ensure_ascii=False) for row in value]
                text = "[\n  " + ",\n  ".join(rows) + "\n ]" if rows else "[]"
            else:
                text = json.dumps(value, ensure_ascii=False)
            lines.append(f' "{name}": {text}')
        return "{\n" + ",\n".join(lines) + "\n}\n"


def read_reliability(folder: Path, width: int) -> MeasuredReliability | None:
    """Read a checkpoint folder's file; None where there is none.

    Parameters
    ----------
    folder : Path
    width : int
        D of the model.

    Raises
    ------
    CheckpointError
        The file can't be read, or belongs to a model of another width.
    """
    path = folder / RELIABILITY_FILE
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise CheckpointError(f"{path}: is larger than any such file, {_MAX_BYTES} bytes")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not readable as JSON ({error})") from error
    measured = read_dataclass(MeasuredReliability, data, str(path), CheckpointError)
    for known in measured.classes:
        if len(known.center) != width:
            raise CheckpointError(
                f"{path}: the center of '{known.name}' has {len(known.center)} numbers, and this "
                f"model's embeddings have {width}. Delete it and write it anew: emoclip-train "
                "reliability"
            )
    if measured.presence and not any(each.kind == "words" for each in measured.presence):
        raise CheckpointError(
            f"{path}: 'presence' has nothing of the kind 'words'. Delete it and write it anew: "
            "emoclip-train reliability"
        )
    return measured
