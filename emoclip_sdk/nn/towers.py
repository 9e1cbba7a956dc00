"""Image and text tower, as open_clip configures them, and the text tower's tokenizer."""

from __future__ import annotations

import copy
import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import TowersConfig
from ..errors import CheckpointError
from .causal_text import CausalText
from .efficientnet import LITE_SIZES, EfficientNetTower

__all__ = ["TextHead", "Towers", "build_tokenizer", "clip_tokenizer", "open_clip_config"]

# What an open_clip configuration may say, to be built without it.
_VISION_KEYS = {
    "image_size",
    "timm_model_name",
    "timm_model_pretrained",
    "timm_pool",
    "timm_proj",
}
_TEXT_KEYS = {"context_length", "heads", "layers", "vocab_size", "width"}


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
    model["quick_gelu"] = config.quick_gelu or model.get("quick_gelu", False)
    # Weights come from our checkpoint; building a tower must never reach for the network.
    if model["vision_cfg"].get("timm_model_name"):
        model["vision_cfg"]["timm_model_pretrained"] = False
    if not config.text:
        # open_clip always builds both towers. The text tower is thrown away: make it a small one.
        model["text_cfg"] = {"width": 64, "heads": 1, "layers": 1}
        model.pop("custom_text", None)
    elif model["text_cfg"].get("hf_model_name"):
        model["text_cfg"]["hf_model_pretrained"] = False
    return model


def _check_names(config: TowersConfig) -> None:
    """Refuse what lies outside of the checkpoint: it would be downloaded, or read from this disk.

    An architecture that open_clip knows by its name may have its tokenizer on the Hub; what a file
    describes may not name any repository or folder.
    """
    model = config.model or {}
    named = {"towers.name": config.name}
    for part in ("vision_cfg", "text_cfg"):
        section = model.get(part, {})
        if not isinstance(section, dict):
            raise CheckpointError(f"towers: model.{part} must be an object, not {section!r}")
        for key in section.keys() & {"hf_model_name", "hf_tokenizer_name"}:
            raise CheckpointError(
                f"towers: model.{part}.{key} is {section[key]!r}. A checkpoint may not refer to "
                "what is not in its folder"
            )
        named[f"towers: model.{part}.timm_model_name"] = section.get("timm_model_name")
    for key, name in named.items():
        if name and not re.fullmatch(r"[\w.-]+", str(name)):
            raise CheckpointError(
                f"{key} is {name!r}, which is not the plain name of an architecture. A checkpoint "
                "may not refer to what is not in its folder"
            )


def build_tokenizer(config: TowersConfig) -> Callable[[Sequence[str]], Tensor]:
    """Return the tokenizer of the text tower: N texts -> (N, context_length) int64.

    Longer text is cut to the context length, the end token kept.
    """
    text = open_clip_config(config)["text_cfg"]
    length = text.get("context_length", 77)
    name = text.get("hf_tokenizer_name")
    if name:
        from open_clip.tokenizer import HFTokenizer

        return HFTokenizer(name, context_length=length)
    simple = clip_tokenizer()
    return lambda texts: simple(list(texts), context_length=length)


@lru_cache
def clip_tokenizer() -> Any:
    """Return CLIP's tokenizer, a ``SimpleTokenizer`` of open_clip.

    Its file is loaded by itself, which spares importing all of open_clip.
    """
    package = importlib.util.find_spec("open_clip")
    if package is None or not package.submodule_search_locations:
        raise ImportError("No module named 'open_clip'")
    path = Path(package.submodule_search_locations[0]) / "tokenizer.py"
    spec = importlib.util.spec_from_file_location("emoclip_sdk.nn._open_clip_tokenizer", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SimpleTokenizer()


def _built_here(model: Mapping[str, Any]) -> bool:
    """Tell whether both towers of an open_clip model configuration are built without open_clip."""
    vision, text = model.get("vision_cfg", {}), model.get("text_cfg", {})
    return (
        set(model) <= {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu"}
        and not model.get("quick_gelu")
        and set(vision) <= _VISION_KEYS
        and vision.get("timm_model_name") in LITE_SIZES
        and (vision.get("timm_pool"), vision.get("timm_proj")) == ("avg", "linear")
        and set(text) <= _TEXT_KEYS
    )


class Towers(nn.Module):
    """The two CLIP towers into one joint space of size `width`.

    Parameters
    ----------
    config : TowersConfig
        Architecture. With ``text=False`` only the image tower is built.
    """

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        model = open_clip_config(config)
        self.width: int = model["embed_dim"]
        self.has_text = config.text
        self.visual: nn.Module
        if _built_here(model):
            self.visual = EfficientNetTower(model["vision_cfg"]["timm_model_name"], self.width)
            if config.text:
                self.text: Any = CausalText(self.width, **model["text_cfg"])
        else:
            import open_clip

            custom = model.pop("custom_text", False) or "hf_model_name" in model["text_cfg"]
            model.pop("multimodal_cfg", None)
            clip = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**model)
            self.visual = clip.visual
            if config.text:
                self.text = clip.text if custom else CausalText.of(clip)
        if config.text and config.text_head_hidden:
            self.text_head: nn.Module = TextHead(self.width, config.text_head_hidden)
        else:
            self.text_head = nn.Identity()

    def encode_images(self, images: Tensor) -> Tensor:
        """Embed images (N, 3, H, W) to (N, D), unnormalised."""
        return self.visual(images)

    def encode_tokens(self, tokens: Tensor) -> Tensor:
        """Embed tokens (N, context_length) to (N, D), unnormalised."""
        return self.text_head(self.text(tokens))


class TextHead(nn.Module):
    """A two-layer perceptron beside a skip connection, on the unit text embedding.

    It moves the embeddings of a general sentence encoder, in which all emotions lie close
    together, to where the faces are, while the text tower itself can stay frozen.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, text: Tensor) -> Tensor:
        """Map (N, D) to (N, D)."""
        x = F.normalize(text, dim=-1)
        return x + self.fc2(F.gelu(self.fc1(x)))
