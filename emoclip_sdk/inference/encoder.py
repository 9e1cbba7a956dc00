"""A network ready to use: device and precision chosen, batches cut, NumPy in and out."""

from __future__ import annotations

import copy
import hashlib
import itertools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..config import ModelConfig
from ..errors import CheckpointError, EmoCLIPError
from ..faces import FaceShape
from ..nn.architecture import open_clip_config
from ..nn.dual_encoder import DualEncoder
from ..nn.preprocess import preprocess
from ..nn.shape import SHAPE_FEATURES, shape_features
from ..nn.tokenizer import build_tokenizer
from ..runtime.torch_state import isolated_build, isolated_inference
from ..video import clip_window
from .devices import pick_device, pick_dtype

__all__ = ["Encoder", "check_runs", "runnable"]

log = logging.getLogger(__name__)

_FRAMES_PER_BATCH = 64
_FRAMES_IN_CACHE = 32  # on a processor: the layers of more do not stay in its cache
_CLIPS_PER_BATCH = 64
_TEXTS_PER_BATCH = 256
_NO_MEMORY = re.compile("out of memory|not enough memory|can't allocate memory", re.IGNORECASE)
FOLDED_WITHIN = 1e-3
"""How far, relatively, a tower with folded batch norms may be from the tower as built."""


def _is_convolutional(visual: nn.Module) -> bool:
    return any(isinstance(module, nn.BatchNorm2d) for module in visual.modules())


def runnable(visual: nn.Module, dtype: torch.dtype, size: int) -> nn.Module:
    """Return an image tower as it is run, on pictures of `size` pixels.

    A convolutional tower is copied, its batch norms are folded into the convolutions before them
    (faster, and in half precision nothing is rounded between the two), and its tensors are laid out
    channels last. Where that changes what it says of a picture, because a batch norm belongs to
    something else than what is registered before it, nothing is folded. A transformer is cast in
    place.
    """
    if not _is_convolutional(visual):
        return visual.to(dtype)
    plain = copy.deepcopy(visual).eval()
    tower = copy.deepcopy(plain)
    _fold_batch_norms(tower)
    generator = torch.Generator("cpu").manual_seed(0)
    picture = torch.randn(1, 3, size, size, generator=generator, dtype=torch.float32, device="cpu")
    with isolated_inference():
        picture = picture.to(next(plain.parameters()).device)
        expected, folded = plain(picture), tower(picture)
    if (folded - expected).norm() > FOLDED_WITHIN * expected.norm():
        tower = plain
    return tower.to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]


def check_runs(network: DualEncoder, config: ModelConfig) -> None:
    """Try a network on one gray picture: its configuration is from somebody else.

    Raises
    ------
    CheckpointError
        It fails, or what comes out is no embedding.
    """
    device, size = next(network.parameters()).device, config.image.size
    try:
        with isolated_inference():
            pictures = torch.zeros(1, 3, size, size, dtype=torch.float32, device=device)
            frames = network.encode_frames(pictures)
            outputs = {"image": frames, "clip": network.pool(frames[None], None)}
            if config.towers.text:
                length = open_clip_config(config.towers)["text_cfg"].get("context_length", 77)
                tokens = torch.ones(1, length, dtype=torch.long, device=device)
                outputs["text"] = network.encode_tokens(tokens)
            for name, output in outputs.items():
                if tuple(output.shape) != (1, network.width):
                    raise ValueError(f"{name} embeddings of shape {tuple(output.shape)}")
    except Exception as error:  # whatever a bad value runs into
        raise CheckpointError(
            f"config.json: the network can't read a picture of {size} x {size} pixels or a text "
            f"({type(error).__name__}: {' '.join(str(error).split()):.200}). Check 'image.size', "
            "'towers' and 'temporal'"
        ) from error


