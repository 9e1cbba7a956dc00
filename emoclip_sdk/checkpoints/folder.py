"""A checkpoint folder: ``config.json``, ``model.safetensors``, ``README.md``, ``prompts.yaml``.

Beside them, ``reliability.json`` says what was measured of the labels that it can read.

Loading is strict. A tensor that is missing, unexpected or of another shape is an error that names
it, because a network with a few random layers still returns confident-looking scores.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..config import ModelConfig
from ..errors import CheckpointError
from ..nn import DualEncoder
from ..runtime.torch_state import isolated_build
from .card import model_card
from .implied_size import check_implied_size
from .reliability import RELIABILITY_FILE, MeasuredReliability, read_reliability
from .tensors import check_finite, check_tensors, read_safetensors, stored

__all__ = [
    "CARD_FILE",
    "CONFIG_FILE",
    "FIGURES_FILE",
    "PICTURE_FILE",
    "PROMPTS_FILE",
    "WEIGHTS_FILE",
    "Checkpoint",
    "build_encoder",
    "encoder_shapes",
    "load_folder",
    "save_folder",
]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "README.md"
PROMPTS_FILE = "prompts.yaml"
# Written beside the card by an evaluation with --write-card.
FIGURES_FILE = "card.json"
PICTURE_FILE = "confusion.png"

PICKLE_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".tar")


class Checkpoint(NamedTuple):
    """A loaded checkpoint.

    Parameters
    ----------
    config : ModelConfig
        The content of ``config.json``.
    model : DualEncoder
        The network on the CPU, in eval mode.
    prompts : Path or None
        The checkpoint's own prompt bank, where it has one.
    reliability : MeasuredReliability or None
        What was measured of its labels, where that is known.
    """

    config: ModelConfig
    model: DualEncoder
    prompts: Path | None
    reliability: MeasuredReliability | None = None


@isolated_build()
def load_folder(path: str | Path, *, dtype: torch.dtype | None = None) -> Checkpoint:
    """Load a checkpoint folder.

    The weights are mapped into memory, so a cold start reads only what it uses and several
    processes share the pages.

    Parameters
    ----------
    path : str or Path
        The folder.
    dtype : torch.dtype, optional
        Cast every floating-point tensor to this type. None keeps each tensor as it is in the file;
        a checkpoint saved in half precision holds matrices and vectors of different types and has
        to be cast before it can run.

    Returns
    -------
    Checkpoint
        Unpacks as ``config, model, prompts, reliability``.

    Raises
    ------
    CheckpointError
        Not a checkpoint folder, an unknown format version, a broken file, or tensors that do not
        fit the configuration. The message names the file and what to do.
    """
    folder = Path(path)
    _check_layout(folder)
    config = ModelConfig.from_json_file(folder / CONFIG_FILE)
    weights = folder / WEIGHTS_FILE
    tensors = read_safetensors(weights)
    check_implied_size(config, tensors, str(weights))
    model = build_encoder(config, tensors, where=str(weights))
    check_finite(tensors, str(weights))
    if dtype is not None:
        model.to(dtype)
    prompts = folder / PROMPTS_FILE
    reliability = read_reliability(folder, model.width)
    return Checkpoint(config, model, prompts if prompts.is_file() else None, reliability)


def save_folder(
    path: str | Path,
    config: ModelConfig,
    state_dict: Mapping[str, Tensor],
    *,
    prompts_yaml: str | None = None,
    card: str | None = None,
    reliability: MeasuredReliability | None = None,
    dtype: torch.dtype | None = None,
) -> Path:
    """Write a checkpoint folder.

    All files are written under temporary names and then renamed: a save that is killed leaves the
    old checkpoint or the new one, never half a file.

    Parameters
    ----------
    path : str or Path
        The folder; made if it does not exist. The checkpoint's files in it are replaced.
    config : ModelConfig
        The configuration that the tensors belong to.
    state_dict : mapping of str to Tensor
        ``DualEncoder.state_dict()``. Checked against `config` by name and shape before anything
        is written.
    prompts_yaml : str, optional
        Text of the checkpoint's own prompt bank. None: the folder has none afterwards.
    card : str, optional
        Text of the model card. None: one generated from `config`, without measured figures.
    reliability : MeasuredReliability, optional
        What was measured of the labels of these weights. None: the folder says nothing of it.
    dtype : torch.dtype, optional
        Store matrices and larger tensors in this floating-point type. Vectors (norms, biases,
        running statistics) and the logit scale stay as they are: they are a thousandth of the
        size and carry the scale. None: every tensor bit by bit as it is.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    CheckpointError
        Tensors that do not fit `config`, values beyond the range of `dtype`, or a folder that
        can't be written.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise CheckpointError(f"{folder}: is a file; a checkpoint is saved as a folder")
    expected = encoder_shapes(config, str(folder))
    check_tensors(expected, state_dict, f"{folder}: not saved", "They belong to another config.")
    tensors = {name: stored(name, tensor, dtype) for name, tensor in state_dict.items()}
    texts = {CARD_FILE: model_card(config) if card is None else card, CONFIG_FILE: config.to_json()}
    if prompts_yaml is not None:
        texts[PROMPTS_FILE] = prompts_yaml
    if reliability is not None:
        texts[RELIABILITY_FILE] = reliability.to_json()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".saving-", dir=folder) as temporary:
            staged = Path(temporary)
            save_file(tensors, staged / WEIGHTS_FILE, metadata={"format": "pt"})
            for name, text in texts.items():
                (staged / name).write_text(text, encoding="utf-8")
            # safetensors makes its file readable by the owner only.
            shutil.copymode(staged / CONFIG_FILE, staged / WEIGHTS_FILE)
            for name in (WEIGHTS_FILE, *texts):
                os.replace(staged / name, folder / name)
        for name in {PROMPTS_FILE, RELIABILITY_FILE} - texts.keys():
            (folder / name).unlink(missing_ok=True)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder}: the checkpoint can't be written ({error})") from error
    return folder


