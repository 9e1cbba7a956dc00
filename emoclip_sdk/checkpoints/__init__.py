"""Load, save, share and convert checkpoints."""

from .baselines import BASELINES, Baseline, load_baseline
from .card import model_card
from .convert import SOURCES, convert
from .folder import Checkpoint, build_encoder, load_folder, save_folder
from .openai import encoder_state_from_openai
from .push import push_to_hub
from .resolve import EMBEDDED, embedded_folder, load, resolve

__all__ = [
    "BASELINES",
    "EMBEDDED",
    "SOURCES",
    "Baseline",
    "Checkpoint",
    "build_encoder",
    "convert",
    "embedded_folder",
    "encoder_state_from_openai",
    "load",
    "load_baseline",
    "load_folder",
    "model_card",
    "push_to_hub",
    "resolve",
    "save_folder",
]
