"""How well a model tells faces by words that it never met: `words_as_labels.py MODEL NPZ`.

A user names any words. Fifteen times, each class of FER+ is named by another word of
``training/evaluation/card/synonyms.yaml``, which no training caption holds, in the prompt bank's
templates and bare; the eight words of a set are the labels. Prints accuracy (WAR) and mean recall
(UAR) on the split `valid`, the mean of the sets and the lowest. MODEL is a checkpoint folder, or
``embedded``; NPZ is ``ferplus.npz``. Pictures are read by the image tower alone. Half a minute.
"""

from __future__ import annotations

import sys

import numpy as np
import yaml
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import normalize

from emoclip_sdk import EmoCLIP
from emoclip_sdk.training.data.ferplus import load_ferplus
from emoclip_sdk.training.evaluation.card.wording import SYNONYMS


def main(name: str, path: str) -> None:
    """Print one line."""
    model, pictures = EmoCLIP.from_pretrained(name), load_ferplus(path, "valid")
    groups: dict[str, list[str]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    crops = np.repeat(pictures.images[..., None], 3, axis=3)
    frames = normalize(model.encoder.frames(crops))
    templates = [*model.prompts.templates, "{label}"]
    war, uar = [], []
    for words in zip(*(groups[label] for label in pictures.classes), strict=True):
        texts = [text.replace("{label}", word) for word in words for text in templates]
        read = model.embed_text(texts).reshape(len(words), len(templates), -1).mean(axis=1)
        guesses = (frames @ normalize(read).T).argmax(axis=1)
        war.append((guesses == pictures.labels).mean())
        uar.append(balanced_accuracy_score(pictures.labels, guesses))
    means = f"WAR {np.mean(war):.3f}, UAR {np.mean(uar):.3f}"
    print(f"{name}: {means}; lowest {min(war):.3f}, {min(uar):.3f} ({len(war)} sets)")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