def _fold_batch_norms(module: nn.Module) -> None:
    """Fold each batch norm that is registered right after a convolution into it, in place."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    children = list(module.named_children())
    for (name, conv), (norm_name, norm) in itertools.pairwise(children):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(conv, norm))
            # Some batch norms, ours and timm's, have their activation inside.
            setattr(module, norm_name, getattr(norm, "act", nn.Identity()))
    for _, child in children:
        _fold_batch_norms(child)


def _versions(module: nn.Module) -> list[tuple[int, int]]:
    """Return what differs once a tensor of the module was written to, or is another one."""
    tensors = itertools.chain(module.parameters(), module.buffers())
    # Nobody can write to a tensor that was made in inference mode, and it counts nothing.
    return [(id(t), 0 if t.is_inference() else t._version) for t in tensors]


class Encoder:
    """Runs a :class:`DualEncoder` for inference.

    Parameters
    ----------
    network : DualEncoder
        Its weights are moved and cast in place.
    config : ModelConfig
        Preprocessing and tokenizer.
    device, dtype
        See :func:`pick_device` and :func:`pick_dtype`.
    """

    @isolated_build()
    def __init__(
        self,
        network: DualEncoder,
        config: ModelConfig,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "auto",
    ) -> None:
        self.config = config
        self.device = pick_device(device)
        visual = network.towers.visual
        self.dtype = pick_dtype(dtype, self.device, convolutional=_is_convolutional(visual))
        self.network = network.to(self.device, torch.float32).eval().requires_grad_(False)
        self._compiled = False
        self._fit: int | None = None  # pictures that fit into memory, once more have failed
        check_runs(self.network, config)
        self._visual: Any = runnable(self.network.towers.visual, self.dtype, config.image.size)
        self._visual_state = _versions(self.network.towers.visual)
        self._tokenizer: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: the tower that is run is made anew there."""
        return {**vars(self), "_visual": None, "_tokenizer": None, "_compiled": False}

    @property
    def visual(self) -> nn.Module:
        """The image tower as it is run, see :func:`runnable`; made anew when its weights change."""
        tower = self.network.towers.visual
        if self._visual is None or _versions(tower) != self._visual_state:
            visual: Any = runnable(tower, self.dtype, self.config.image.size)
            self._visual = torch.compile(visual) if self._compiled else visual
            self._visual_state = _versions(tower)
        return self._visual

    def compile(self) -> None:
        """Compile the image tower as it is run, now and whenever its weights change.

        Raises
        ------
        EmoCLIPError
            torch can't compile here, as without a C++ compiler; the tower runs as before.
        """
        if self._compiled:
            return
        self._compiled, self._visual = True, None
        size = self.config.image.crop_size or self.config.image.size
        try:
            # Two sizes: the second makes torch compile for any number of crops.
            for n in (self._at_once, self._at_once // 2):
                self.frames(np.zeros((n, size, size, 3), np.uint8))
        except Exception as error:  # torch has a dozen kinds, some of them plain RuntimeErrors
            self._compiled, self._visual = False, None
            reason = str(error).strip().partition("\n")[0]
            raise EmoCLIPError(f"torch.compile doesn't work here: {reason}") from error

    @property
    def _at_once(self) -> int:
        return _FRAMES_IN_CACHE if self.device.type == "cpu" else _FRAMES_PER_BATCH

    @property
    def width(self) -> int:
        """D, size of the joint embedding space."""
        return self.network.width

    @property
    def logit_scale(self) -> float:
        """Inverse temperature of eq. 1, exponentiated."""
        return self.network.scale

    def video_hash(self) -> str:
        """Hash what decides a video embedding: image tower, shape stream, pooling, actions.

        In bfloat16, in which a model may have its image tower: a probe that was trained in float32
        fits it.
        """
        modules = nn.ModuleList([self.network.towers.visual, self.network.temporal])
        if self.network.shape is not None:
            modules.append(self.network.shape)
        if self.network.actions is not None:
            modules.append(self.network.actions)
        digest = hashlib.sha256()
        for name, tensor in modules.state_dict().items():
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().bfloat16().contiguous().view(torch.int16).numpy())
        return digest.hexdigest()[:24]

    def frames(
        self,
        crops: NDArray[np.uint8],
        shapes: Sequence[FaceShape | None] | None = None,
        *,
        products: torch.dtype | None = None,
    ) -> NDArray[np.float32]:
        """Embed face crops one by one.

        Parameters
        ----------
        crops : ndarray, (N, S, S, 3), uint8
        shapes : sequence of FaceShape or None, optional
            Of the same N faces; only a model with a shape stream looks at them. A face without one
            is embedded by its pixels alone.
        products : torch.dtype, optional
            In which the image tower multiplies (autocast), where its weights have to stay as they
            are.

        Returns
        -------
        ndarray, (N, D)
            Unnormalized.
        """

        def embed(part: slice) -> Tensor:
            batch = torch.from_numpy(crops[part]).to(self.device)
            images = preprocess(batch, self.config.image).to(self.dtype)
            with nullcontext() if products is None else torch.autocast(self.device.type, products):
                return self.visual(images).float().cpu()

        if not len(crops):
            return np.zeros((0, self.width), np.float32)
        with isolated_inference():
            pixels = torch.cat(list(self._in_batches(embed, len(crops), self._at_once)))
            features = None if shapes is None else self._features(shapes, len(crops))
            frames = self.network.join(pixels.to(self.device), features)
        return frames.cpu().numpy()

    def _features(self, shapes: Sequence[FaceShape | None], n: int) -> Tensor | None:
        """Return what the model reads of the shapes of `n` faces, (N, F); NaN: none."""
        if len(shapes) != n:
            raise ValueError(f"{len(shapes)} shapes for {n} crops")
        measured = {i: shape for i, shape in enumerate(shapes) if shape is not None}
        if self.network.shape is None or not measured:
            return None
        landmarks = torch.from_numpy(np.stack([s.landmarks for s in measured.values()]))
        blendshapes = torch.from_numpy(np.stack([s.blendshapes for s in measured.values()]))
        features = torch.full(
            (n, SHAPE_FEATURES), torch.nan, dtype=torch.float32, device=self.device
        )
        features[list(measured)] = shape_features(
            landmarks.to(self.device), blendshapes.to(self.device)
        )
        return features

    def _in_batches(
        self, embed: Callable[[slice], Tensor], n: int, at_once: int
    ) -> Iterator[Tensor]:
        """Embed `n` pictures, `at_once` or, where memory does not suffice, fewer from then on.

        Raises
        ------
        EmoCLIPError
            It does not suffice for a single one.
        """
        begin, size = 0, min(at_once, self._fit or at_once)
        while True:
            try:
                yield embed(slice(begin, begin + size))
            except (MemoryError, RuntimeError) as error:  # RuntimeError: of torch, on a processor
                reason = str(error).partition("\n")[0]
                if not (isinstance(error, MemoryError) or _NO_MEMORY.search(reason)):
                    raise
                if size == 1:
                    raise EmoCLIPError(
                        "out of memory, even for one picture at a time: close other programs, or "
                        f"use a smaller model ({reason})"
                    ) from error
                size = self._fit = min(size, n - begin) // 2 or 1
                log.warning("out of memory: going on with %d pictures at a time", size)
            else:
                begin += size
                if begin >= n:
                    return

    def _batches(
        self, frames: NDArray[np.float32], windows: Sequence[Sequence[int]]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield clips (B, T, D) and masks (B, T); short windows are padded."""
        for i in range(0, len(windows), _CLIPS_PER_BATCH):
            part = [
                [window[place] for place in self._places(len(window))]
                for window in windows[i : i + _CLIPS_PER_BATCH]
            ]
            rows = np.full((len(part), max(map(len, part))), -1)
            for row, window in zip(rows, part, strict=True):
                row[: len(window)] = window
            clips = torch.from_numpy(frames[rows.clip(0)]).to(self.device)
            # What is masked still takes part in products: a face out of view is NaN in row 0, too.
            clips[torch.from_numpy(rows < 0).to(self.device)] = 0
            yield clips, torch.from_numpy(rows >= 0).to(self.device)

    def _places(self, n: int) -> Sequence[int]:
        """Which frames of a window of `n` the temporal module is given: a short one is filled.

        By the window that the model was trained with (`SamplingConfig.window`). A mean needs no
        filling: repeated frames would only weigh more.
        """
        sampling = self.config.sampling
        if sampling.window is None or self.config.temporal.kind == "mean":
            return range(n)
        if not 0 < n < sampling.n_frames:
            return range(n)
        return clip_window(n, sampling.n_frames, sampling.window).tolist()

    def pool(
        self, frames: NDArray[np.float32], windows: Sequence[Sequence[int]]
    ) -> NDArray[np.float32]:
        """Pool windows of frame embeddings to clip embeddings.

        Parameters
        ----------
        frames : ndarray, (N, D)
        windows : sequence of sequences of int
            For each window the rows of `frames`; -1 where a frame is missing. At least one row is
            there. Missing frames keep their place in time and are masked. A window shorter than
            the model's span is filled as it was in training (`SamplingConfig.window`).

        Returns
        -------
        ndarray, (W, D), unnormalized
        """
        batches = self._batches(frames, windows)
        with isolated_inference():
            parts = [self.network.pool(*batch).cpu().numpy() for batch in batches]
        return np.concatenate(parts) if parts else np.zeros((0, self.width), np.float32)

    def attention(
        self, frames: NDArray[np.float32], windows: Sequence[Sequence[int]]
    ) -> list[NDArray[np.float32]]:
        """Tell each frame's share in :meth:`pool`, for each window: (T,), 0 in gaps."""
        batches = self._batches(frames, windows)
        with isolated_inference():
            parts = [self.network.attention(*batch).cpu().numpy() for batch in batches]
        rows = (row for part in parts for row in part)
        shares = []
        for row, window in zip(rows, windows, strict=True):
            places = np.asarray(self._places(len(window)))
            # A frame that stands in the clip twice has the shares of both places.
            share = np.bincount(places, weights=row[: len(places)], minlength=len(window))
            shares.append(share.astype(np.float32))
        return shares

    def video(self, clips: Tensor, mask: Tensor | None = None) -> Tensor:
        """Embed preprocessed clips (B, T, 3, H, W) to (B, D), see `DualEncoder.encode_video`."""
        with isolated_inference():
            clips = clips.to(self.device, self.dtype)
            b, t = clips.shape[:2]
            mask = torch.ones(b, t, dtype=torch.bool) if mask is None else mask.bool()
            mask = mask.to(self.device)
            images = clips[mask]
            n = len(images)
            run = self._in_batches(lambda part: self.visual(images[part]).float(), n, at_once=n)
            real = self.network.join(torch.cat(list(run)))
            frames = real.new_zeros(b, t, real.shape[-1])
            frames[mask] = real
            return self.network.pool(frames, mask)

    def texts(self, texts: Sequence[str], *, head: bool = True) -> Tensor:
        """Embed N texts to (N, D), unnormalized; `head` as in :meth:`Towers.encode_tokens`."""
        if self._tokenizer is None:
            self._tokenizer = build_tokenizer(self.config.towers)
        parts = []
        with isolated_inference():
            for i in range(0, len(texts), _TEXTS_PER_BATCH):
                tokens = self._tokenizer(list(texts[i : i + _TEXTS_PER_BATCH]))
                parts.append(self.network.encode_tokens(tokens.to(self.device), head=head))
        return torch.cat(parts)
