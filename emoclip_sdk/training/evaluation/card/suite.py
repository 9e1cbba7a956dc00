"""All rows, in the order in which a card shows them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .... import __version__
from ....checkpoints.folder import WEIGHTS_FILE
from ....errors import DatasetError
from ....runtime.hashes import file_hash
from ....runtime.metering import in_steps
from ....runtime.progress import ProgressOption
from ...heads.render import HeadModel
from ..calibration import N_OFFERED
from .actions import action_row
from .confidence import abstention_row, calibration_row
from .heads import heads_row, portraits_row
from .left_out import left_out_row
from .motion import motion_row
from .rows import CardRow, EvaluatedPictures, EvaluatedSplit
from .speed import speed_row
from .states import states_row
from .talking import talking_row
from .wording import accuracy_row, spread_row, synonym_row

__all__ = ["card_suite"]


def card_suite(
    split: EvaluatedSplit,
    *,
    name: str,
    folder: Path | None = None,
    prompt_files: Sequence[Path] = (),
    loco: Path | None = None,
    heads: Path | None = None,
    clips: int = 480,
    draws: int = 1000,
    seed: int = 0,
    progress: ProgressOption = None,
) -> dict[str, Any]:
    """Measure everything that a model card says.

    The clips go through the image tower once; on FER+ so do the frames of the `clips` made of its
    pictures, and with `loco` each class's pictures through one more model. Less than five minutes
    on one core.

    Parameters
    ----------
    split : EvaluatedSplit
        Of :class:`EvaluatedPictures` all rows are measured, and compared with goals; of other sets
        those that need no votes.
    name : str
        Of what is measured: "test", or "london valid".
    folder : Path, optional
        The checkpoint, for its size and hash.
    prompt_files : sequence of Path
        See :func:`~.wording.spread_row`.
    loco : Path, optional
        See :func:`~.left_out.left_out_row`.
    heads : Path, optional
        ``ict_facekit.npz``, see :func:`~.heads.heads_row`,
        :func:`~.heads.portraits_row` and :func:`~.talking.talking_row`; None: no such rows.
    clips : int
        See :func:`~.motion.motion_row`.
    draws, seed : int
        Of the bootstrap and of the clips.
    progress : bool or callable, optional
        Told which figure is measured.

    Returns
    -------
    dict
        JSON types: ``suite``, ``split`` (`name`), ``n``, ``classes``, ``weights`` (SHA-256 of the
        file), ``emoclip_sdk`` (version), ``seconds`` and ``rows``, each as
        :meth:`CardRow.to_dict` has it.

    Raises
    ------
    DatasetError
        A class has no description; no face is seen in any clip; a file can't be read.
    """
    start = time.perf_counter()
    source = None if heads is None else HeadModel(heads)  # a bad file is told before the work
    if not split.seen.any():
        raise DatasetError(f"{name}: in none of {len(split.seen)} clips a face is seen")
    steps: list[tuple[str, Callable[[], CardRow]]] = [
        ("accuracy", lambda: accuracy_row(split, draws=draws, seed=seed)),
        ("wordings", lambda: spread_row(split, prompt_files)),
        ("synonyms", lambda: synonym_row(split)),
        ("calibration", lambda: calibration_row(split)),
    ]
    if len(split.classes) > N_OFFERED:
        steps.append(("abstention", lambda: abstention_row(split)))
    if isinstance(split, EvaluatedPictures):
        steps += [
            ("classes left out", lambda: left_out_row(split, loco, where=name)),
            ("states", lambda: states_row(split)),
            ("facial actions", lambda: action_row(split)),
        ]
        if source is not None:
            steps += [
                ("rendered heads", lambda: heads_row(split.model, source)),
                (
                    "portraits",
                    lambda: portraits_row(split.model, source, split.pictures.at_rest),
                ),
                (
                    "heads that talk",
                    lambda: talking_row(split.model, source, split.text, split.classes),
                ),
            ]
        steps += [
            ("clips", lambda: motion_row(split, clips, seed)),
            ("speed", lambda: speed_row(split.model, folder)),
        ]
    rows = in_steps(steps, progress)
    if not isinstance(split, EvaluatedPictures):
        rows = [dataclasses.replace(row, goals={}) for row in rows]  # they are for FER+
    return {
        "suite": "card",
        "split": name,
        "n": len(split.seen),
        "classes": list(split.classes),
        "weights": file_hash(folder / WEIGHTS_FILE) if folder else None,
        "emoclip_sdk": __version__,
        "seconds": round(time.perf_counter() - start, 1),
        "rows": [row.to_dict() for row in rows],
    }
