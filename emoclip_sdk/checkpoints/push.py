"""Upload a checkpoint folder to the Hub."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from .card import PATH_PLACEHOLDER
from .folder import CARD_FILE, FIGURES_FILE, PICTURE_FILE, load_folder
from .hub import FILES
from .hub_errors import hub_errors

__all__ = ["push_to_hub"]


def push_to_hub(
    folder: str | Path,
    repo: str,
    *,
    token: str | bool | None = None,
    private: bool | None = None,
    revision: str | None = None,
    commit_message: str = "Upload an EmoCLIP checkpoint",
    create_pr: bool = False,
) -> str:
    """Upload a checkpoint folder in one commit; the repository is made if there is none.

    The model card's example then loads the checkpoint from `repo`.

    Parameters
    ----------
    folder : str or Path
        A checkpoint folder. It is loaded first: a broken one is not uploaded.
    repo : str
        ``"org/name"``.
    token : str or bool, optional
        Access token with the right to write. None: the one that ``hf auth login`` stored.
    private : bool, optional
        For a new repository. None: the organization's default.
    revision : str, optional
        Branch to write to, made if there is none. None: the main branch.
    commit_message : str
        First line of the commit.
    create_pr : bool
        Open a pull request instead of writing to the branch.

    Returns
    -------
    str
        Address of the commit or, with `create_pr`, of the pull request.

    Raises
    ------
    CheckpointError
        The folder is no checkpoint that loads.
    HubError
        The Hub can't be reached or refuses; the message says what to do.
    """
    folder = Path(folder)
    load_folder(folder)
    names = (*FILES, FIGURES_FILE, PICTURE_FILE)
    present = [name for name in names if (folder / name).is_file()]
    with hub_errors(repo, revision, token):
        api = HfApi(token=token)
        api.create_repo(repo, private=private, exist_ok=True)
        if revision is not None and not create_pr:
            api.create_branch(repo, branch=revision, exist_ok=True)
        commit = api.create_commit(
            repo,
            [CommitOperationAdd(name, _content(folder / name, repo)) for name in present],
            revision=revision,
            commit_message=commit_message,
            create_pr=create_pr,
        )
    return commit.pr_url or commit.commit_url


def _content(path: Path, repo: str) -> bytes | Path:
    if path.name != CARD_FILE:
        return path
    return path.read_text(encoding="utf-8").replace(PATH_PLACEHOLDER, repo).encode()
