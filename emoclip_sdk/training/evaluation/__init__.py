"""Measuring: figures of merit with intervals, on any dataset, for any model and prompts."""

from .baselines import BLIND_BASELINES, blind_scores
from .bootstrap import bootstrap_draws, interval, intervals, mean_of_folds
from .evaluate import (
    evaluate_clips,
    evaluate_pictures,
    labeled,
    measure,
    measure_clips,
    score_clips,
    zero_shot_scores,
)
from .examples import choose_examples, draw_examples, write_predictions
from .groups import Attributes, group_figures, read_attributes
from .metrics import FIGURES, decide, figures_of_merit, recalls
from .pooling import FrameMode, clip_embeddings
from .prompts import class_bank, class_vectors

__all__ = [
    "BLIND_BASELINES",
    "FIGURES",
    "Attributes",
    "FrameMode",
    "blind_scores",
    "bootstrap_draws",
    "choose_examples",
    "class_bank",
    "class_vectors",
    "clip_embeddings",
    "decide",
    "draw_examples",
    "evaluate_clips",
    "evaluate_pictures",
    "figures_of_merit",
    "group_figures",
    "interval",
    "intervals",
    "labeled",
    "mean_of_folds",
    "measure",
    "measure_clips",
    "read_attributes",
    "recalls",
    "score_clips",
    "write_predictions",
    "zero_shot_scores",
]
