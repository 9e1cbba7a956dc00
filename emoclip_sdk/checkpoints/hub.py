"""Downloads from the Hugging Face Hub and from release pages."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from huggingface_hub import snapshot_download, try_to_load_from_cache
from huggingface_hub.utils.tqdm import tqdm

from ..errors import CheckpointError, HubError
from .folder import CARD_FILE, CONFIG_FILE, PROMPTS_FILE, WEIGHTS_FILE
from .hub_errors import EMBEDDED_HINT, hub_errors
from .reliability import RELIABILITY_FILE
from .tensors import read_safetensors

__all__ = ["FILES", "download_file", "download_folder", "download_url"]

FILES = (CONFIG_FILE, WEIGHTS_FILE, CARD_FILE, PROMPTS_FILE, RELIABILITY_FILE)


def download_folder(
    repo: str,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Path:
    """Download a checkpoint folder of ours from the Hub into its cache.

    Only the four files of a checkpoint are fetched. A repository that was fetched before is found
    in the cache when the Hub can't be reached.

    Parameters
    ----------
    repo : str
        ``"org/name"``.
    revision : str, optional
        Branch, tag or commit.
    cache_dir : str or Path, optional
        Instead of the Hub's own cache folder.
    token : str or bool, optional
        Access token; None or True: the one that ``hf auth login`` stored.
    local_files_only : bool
        Never touch the network.

    Returns
    -------
    Path
        The folder in the cache.

    Raises
    ------
    HubError
        Whatever went wrong, with what to do about it.
    """
    folder, new = _snapshot(
        repo, FILES, WEIGHTS_FILE, revision, cache_dir, token, local_files_only=local_files_only
    )
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise HubError(
                f"'{repo}' has no file {name}: it is not a checkpoint of emoclip_sdk. Weights of "
                "other kinds become one with: emoclip convert FILE OUT --from "
                "emoclip|farl|openai-clip"
            )
    # The Hub names its large files by their SHA-256; hash once, when the file is new.
    _check_weights(folder / WEIGHTS_FILE, repo, hashed=new)
    return folder


def download_file(
    repo: str,
    name: str,
    *,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Path:
    """Download one safetensors file from the Hub. Parameters and errors: `download_folder`."""
    folder, new = _snapshot(
        repo, (name,), name, revision, cache_dir, token, local_files_only=local_files_only
    )
    path = folder / name
    if not path.is_file():
        raise HubError(f"'{repo}' has no file {name}. Has it moved? Look for a newer emoclip_sdk.")
    _check_weights(path, repo, hashed=new)
    return path


def _snapshot(
    repo: str,
    files: tuple[str, ...],
    weights: str,
    revision: str | None,
    cache_dir: str | Path | None,
    token: str | bool | None,
    *,
    local_files_only: bool,
) -> tuple[Path, bool]:
    """Return the folder in the cache, and whether `weights` is new in it."""
    with hub_errors(repo, revision, token, local_files_only, cache_dir):
        cached = try_to_load_from_cache(repo, weights, cache_dir=cache_dir, revision=revision)
        # For a single file too: hf_hub_download would retry for half a minute when offline.
        folder = snapshot_download(
            repo,
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
            allow_patterns=list(files),
        )
    return Path(folder), not isinstance(cached, str)


def _check_weights(path: Path, repo: str, *, hashed: bool) -> None:
    """Refuse a broken download, and take it out of the cache so that the next try is a new one."""
    blob = path.resolve()
    try:
        if hashed and len(blob.name) == 64 and _sha256(blob) != blob.name:
            raise CheckpointError("its checksum is not the one that the Hub states")
        read_safetensors(path)
    except CheckpointError as error:
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise HubError(
            f"'{repo}': the download of {path.name} is broken: {error} It was removed from the "
            "cache; try again."
        ) from error


def download_url(url: str, folder: str | Path, *, local_files_only: bool = False) -> Path:
    """Download a release file into `folder`, once.

    Parameters
    ----------
    url : str
        Address of the file.
    folder : str or Path
        Where to keep it, under the last part of its address.
    local_files_only : bool
        Never touch the network.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    HubError
        The file can't be downloaded whole.
    """
    target = Path(folder) / url.rsplit("/", 1)[-1]
    if target.is_file():
        return target
    by_hand = f"Download {url} by other means and put it at {target}, then try again."
    if local_files_only:
        raise HubError(f"{target} is not there and local_files_only is set. {by_hand}")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=30) as response, part.open("wb") as file:
            total = int(response.headers.get("Content-Length") or 0)
            with tqdm(desc=target.name, total=total or None, unit="B", unit_scale=True) as bar:
                while chunk := response.read(1 << 20):
                    file.write(chunk)
                    bar.update(len(chunk))
        size = part.stat().st_size
        if total and size != total:
            raise HubError(f"{url}: broke off after {size} of {total} bytes. Try again. {by_hand}")
        os.replace(part, target)
    except urllib.error.HTTPError as error:
        raise HubError(
            f"{url}: the server answered {error.code} {error.reason}. {by_hand}"
        ) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise HubError(
            f"{url} can't be downloaded ({reason}). {by_hand} {EMBEDDED_HINT}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
