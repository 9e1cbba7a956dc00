"""Which network a configuration of towers describes, in open_clip's terms."""

from __future__ import annotations

import copy
import re
from typing import Any

from ..config import TowersConfig
from ..errors import CheckpointError
from .tower_schema import check_tower_config

__all__ = ["open_clip_config", "reads_english"]


def open_clip_config(config: TowersConfig) -> dict[str, Any]:
    """Return the open_clip model configuration behind `config`, never with pretrained weights.

    Raises
    ------
    CheckpointError
        open_clip knows no architecture of that name, or something outside of the checkpoint is
        referred to.
    """
    _check_names(config)
    if config.model is not None:
        model = copy.deepcopy(config.model)
    else:
        import open_clip

        model = copy.deepcopy(open_clip.get_model_config(config.name))
        if model is None:
            raise CheckpointError(
                f"towers: open_clip {open_clip.__version__} knows no architecture named "
                f"'{config.name}'; open_clip.list_models() lists them"
            )
    _refuse_remote_network(config, model)
    model["quick_gelu"] = config.quick_gelu or model.get("quick_gelu", False)
    # Weights come from our checkpoint; building a tower must never reach for the network.
    if model["vision_cfg"].get("timm_model_name"):
        model["vision_cfg"]["timm_model_pretrained"] = False
    if not config.text:
        # open_clip always builds both towers. The text tower is thrown away: make it a small one.
        model["text_cfg"] = {"width": 64, "heads": 1, "layers": 1}
        model.pop("custom_text", None)
    return model


def _refuse_remote_network(config: TowersConfig, model: dict[str, Any]) -> None:
    """Refuse a text tower of transformers, of which even the layers are described on the Hub."""
    if config.text and model["text_cfg"].get("hf_model_name"):
        raise CheckpointError(
            f"towers.name is {config.name!r}, whose text tower is described on the Hub "
            f"('{model['text_cfg']['hf_model_name']}'). A checkpoint may not refer to what is not "
            "in its folder: only CLIP's own text towers can be loaded"
        )


def _check_names(config: TowersConfig) -> None:
    """Refuse what lies outside of the checkpoint: it would be downloaded, or read from this disk.

    An architecture that open_clip knows by its name may have its tokenizer on the Hub; what a file
    describes may not name any repository or folder.
    """
    model = config.model or {}
    for key in ("vision_cfg", "text_cfg"):
        if not isinstance(model.get(key, {}), dict):
            raise CheckpointError(f"towers: model.{key} must be an object, not {model[key]!r:.100}")
    named = {"towers.name": config.name}
    for part in ("vision_cfg", "text_cfg"):
        section = model.get(part, {})
        for key in section.keys() & {"hf_model_name", "hf_tokenizer_name"}:
            raise CheckpointError(
                f"towers: model.{part}.{key} is {section[key]!r}. A checkpoint may not refer to "
                "what is not in its folder"
            )
        named[f"towers: model.{part}.timm_model_name"] = section.get("timm_model_name")
    for key, name in named.items():
        if name and len(str(name)) > 100:
            raise CheckpointError(f"{key} is {name!r:.100}..., which is no name")
        if name and not re.fullmatch(r"[\w.-]+", str(name)):
            raise CheckpointError(
                f"{key} is {name!r}, which is not the plain name of an architecture. A checkpoint "
                "may not refer to what is not in its folder"
            )
    if config.model is not None:
        check_tower_config(config.model, text=config.text)


def reads_english(config: TowersConfig) -> bool:
    """Whether the text tower has CLIP's own tokenizer, whose models were trained on English."""
    return not open_clip_config(config)["text_cfg"].get("hf_tokenizer_name")
