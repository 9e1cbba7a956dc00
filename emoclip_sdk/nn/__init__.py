"""Torch modules only: towers, temporal transformer, dual encoder, losses, preprocessing."""

from .dual_encoder import DualEncoder
from .losses import contrastive_loss
from .preprocess import preprocess
from .temporal import FrameEnsemble, TemporalTransformer, build_temporal
from .towers import Towers, build_tokenizer, clip_tokenizer, open_clip_config

__all__ = [
    "DualEncoder",
    "FrameEnsemble",
    "TemporalTransformer",
    "Towers",
    "build_temporal",
    "build_tokenizer",
    "clip_tokenizer",
    "contrastive_loss",
    "open_clip_config",
    "preprocess",
]
