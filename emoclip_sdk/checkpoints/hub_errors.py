"""Errors of the Hugging Face Hub in words that say what to do."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ..errors import HubError

__all__ = ["EMBEDDED_HINT", "hub_errors"]

EMBEDDED_HINT = (
    "EmoCLIP.from_pretrained() without a name loads the embedded model, which needs no network."
)


@contextlib.contextmanager
def hub_errors(
    repo: str,
    revision: str | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
    cache_dir: str | Path | None = None,
) -> Iterator[None]:
    """Turn every failure of huggingface_hub into a HubError that says what to do."""
    try:
        yield
    except Exception as error:  # the outer boundary to another library's network code
        cause = error.__cause__ or error.__context__
        if isinstance(error, LocalEntryNotFoundError) and isinstance(cause, HfHubHTTPError):
            error_to_explain: BaseException = cause  # the Hub did answer; the cache came second
        else:
            error_to_explain = error
        where = f"'{repo}'" + (f" at revision '{revision}'" if revision else "")
        text = _explain(error_to_explain, repo, revision, token, local_files_only, cache_dir)
        raise HubError(f"{where}: {text}") from error


def _explain(
    error: BaseException,
    repo: str,
    revision: str | None,
    token: str | bool | None,
    local_files_only: bool,
    cache_dir: str | Path | None,
) -> str:
    endpoint = constants.ENDPOINT
    login = "Log in with 'hf auth login', or pass token=."
    page = f"{endpoint}/{repo}"
    cache = cache_dir or constants.HF_HUB_CACHE
    if isinstance(error, HFValidationError):
        return "is not a name that the Hub can have; it looks like 'org/name'."
    if isinstance(error, LocalTokenNotFoundError):
        return f"token=True, but no token is stored on this machine. {login}"
    if isinstance(error, GatedRepoError):
        return f"access is gated. Accept the terms at {page}, then log in. {login}"
    if isinstance(error, RevisionNotFoundError):
        return f"the repository has no such revision. {page} lists branches and tags."
    if isinstance(error, RemoteEntryNotFoundError):
        return f"a file is missing in the repository ({error.response.url.path}). See {page}/tree."
    if isinstance(error, RepositoryNotFoundError):
        private = "the token given has no access to it" if token else login
        return f"no such repository on {endpoint}. Check the name; if it is private: {private}"
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status == 401:
            return f"{endpoint} refused the token: mistyped, expired or revoked (401). {login}"
        if status == 403:
            return (
                f"the token has no permission for this (403). Give it access to {repo} at "
                f"{endpoint}/settings/tokens, or use another. {login}"
            )
        if status == 429:
            return f"{endpoint} received too many requests (429). Wait a few minutes. {login}"
        reason = f": {error.server_message}" if error.server_message else ""
        return f"{endpoint} answered with status {status}{reason}. Try again later."
    if isinstance(error, LocalEntryNotFoundError) and local_files_only:
        return (
            f"not, or not completely, in the cache {cache}, and local_files_only is set. Load it "
            "once with a network connection."
        )
    if isinstance(error, OfflineModeIsEnabled) or constants.is_offline_mode():
        return (
            f"not in the cache {cache}, and HF_HUB_OFFLINE is set. Load it once without. "
            f"{EMBEDDED_HINT}"
        )
    if isinstance(error, LocalEntryNotFoundError):
        return (
            f"{endpoint} can't be reached and the cache {cache} does not have it. Check the "
            f"connection (and HF_ENDPOINT or the proxy), or copy a checkpoint folder here and "
            f"pass its path. {EMBEDDED_HINT}"
        )
    # Known by name: which HTTP library is at work depends on huggingface_hub's version.
    if type(error).__name__ in ("ConnectError", "ConnectTimeout", "ProxyError"):
        return (
            f"{endpoint} can't be reached ({_line(error)}). Check the connection (and HF_ENDPOINT "
            f"or the proxy)."
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(Path(cache).anchor or ".").free // 2**20
        return f"the disk of the cache {cache} is full ({free} MiB free). Pass cache_dir=."
    if isinstance(error, PermissionError):
        return f"the cache {cache} can't be written ({error}). Pass cache_dir=."
    return (
        f"the transfer broke off ({type(error).__name__}: {_line(error)}). Try again; what has "
        f"arrived is kept."
    )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
