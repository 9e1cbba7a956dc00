"""Turn weights in other layouts into a checkpoint folder: the authors' files, CLIP and FaRL."""

from __future__ import annotations

import dataclasses
import logging
import re
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ..config import (
    ImageConfig,
    ModelConfig,
    PromptConfig,
    SamplingConfig,
    TemporalConfig,
    TowersConfig,
)
from ..errors import CheckpointError, EmoCLIPError
from ..export.files import check_output
from ..nn import open_clip_config
from .folder import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, encoder_shapes, save_folder
from .openai import (
    LABELS,
    MAX_LOGIT_SCALE,
    encoder_state_from_openai,
    openai_name,
    read_weights,
    towers_from_openai,
)
from .resolve import load
from .tensors import check_tensors

__all__ = ["SOURCES", "WeightsLayout", "convert"]

_log = logging.getLogger(__name__)

WeightsLayout = Literal["emoclip", "farl", "openai-clip"]
SOURCES: tuple[WeightsLayout, ...] = ("emoclip", "farl", "openai-clip")

# The authors' training never changes the number of heads, and shapes do not show it.
HEADS = 8

# Our name of a part of a temporal layer: the reference's.
_LAYER_PARTS = {
    "attention.norm": "0.fn.norm",
    "attention.qkv": "0.fn.fn.to_qkv",
    "attention.out": "0.fn.fn.to_out.0",
    "mlp.0": "1.fn.norm",
    "mlp.1": "1.fn.fn.net.0",
    "mlp.3": "1.fn.fn.net.3",
}
_OUR_LAYER = re.compile(r"temporal\.layers\.(\d+)\.(.+)\.(weight|bias)")

# Tensors of the authors' files that a video encoder does not need: the heads of downstream tasks,
# and the backbone's own logit scale, of which the model keeps a learned copy.
_NOT_NEEDED = re.compile(
    r"mlp\.|backbone\.(logit_scale|input_resolution|context_length|vocab_size)$"
)


def convert(
    file: str | Path,
    out: str | Path,
    source: WeightsLayout,
    *,
    text_from: str | Path | None = None,
) -> ModelConfig:
    """Write a checkpoint folder from weights in another layout.

    Values are stored bit by bit in the precision of the file (OpenAI's are half precision).

    Parameters
    ----------
    file : str or Path
        Pickled tensors (read with ``weights_only=True``), a TorchScript archive of OpenAI's
        release, or safetensors.
    out : str or Path
        The folder to write.
    source : {"emoclip", "farl", "openai-clip"}
        The layout. "emoclip": the authors' checkpoint, zero-shot or downstream, with or without
        ``module.``. The others become frame ensembles.
    text_from : str or Path, optional
        For a file without a text tower: the checkpoint (as in :func:`resolve`) whose text tower
        is added. It must have the same joint width and activation.

    Returns
    -------
    ModelConfig
        What was written. ``info["left_out"]`` names the tensors of the file that are not used.

    Raises
    ------
    CheckpointError
        A file that can't be read, tensors missing, unknown or of a wrong shape, all by name.
    """
    file = Path(file)
    if source not in SOURCES:
        raise CheckpointError(f"unknown source '{source}'; known are {', '.join(SOURCES)}")
    for name in (WEIGHTS_FILE, CONFIG_FILE, CARD_FILE):
        try:
            check_output(Path(out) / name, [file])
        except EmoCLIPError as error:
            raise CheckpointError(str(error)) from None
    state = read_weights(file)
    if source == "emoclip":
        config, tensors, left_out = _from_emoclip(state, str(file))
    else:
        towers, tensors, left_out = encoder_state_from_openai(state, where=str(file))
        config = ModelConfig(towers, TemporalConfig(kind="mean"))
        # FaRL's release carries the head of its masked-image task and is meant to be read
        # without it; nothing else may be dropped in silence.
        if left_out and source == "openai-clip":
            raise CheckpointError(f"{file}: unknown tensors: {', '.join(left_out[:5])}")
    info = {
        "name": f"{source} ({file.name})",
        "source": f"converted from {file.name} ({source})",
        "license": "apache-2.0" if source == "emoclip" else "mit",
    }
    assert config.towers.model is not None
    image = ImageConfig(size=config.towers.model["vision_cfg"]["image_size"])
    config = dataclasses.replace(config, image=image, prompts=PromptConfig(LABELS), info=info)
    if text_from is not None:
        config, tensors = _with_text(config, tensors, text_from, "logit_scale" in state)
    if left_out:
        _log.info("%s: left out: %s", file, ", ".join(left_out))
        config = dataclasses.replace(config, info={**config.info, "left_out": left_out})
    save_folder(out, config, tensors)
    return config


