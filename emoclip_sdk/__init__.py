"""Zero-shot recognition of apparent expressions in video. See :class:`EmoCLIP`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis import Episode, TrackSummary
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
    from .explain import Explanation
    from .few_shot import FewShotReport
    from .live import LiveResult
    from .model import EmoCLIP
    from .probe import RegressionProbe
    from .prompts import PromptBank
    from .results import (
        FaceTrack,
        ModelInfo,
        Prediction,
        ProbeResult,
        ScoreEstimate,
        Timeline,
        TimelineRow,
    )

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
    "Explanation": "explain",
    "FewShotReport": "few_shot",
    "LiveResult": "live",
    "Episode": "analysis",
    "ModelConfig": "config",
    "PromptBank": "prompts",
    "RegressionProbe": "probe",
    "TrackSummary": "analysis",
    **dict.fromkeys(
        (
            "FaceTrack",
            "ModelInfo",
            "Prediction",
            "ProbeResult",
            "ScoreEstimate",
            "Timeline",
            "TimelineRow",
        ),
        "results",
    ),
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
