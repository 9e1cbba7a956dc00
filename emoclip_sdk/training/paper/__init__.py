"""The experiments of the paper: contrastive, supervised, leave-one-class-out, probe."""

from ..engine.process import Process, distributed
from .probe import Probe, evaluate_probe, load_probe, predict
from .run import run_experiment
from .settings import ExperimentSettings, read_settings

__all__ = [
    "ExperimentSettings",
    "Probe",
    "Process",
    "distributed",
    "evaluate_probe",
    "load_probe",
    "predict",
    "read_settings",
    "run_experiment",
]
