"""How well a model reads single facial actions in words, beside emotions.

    python tools/action_study.py embedded ferplus.npz ferplus-actions.npz --split valid

For each action that ``tools/measure_actions.py`` measured: the AUC with which the similarity to a
sentence ranks the quarter of pictures that show it most above the others. 0.5 is chance. Once for
the wordings of the training captions, and once for a wording that no caption has.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.metrics import roc_auc_score

from emoclip_sdk import EmoCLIP
from emoclip_sdk.inference.scorer import cosine_similarities
from emoclip_sdk.prompts.facial_actions import ACTIONS
from emoclip_sdk.training.data.ferplus import load_ferplus
from emoclip_sdk.training.mini.actions import load_actions

OTHER_WORDS = {
    "inner_brows_up": "the middle of the brow is hoisted",
    "brows_up": "the brows climb toward the hairline",
    "brows_down": "scowling brows sit low over the eyes",
    "eyes_wide": "the eyes bulge open",
    "eyes_narrow": "the eyes are screwed up",
    "eyes_down": "she looks at the floor",
    "eyes_sideways": "the eyes look off to one side",
    "upper_lip_up": "the top lip is hitched up",
    "smile": "beaming from ear to ear",
    "smirk": "the mouth is crooked, up on one side",
    "corners_down": "the mouth droops at its ends",
    "chin_up": "the lower lip sticks out",
    "lips_stretched": "the mouth is pulled out to the sides",
    "lips_tight": "the lips are squeezed shut",
    "teeth_bared": "clenched teeth are visible",
    "jaw_drop": "the mouth is agape",
    "mouth_relaxed": "the mouth is closed and calm",
}


def main() -> None:
    """Print a row for each action, and the mean over those with other words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("dataset")
    parser.add_argument("actions")
    parser.add_argument("--split", choices=("valid", "test"), default="valid")
    options = parser.parse_args()
    model = EmoCLIP.from_pretrained(*([] if options.model == "embedded" else [options.model]))
    pictures = load_ferplus(options.dataset, options.split)
    actions = load_actions(options.actions, pictures.images)
    frames = model.embed_crops(np.repeat(pictures.images[..., None], 3, axis=3))
    videos = model.encoder.pool(frames, np.arange(len(frames))[:, None].tolist())

    def auc(name: str, sentences: list[str]) -> float:
        scores = cosine_similarities(videos, model.embed_text(sentences)).mean(axis=1)
        return float(roc_auc_score(actions.presence[:, actions.names.index(name)] > 0.5, scores))

    rows = {
        name: (auc(name, list(ACTIONS[name])), auc(name, [OTHER_WORDS[name]]))
        for name in OTHER_WORDS
    }
    for name, (trained, other) in rows.items():
        print(f"{name:16} {trained:.2f} {other:.2f}")
    print("{:16} {:.3f} {:.3f}".format("mean", *np.mean(list(rows.values()), axis=0)))


if __name__ == "__main__":
    main()
