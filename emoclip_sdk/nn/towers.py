"""Image and text tower, as open_clip configures them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import TowersConfig
from .architecture import open_clip_config
from .causal_text import CausalText
from .efficientnet import LITE_SIZES, EfficientNetTower

__all__ = ["TextHead", "Towers"]

# Keys that an open_clip configuration may have to be built without open_clip.
_VISION_KEYS = {
    "image_size",
    "timm_model_name",
    "timm_model_pretrained",
    "timm_pool",
    "timm_proj",
}
_TEXT_KEYS = {"context_length", "heads", "layers", "vocab_size", "width"}


def _built_here(model: Mapping[str, Any]) -> bool:
    """Return whether both towers of an open_clip configuration are built without open_clip."""
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
        """Embed images (N, 3, H, W) to (N, D), unnormalized."""
        return self.visual(images)

    def encode_tokens(self, tokens: Tensor, *, head: bool = True) -> Tensor:
        """Embed tokens (N, context_length) to (N, D), unnormalized.

        Without the text head, they are where a general sentence encoder has them.
        """
        text = self.text(tokens)
        return self.text_head(text) if head else text


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
