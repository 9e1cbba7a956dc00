"""Zero-shot recognition of apparent expressions in video. See :class:`EmoCLIP`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import ModelConfig
    from .errors import (
        BatchError,
        CheckpointError,
        DatasetError,
        EmoCLIPError,
        HubError,
        MissingDependencyError,
        PromptError,
        VideoError,
    )
    from .model import EmoCLIP
    from .probes.probe import RegressionProbe
    from .prompts import PromptBank
    from .results.analysis import Episode, TrackSummary
    from .results.explanation import Explanation
    from .results.live import LiveResult
    from .results.ratings import ProbeResult, ScoreEstimate
    from .results.records import FaceTrack, ModelInfo, Prediction
    from .results.scored_windows import TimelineRow
    from .results.timeline import Timeline
    from .selection.few_shot import FewShotReport

__version__ = "0.1.0"

__all__ = [
    "BatchError",
    "CheckpointError",
    "DatasetError",
    "EmoCLIP",
    "EmoCLIPError",
    "Episode",
    "Explanation",
    "FaceTrack",
    "FewShotReport",
    "HubError",
    "LiveResult",
    "MissingDependencyError",
    "ModelConfig",
    "ModelInfo",
    "Prediction",
    "ProbeResult",
    "PromptBank",
    "PromptError",
    "RegressionProbe",
    "ScoreEstimate",
    "Timeline",
    "TimelineRow",
    "TrackSummary",
    "VideoError",
    "__version__",
]

# Names are looked up on first use: importing the package takes no torch and no time.
_MODULES = {
    "EmoCLIP": "model",
    "Episode": "results.analysis",
    "Explanation": "results.explanation",
    "FaceTrack": "results.records",
    "FewShotReport": "selection.few_shot",
    "LiveResult": "results.live",
    "ModelConfig": "config",
    "ModelInfo": "results.records",
    "Prediction": "results.records",
    "ProbeResult": "results.ratings",
    "PromptBank": "prompts",
    "RegressionProbe": "probes.probe",
    "ScoreEstimate": "results.ratings",
    "Timeline": "results.timeline",
    "TimelineRow": "results.scored_windows",
    "TrackSummary": "results.analysis",
    **dict.fromkeys((name for name in __all__ if name.endswith("Error")), "errors"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'emoclip_sdk' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