def _from_emoclip(
    state: dict[str, Tensor], where: str
) -> tuple[ModelConfig, dict[str, Tensor], list[str]]:
    downstream = "backbone.conv1.weight" in state
    # The downstream file keeps the visual tower alone, without "visual." in its names.
    clip = {
        ("visual." if downstream else "") + name.removeprefix("backbone."): tensor
        for name, tensor in state.items()
        if name.startswith("backbone.")
    }
    towers = towers_from_openai(clip, where=f"{where}: backbone")
    # The reference trains and evaluates on clips that it fills in this way.
    sampling = SamplingConfig(window="wrap")
    config = ModelConfig(towers, _temporal_from(state, where), sampling)
    expected = encoder_shapes(config, where)
    names = {ours: _reference_name(ours, downstream) for ours in expected}
    left_out = sorted(name for name in state if _NOT_NEEDED.match(name))
    weights = {name: tensor for name, tensor in state.items() if name not in left_out}
    if "logit_scale" not in weights:
        scale = state.get("backbone.logit_scale", torch.tensor(MAX_LOGIT_SCALE))
        weights["logit_scale"] = scale
    shapes = {names[ours]: _reference_shape(ours, tensor) for ours, tensor in expected.items()}
    check_tensors(shapes, weights, where, "Is this a checkpoint of the authors' EmoCLIP?")
    tensors = {ours: weights[names[ours]].reshape(t.shape) for ours, t in expected.items()}
    return config, tensors, left_out


def _temporal_from(state: dict[str, Tensor], where: str) -> TemporalConfig:
    pattern = re.compile(r"temporal\.temporal_transformer\.layers\.(\d+)\.")
    layers = 1 + max((int(m[1]) for name in state if (m := pattern.match(name))), default=-1)
    first = "temporal.temporal_transformer.layers.0."
    qkv, hidden = f"{first}0.fn.fn.to_qkv.weight", f"{first}1.fn.fn.net.0.weight"
    positions = "temporal.pos_embedding"
    for name in (positions, qkv, hidden):
        if name not in state:
            raise CheckpointError(f"{where}: {name} is missing: no temporal module of EmoCLIP")
    rows = state[qkv].shape[0]
    if rows % (3 * HEADS):
        raise CheckpointError(f"{where}: {qkv} has {rows} rows, not 3 x {HEADS} heads x width")
    if state[positions].ndim != 3:
        raise CheckpointError(f"{where}: {positions} should have the shape (1, positions, D)")
    return TemporalConfig(
        layers=layers,
        heads=HEADS,
        dim_head=rows // 3 // HEADS,
        mlp_dim=state[hidden].shape[0],
        max_positions=state[positions].shape[1],
    )


def _reference_name(ours: str, downstream: bool) -> str:
    if ours == "logit_scale":
        return ours
    if ours.startswith("towers."):
        name = openai_name(ours)
        return "backbone." + (name.removeprefix("visual.") if downstream else name)
    if match := _OUR_LAYER.fullmatch(ours):
        layer, part, kind = match.groups()
        return f"temporal.temporal_transformer.layers.{layer}.{_LAYER_PARTS[part]}.{kind}"
    return {"temporal.positions": "temporal.pos_embedding"}.get(ours, ours)


def _reference_shape(ours: str, tensor: Tensor) -> Tensor:
    if ours == "temporal.cls_token":
        return tensor[None, None]
    return tensor[None] if ours == "temporal.positions" else tensor


def _with_text(
    config: ModelConfig, tensors: dict[str, Tensor], source: str | Path, has_scale: bool
) -> tuple[ModelConfig, dict[str, Tensor]]:
    if config.towers.text:
        raise CheckpointError("text_from: the file has a text tower of its own; leave this out")
    other, model = load(source)[:2]
    if not other.towers.text:
        raise CheckpointError(f"text_from: {source} has no text tower")
    ours, theirs = config.towers.model or {}, open_clip_config(other.towers)
    if ours["embed_dim"] != theirs["embed_dim"]:
        raise CheckpointError(
            f"text_from: the joint space of {source} is {theirs['embed_dim']} wide, that of the "
            f"file {ours['embed_dim']}"
        )
    if config.towers.quick_gelu != theirs["quick_gelu"]:
        raise CheckpointError(
            f"text_from: {source} has another activation than the file, which uses QuickGELU. "
            "Take clip-vit-b-32-openai, from which EmoCLIP was trained."
        )
    merged = {**ours, "text_cfg": theirs["text_cfg"]}
    if theirs.get("custom_text"):
        merged["custom_text"] = True
    towers = TowersConfig(
        model=merged,
        quick_gelu=config.towers.quick_gelu,
        text_head_hidden=other.towers.text_head_hidden,
    )
    text = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name.startswith("towers.text")
    }
    if not has_scale:
        text["logit_scale"] = model.logit_scale.detach()
    info = {**config.info, "text_from": str(source)}
    return dataclasses.replace(config, towers=towers, info=info), {**tensors, **text}
