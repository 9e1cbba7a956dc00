"""Weights in the layout of OpenAI's CLIP release, which open_clip and FaRL share."""

from __future__ import annotations

import math
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import ModelConfig, TemporalConfig, TowersConfig
from ..errors import CheckpointError
from .folder import encoder_shapes
from .tensors import check_tensors, read_safetensors

__all__ = [
    "LABELS",
    "encoder_state_from_openai",
    "openai_name",
    "read_pickle",
    "read_weights",
    "towers_from_openai",
]

# MAFW's classes, in its order.
LABELS = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
    "contempt",
    "anxiety",
    "helplessness",
    "disappointment",
)

# The logit scale at which OpenAI's training clips it.
MAX_LOGIT_SCALE = math.log(100)

# Scalars that the TorchScript archives carry beside the weights.
_NOTES = ("input_resolution", "context_length", "vocab_size")


def encoder_state_from_openai(
    state: Mapping[str, Tensor], *, where: str = "state_dict", quick_gelu: bool = True
) -> tuple[TowersConfig, dict[str, Tensor], list[str]]:
    """Rename CLIP's tensors to ours and read the architecture off their shapes.

    Vision transformers only. Heads are 64 wide, as in all of OpenAI's models.

    Parameters
    ----------
    state : mapping of str to Tensor
        ``visual.*`` and, unless the file has no text tower, ``transformer.*``,
        ``token_embedding.weight``, ``positional_embedding``, ``ln_final.*``, ``text_projection``;
        ``logit_scale`` is optional.
    where : str
        Where the tensors come from, for error messages.
    quick_gelu : bool
        The activation, which the weights do not show. OpenAI, FaRL and LAION-400M: QuickGELU.

    Returns
    -------
    towers : TowersConfig
        The architecture.
    tensors : dict of str to Tensor
        State of a :class:`DualEncoder` without temporal parameters, the same tensors, not copied.
    left_out : list of str
        Names in `state` that are no part of CLIP.

    Raises
    ------
    CheckpointError
        Tensors missing or of an impossible shape, named as in `state`.
    """
    towers = towers_from_openai(state, where=where, quick_gelu=quick_gelu)
    shapes = encoder_shapes(ModelConfig(towers, TemporalConfig(kind="mean")), where)
    names = {ours: openai_name(ours) for ours in shapes}
    used = {theirs: state[theirs] for theirs in names.values() if theirs in state}
    used.setdefault("logit_scale", torch.tensor(MAX_LOGIT_SCALE))
    expected = {names[ours]: shape for ours, shape in shapes.items()}
    check_tensors(expected, used, where, "Is this a whole checkpoint in the layout of CLIP?")
    left_out = sorted(set(state) - set(used) - set(_NOTES))
    return towers, {ours: used[theirs] for ours, theirs in names.items()}, left_out


def towers_from_openai(
    state: Mapping[str, Tensor], *, where: str, quick_gelu: bool = True
) -> TowersConfig:
    """Read the architecture off the shapes of CLIP's tensors."""
    if any(name.startswith("visual.layer1.") for name in state):
        raise CheckpointError(f"{where}: the image tower is a ResNet; only ViT is converted")

    def shape(name: str, ndim: int) -> tuple[int, ...]:
        if name not in state:
            raise CheckpointError(
                f"{where}: {name} is missing, so these are not weights in the layout of OpenAI's "
                f"CLIP. The file begins with: {', '.join(sorted(state)[:5]) or 'nothing'}"
            )
        if state[name].ndim != ndim:
            raise CheckpointError(f"{where}: {name} should have {ndim} dimensions")
        return tuple(state[name].shape)

    width, _, _, patch = shape("visual.conv1.weight", 4)
    positions, _ = shape("visual.positional_embedding", 2)
    _, embed_dim = shape("visual.proj", 2)
    grid = math.isqrt(max(positions - 1, 0))
    if grid * grid != positions - 1 or grid == 0:
        raise CheckpointError(
            f"{where}: visual.positional_embedding has {positions} rows, which is not one more "
            "than a square"
        )
    vision: dict[str, Any] = {
        "image_size": patch * grid,
        "layers": _depth(state, "visual.transformer.resblocks."),
        "width": _heads_fit(width, where),
        "patch_size": patch,
    }
    _set_mlp_ratio(vision, state, "visual.transformer.resblocks.")
    model: dict[str, Any] = {"embed_dim": embed_dim, "vision_cfg": vision}
    if "token_embedding.weight" not in state:
        return TowersConfig(model=model, quick_gelu=quick_gelu, text=False)
    vocab, text_width = shape("token_embedding.weight", 2)
    context, _ = shape("positional_embedding", 2)
    text: dict[str, Any] = {
        "context_length": context,
        "vocab_size": vocab,
        "width": text_width,
        "heads": _heads_fit(text_width, where) // 64,
        "layers": _depth(state, "transformer.resblocks."),
    }
    _set_mlp_ratio(text, state, "transformer.resblocks.")
    return TowersConfig(model={**model, "text_cfg": text}, quick_gelu=quick_gelu)


def openai_name(ours: str) -> str:
    """Return the name in OpenAI's layout of a tensor of our towers."""
    return ours.removeprefix("towers.").removeprefix("text.")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read safetensors or pickled tensors by the file's suffix."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    return read_safetensors(path) if path.suffix == ".safetensors" else read_pickle(path)


def read_pickle(path: Path) -> dict[str, Tensor]:
    """Read pickled tensors with ``weights_only=True``, or a TorchScript archive.

    A state dict under ``state_dict`` or ``model`` is unpacked and DistributedDataParallel's
    ``module.`` is taken off the names.

    Raises
    ------
    CheckpointError
        Broken, or with other objects than tensors in it, which would run code on loading.
    """
    try:
        if _is_torchscript(path):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # OpenAI's files won't change
                state: Any = torch.jit.load(str(path), map_location="cpu").state_dict()
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: broken, or holds other objects than tensors, which are not loaded because "
            "they could run any code. Save its state_dict() alone with torch.save, then convert "
            "that."
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise CheckpointError(
            f"{path}: broken or cut short ({reason}). Copy or download it again."
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not state:
        raise CheckpointError(f"{path}: expected a state dict, found {type(state).__name__}")
    others = [str(name) for name, value in state.items() if not isinstance(value, Tensor)]
    if others:
        raise CheckpointError(f"{path}: not a state dict; no tensors: {', '.join(others[:5])}")
    return {re.sub(r"^(module\.)+", "", name): value for name, value in state.items()}


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _depth(state: Mapping[str, Tensor], prefix: str) -> int:
    pattern = re.compile(re.escape(prefix) + r"(\d+)\.")
    return 1 + max((int(m[1]) for name in state if (m := pattern.match(name))), default=-1)


def _heads_fit(width: int, where: str) -> int:
    if width % 64:
        raise CheckpointError(f"{where}: a tower of width {width} has no heads that are 64 wide")
    return width


def _set_mlp_ratio(tower: dict[str, Any], state: Mapping[str, Tensor], prefix: str) -> None:
    hidden = state.get(f"{prefix}0.mlp.c_fc.weight")
    if hidden is not None and hidden.shape[0] != 4 * tower["width"]:
        tower["mlp_ratio"] = hidden.shape[0] / tower["width"]
