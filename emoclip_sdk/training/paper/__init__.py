"""The experiments of the paper: contrastive, supervised, leave-one-class-out, probe."""

from ..engine.process import Process, distributed
from .classifier import Classifier, class_probabilities, evaluate_classifier, load_classifier
from .run import run_experiment
from .settings import ExperimentSettings, read_settings

__all__ = [
    "Classifier",
    "ExperimentSettings",
    "Process",
    "class_probabilities",
    "distributed",
    "evaluate_classifier",
    "load_classifier",
    "read_settings",
    "run_experiment",
]
