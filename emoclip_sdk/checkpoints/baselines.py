"""Frozen CLIP and FaRL, frames averaged: the paper's baselines, and larger towers to start from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants

from ..config import ModelConfig, PromptConfig, TemporalConfig, TowersConfig
from ..errors import CheckpointError, HubError
from .folder import Checkpoint, build_encoder
from .hub import download_file, download_url
from .openai import LABELS, encoder_state_from_openai, read_pickle
from .tensors import read_safetensors

__all__ = ["BASELINES", "Baseline", "load_baseline"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Baseline:
    """A named baseline: public weights, the mean over frames instead of a temporal module.

    Parameters
    ----------
    name : str
        What users pass to ``from_pretrained``.
    title : str
        For people.
    towers : TowersConfig
        Architecture. All of them were trained with QuickGELU.
    repo : str, optional
        Hub repository that holds ``open_clip_model.safetensors``.
    url : str, optional
        Release file, where the weights are not on the Hub.
    license : str
        Terms of the weights.
    """

    name: str
    title: str
    towers: TowersConfig
    repo: str | None = None
    url: str | None = None
    license: str = "mit"


BASELINES: dict[str, Baseline] = {
    baseline.name: baseline
    for baseline in (
        Baseline(
            "clip-vit-b-32",
            "CLIP ViT-B/32 trained on LAION-400M (open_clip laion400m_e32), the paper's baseline",
            TowersConfig(name="ViT-B-32", quick_gelu=True),
            repo="timm/vit_base_patch32_clip_224.laion400m_e32",
        ),
        Baseline(
            "clip-vit-b-32-openai",
            "CLIP ViT-B/32 of OpenAI, from which EmoCLIP starts",
            TowersConfig(name="ViT-B-32", quick_gelu=True),
            repo="timm/vit_base_patch32_clip_224.openai",
        ),
        Baseline(
            "clip-vit-b-16-openai",
            "CLIP ViT-B/16 of OpenAI: four times the patches of the paper's tower",
            TowersConfig(name="ViT-B-16", quick_gelu=True),
            repo="timm/vit_base_patch16_clip_224.openai",
        ),
        Baseline(
            "clip-vit-l-14-openai",
            "CLIP ViT-L/14 of OpenAI: 3.5 times the parameters of the paper's image tower",
            TowersConfig(name="ViT-L-14", quick_gelu=True),
            repo="timm/vit_large_patch14_clip_224.openai",
        ),
        Baseline(
            "farl-vit-b-16",
            "FaRL ViT-B/16 trained on LAION-Face 20M, 16 epochs as in its paper",
            TowersConfig(name="ViT-B-16", quick_gelu=True),
            url="https://github.com/FacePerceiver/FaRL/releases/download/pretrained_weights/"
            "FaRL-Base-Patch16-LAIONFace20M-ep16.pth",
        ),
    )
}


def load_baseline(
    baseline: Baseline,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Checkpoint:
    """Download a baseline's weights, once, and build its network.

    Parameters
    ----------
    baseline : Baseline
        One of ``BASELINES``.
    revision, cache_dir, token, local_files_only
        As in :func:`~emoclip_sdk.checkpoints.resolve`.

    Returns
    -------
    Checkpoint
        The network on the CPU in the precision of the file.

    Raises
    ------
    HubError
        The weights can't be downloaded, or arrived broken.
    """
    if baseline.repo is not None:
        path = download_file(
            baseline.repo,
            "open_clip_model.safetensors",
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
        )
        state = read_safetensors(path)
    else:
        assert baseline.url is not None
        if revision is not None:
            raise CheckpointError(f"'{baseline.name}' is not on the Hub and has no revisions")
        folder = Path(cache_dir or constants.HF_HUB_CACHE) / "emoclip_sdk" / baseline.name
        path = download_url(baseline.url, folder, local_files_only=local_files_only)
        try:
            state = read_pickle(path)
        except CheckpointError as error:
            path.unlink()
            raise HubError(
                f"'{baseline.name}': the download is broken: {error} It was removed; try again."
            ) from error
    _, tensors, left_out = encoder_state_from_openai(state, where=str(path))
    if left_out:
        _log.info("%s: not used: %s", path, ", ".join(left_out))
    config = ModelConfig(
        towers=baseline.towers,
        temporal=TemporalConfig(kind="mean"),
        prompts=PromptConfig(LABELS),
        info={"name": baseline.name, "title": baseline.title, "license": baseline.license},
    )
    return Checkpoint(config, build_encoder(config, tensors, where=str(path)), None)
