"""Store a sample of frame embeddings, and what the model makes of it, for the test of the weights.

The file holds no picture: up to 200 frame embeddings of FER+'s valid split (half precision) with
their labels, embeddings of pictures that a formula draws, the SHA-256 of the weights, and the
figures. tests/test_weights.py holds the shipped model against it. Run it whenever the weights are
replaced:

    python tools/store_sample.py --root ferplus.npz
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoclip_sdk import EmoCLIP
from emoclip_sdk.checkpoints.folder import WEIGHTS_FILE
from emoclip_sdk.runtime.hashes import file_hash
from emoclip_sdk.training.data.ferplus import load_ferplus
from emoclip_sdk.training.evaluation import class_vectors, recalls, zero_shot_scores
from emoclip_sdk.training.evaluation.card import local_folder
from emoclip_sdk.training.evaluation.card.confidence import calibration_error

__all__ = ["drawn_pictures", "main", "sample_figures", "sample_rows"]

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "tests" / "assets" / "emoclip-mini.npz"
LARGEST = 180_000  # bytes of embeddings


def drawn_pictures(side: int = 48) -> NDArray[np.uint8]:
    """Return four pictures (4, side, side, 3) that need no data: waves of several directions."""
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    waves = [
        np.sin(x / 3),
        np.cos(y / 4),
        np.sin((x + y) / 5),
        np.cos(np.hypot(x - 24, y - 20) / 3),
    ]
    gray = (127.5 + 120 * np.stack(waves)).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=3)


def sample_rows(labels: NDArray[np.int64], count: int, seed: int = 0) -> NDArray[np.intp]:
    """Draw `count` rows: an equal number of every class as far as it has them, then of the rest."""
    order = np.random.default_rng(seed).permutation(len(labels))
    kinds = np.unique(labels)
    each = count // len(kinds)
    first = np.concatenate([order[labels[order] == kind][:each] for kind in kinds])
    rest = order[~np.isin(order, first)][: count - len(first)]
    return np.sort(np.concatenate([first, rest]))[:count]


def sample_figures(
    model: EmoCLIP, frames: NDArray[np.float32], labels: NDArray[np.int64], classes: list[str]
) -> dict[str, Any]:
    """Return what the model makes of frame embeddings (N, D), each a clip, and of clips of four.

    Text tower, temporal module, logit scale and calibration all have a part in it.
    """
    text = class_vectors(model, classes)
    single = model.encoder.pool(frames, np.arange(len(frames))[:, None].tolist())
    scores = zero_shot_scores(model, single, text)
    figures = recalls(scores.argmax(axis=1), labels, classes)
    ends = (len(frames) // 4) * 4
    groups = np.argsort(labels, kind="stable")[:ends].reshape(-1, 4)
    long = zero_shot_scores(model, model.encoder.pool(frames, groups.tolist()), text)
    return {
        "war": figures["war"],
        "uar": figures["uar"],
        "ece": calibration_error(scores, labels),
        "mean score of the label": float(scores[np.arange(len(labels)), labels].mean()),
        "mean best score of clips of four": float(long.max(axis=1).mean()),
    }


def main() -> None:
    """Write the sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="ferplus.npz")
    parser.add_argument("--model", help="checkpoint folder [default: the embedded model]")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    folder = local_folder(options.model)
    if folder is None:
        parser.error(f"{options.model}: no checkpoint folder")
    model = EmoCLIP.from_pretrained(folder, device="cpu")
    pictures = load_ferplus(options.root, "valid")
    rows = sample_rows(pictures.labels, min(200, LARGEST // (2 * model.encoder.width)))
    crops = np.repeat(pictures.images[rows][..., None], 3, axis=3)
    frames = model.embed_crops(crops).astype(np.float16)
    labels = pictures.labels[rows].astype(np.int64)
    classes = list(pictures.classes)
    about = {
        "weights": file_hash(folder / WEIGHTS_FILE),
        "data": "FER+ valid, frame embeddings without the pictures; every class as far as it goes",
        "classes": classes,
        "figures": sample_figures(model, frames.astype(np.float32), labels, classes),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        options.out,
        frames=frames,
        labels=labels.astype(np.uint8),
        drawn=model.embed_crops(drawn_pictures()).astype(np.float16),
        about=np.array(json.dumps(about)),
    )
    print(f"{options.out}: {len(rows)} embeddings, {options.out.stat().st_size} bytes")
    print(json.dumps(about, indent=2))


if __name__ == "__main__":
    main()
