"""Torch modules only: towers, temporal transformer, dual encoder, losses, preprocessing."""

from .architecture import open_clip_config
from .dual_encoder import DualEncoder
from .losses import contrastive_loss
from .preprocess import preprocess
from .temporal import FrameEnsemble, TemporalTransformer, build_temporal
from .tokenizer import CLIPTokenizer, build_tokenizer, clip_tokenizer
from .towers import Towers

__all__ = [
    "CLIPTokenizer",
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
