"""All rows, in the order in which a card shows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .... import __version__
from ....checkpoints.folder import WEIGHTS_FILE
from ....model import EmoCLIP
from ....runtime.hashes import file_hash
from ....runtime.metering import in_steps
from ....runtime.progress import ProgressOption
from ...data.ferplus import Pictures
from .actions import action_row
from .confidence import abstention_row, calibration_row
from .left_out import left_out_row
from .motion import motion_row
from .rows import CardRow, EvaluatedSplit
from .speed import speed_row
from .wording import accuracy_row, spread_row, synonym_row

__all__ = ["card_suite"]


def card_suite(
    model: EmoCLIP,
    pictures: Pictures,
    *,
    split: str,
    folder: Path | None = None,
    prompt_files: Sequence[Path] = (),
    loco: Path | None = None,
    clips: int = 480,
    draws: int = 1000,
    seed: int = 0,
    progress: ProgressOption = None,
) -> dict[str, Any]:
    """Measure everything that a model card says.

    The pictures go through the image tower once; so do the frames of the `clips` made of them, and
    with `loco` each class's pictures through one more model. About a minute on 2 free cores.

    Parameters
    ----------
    model : EmoCLIP
    pictures : Pictures
        The split that is measured.
    split : str
        Its name.
    folder : Path, optional
        The checkpoint, for its size and hash.
    prompt_files : sequence of Path
        See :func:`~.wording.spread_row`.
    loco : Path, optional
        See :func:`~.left_out.left_out_row`.
    clips : int
        See :func:`~.motion.motion_row`.
    draws, seed : int
        Of the bootstrap and of the clips.
    progress : bool or callable, optional
        Told which figure is measured.

    Returns
    -------
    dict
        JSON types: ``suite``, ``split``, ``n``, ``classes``, ``weights`` (SHA-256 of the file),
        ``emoclip_sdk`` (version), ``seconds`` and ``rows``, each as :meth:`CardRow.to_dict` has it.
    """
    start = time.perf_counter()
    measured = EvaluatedSplit(model, pictures)
    steps: list[tuple[str, Callable[[], CardRow]]] = [
        ("accuracy", lambda: accuracy_row(measured, draws=draws, seed=seed)),
        ("wordings", lambda: spread_row(measured, prompt_files)),
        ("classes left out", lambda: left_out_row(measured, loco, where=split)),
        ("synonyms", lambda: synonym_row(measured)),
        ("facial actions", lambda: action_row(measured)),
        ("clips", lambda: motion_row(measured, clips, seed)),
        ("calibration", lambda: calibration_row(measured)),
        ("abstention", lambda: abstention_row(measured)),
        ("speed", lambda: speed_row(model, folder)),
    ]
    rows = in_steps(steps, progress)
    return {
        "suite": "card",
        "split": split,
        "n": len(pictures),
        "classes": list(pictures.classes),
        "weights": file_hash(folder / WEIGHTS_FILE) if folder else None,
        "emoclip_sdk": __version__,
        "seconds": round(time.perf_counter() - start, 1),
        "rows": [row.to_dict() for row in rows],
    }