@isolated_build()
def build_encoder(
    config: ModelConfig, tensors: Mapping[str, Tensor], *, where: str = "state_dict"
) -> DualEncoder:
    """Build the network around given tensors, without initializing random weights first.

    Parameters
    ----------
    config : ModelConfig
        What to build.
    tensors : mapping of str to Tensor
        All parameters and buffers, by their names in :class:`DualEncoder`. Not copied.
    where : str
        Where the tensors come from, for error messages.

    Returns
    -------
    DualEncoder
        In eval mode.

    Raises
    ------
    CheckpointError
        Tensors missing, unexpected or of another shape; an architecture that can't be built.
    """
    model = _skeleton(config, where)
    check_tensors(model.state_dict(), tensors, where)
    if any(name not in tensors for name, _ in model.named_buffers()):
        # Some towers compute buffers when they are built and do not save them (causal masks,
        # rotary tables). Those have no values on the meta device: build this network for real.
        model = DualEncoder(config)
    model.load_state_dict(dict(tensors), strict=True, assign=True)
    return model.eval()


@isolated_build()
def encoder_shapes(config: ModelConfig, where: str) -> dict[str, Tensor]:
    """Return the state that `config` asks for, by name: shapes and types without memory."""
    return _skeleton(config, where).state_dict()


def _skeleton(config: ModelConfig, where: str) -> DualEncoder:
    try:
        try:
            with torch.device("meta"), _Unfilled():
                return DualEncoder(config)
        except (NotImplementedError, RuntimeError):
            return DualEncoder(config)  # some timm towers need values while they are built
    except CheckpointError:
        raise
    except Exception as error:  # open_clip and timm raise whatever a bad value runs into
        raise CheckpointError(
            f"{where}: no network can be built from this configuration "
            f"({type(error).__name__}: {error}). Check 'towers' and 'temporal' in {CONFIG_FILE}."
        ) from error


class _Unfilled(TorchFunctionMode):
    """Leaves out random starting values: on the meta device there are none.

    torch computes the shape of a normal distribution there in Python, for which it imports its
    compiler: longer than all else that loading the embedded model takes.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (nn.init.normal_, Tensor.normal_):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def _check_layout(folder: Path) -> None:
    if folder.is_file():
        if folder.suffix.lower() in PICKLE_SUFFIXES:
            raise CheckpointError(f"{folder}: {_PICKLE_HINT.format(folder)}")
        raise CheckpointError(
            f"{folder}: is a file; pass the folder that holds {CONFIG_FILE} and {WEIGHTS_FILE}"
        )
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder")
    missing = [name for name in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / name).is_file()]
    if not missing:
        return
    message = f"{folder}: not a checkpoint folder, {' and '.join(missing)} missing."
    pickles = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICKLE_SUFFIXES)
    if pickles:
        message += f" {pickles[0].name} in it: {_PICKLE_HINT.format(pickles[0])}"
    raise CheckpointError(message)


_PICKLE_HINT = (
    "pickled weights are not loaded directly. Make a checkpoint folder of them: "
    "emoclip convert {} OUT --from emoclip|farl|openai-clip"
)
