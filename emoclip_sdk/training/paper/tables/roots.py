"""``roots.yaml``: where the datasets and the models of a report are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ....errors import DatasetError
from ...data.datasets import DATASETS
from .published import published

__all__ = ["MissingInput", "Roots", "read_roots"]

EXAMPLE = "datasets: {mafw: /data/MAFW}, models: {clip: clip-vit-b-32, emoclip: runs/fold{fold}}"

_SCALES = ("panss", "cains")


class MissingInput(Exception):
    """Something is not there, so that a figure can't be measured; the message says what."""


@dataclass(frozen=True)
class Roots:
    """Content of a roots file.

    Attributes
    ----------
    path : Path
        The file. Relative paths in it start from its folder.
    datasets : mapping of str to Path
    models : mapping of str to (str or mapping of str to str)
        By key of ``published.yaml``: a folder, baseline or Hub name, in which ``{dataset}`` and
        ``{fold}`` are filled in; or one per dataset.
    studies : mapping of str to mapping of str to Path
        Per scale (panss, cains) the results of ``emoclip-train ness``, by the name of their row.
    prompts : str
        ``bank`` or a YAML file ``name: sentence``: the class descriptions.
    """

    path: Path
    datasets: Mapping[str, Path] = field(default_factory=dict)
    models: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    prompts: str = "bank"
    studies: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)

    def dataset(self, name: str) -> Path:
        """Return a dataset's root.

        Raises
        ------
        MissingInput
        """
        if name not in self.datasets:
            raise MissingInput(f"no root for {name} in {self.path.name}")
        return self.datasets[name]

    def by_fold(self, name: str, dataset: str) -> bool:
        """Whether a model that was trained on the folds of another dataset is there for each."""
        entry = self.models.get(name)
        if isinstance(entry, Mapping):
            entry = entry.get(dataset)
        kind = published().models.get(name)
        if entry is None or kind is None or "{fold}" not in entry:
            return False
        return kind.trained_on not in (None, "each", dataset)

    def model(self, name: str, dataset: str, fold: int) -> str:
        """Return the model to measure on one fold of a dataset: a folder that exists, or a name.

        A model that was trained on this dataset must name its fold: on any other fold it would
        meet clips that it was trained on.

        Raises
        ------
        MissingInput
        """
        entry = self.models.get(name)
        if isinstance(entry, Mapping):
            entry = entry.get(dataset)
        if entry is None:
            raise MissingInput(f"no model {name} in {self.path.name}")
        kind = published().models[name]
        one_for_all = isinstance(self.models[name], str) and "{dataset}" not in entry
        if kind.trained_on == "each" and one_for_all and len(self.datasets) > 1:
            raise MissingInput(f"models.{name} has no {{dataset}}: there is one for each dataset")
        seen = kind.trained_on in ("each", dataset)
        if seen and fold > 1 and "{fold}" not in entry:
            raise MissingInput(f"models.{name} has no {{fold}}: taken for fold 1 alone")
        pattern = entry.replace("{dataset}", dataset)
        folder = self.path.parent / Path(pattern.replace("{fold}", str(fold))).expanduser()
        if folder.is_dir():
            return str(folder)
        if kind.kind == "checkpoint" and "{" not in entry:
            return entry
        # The fold isn't filled in: those that lack their folder share one sentence.
        raise MissingInput(f"{pattern}: no such folder")


def read_roots(path: str | Path) -> Roots:
    """Read a roots file.

    Raises
    ------
    DatasetError
        It can't be read, or names a dataset or model that no table has.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file. It should hold: {EXAMPLE}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DatasetError(f"{path}: can't be read as YAML ({error})") from error
    content = {} if content is None else content
    if not isinstance(content, dict):
        raise DatasetError(f"{path}: must be a mapping: {EXAMPLE}")
    known = ("datasets", "models", "studies", "prompts")
    _refuse(path, "", content, known)
    datasets = _section(path, content, "datasets")
    models = _section(path, content, "models")
    _refuse(path, "datasets.", datasets, [name for name, info in DATASETS.items() if not info.own])
    _refuse(path, "models.", models, published().models)
    for name, root in datasets.items():
        if not isinstance(root, str):
            raise DatasetError(f"{path}: datasets.{name} must be a path, not {root!r}")
    for name, entry in models.items():
        entries = entry.values() if isinstance(entry, dict) else [entry]
        if not all(isinstance(one, str) for one in entries):
            raise DatasetError(
                f"{path}: models.{name} must be a folder or name, or one for each dataset; "
                f"found {entry!r}"
            )
    studies = _section(path, content, "studies")
    _refuse(path, "studies.", studies, _SCALES)
    rows = {
        scale: entry if isinstance(entry, dict) else {"EmoCLIP (LP), measured": entry}
        for scale, entry in studies.items()
    }
    for scale, row in rows.items():
        if not all(isinstance(folder, str) for folder in row.values()):
            raise DatasetError(
                f"{path}: studies.{scale} must be a folder, or one for each row (name: folder)"
            )
    prompts = content.get("prompts") or "bank"
    if prompts != "bank":
        prompts = str(path.parent / Path(prompts).expanduser())
    return Roots(
        path,
        {name: path.parent / Path(root).expanduser() for name, root in datasets.items()},
        models,
        prompts,
        {
            scale: {name: path.parent / Path(folder).expanduser() for name, folder in row.items()}
            for scale, row in rows.items()
        },
    )


def _section(path: Path, content: dict[str, Any], key: str) -> dict[str, Any]:
    section = content.get(key) or {}
    if not isinstance(section, dict):
        raise DatasetError(f"{path}: '{key}' must be a mapping (name: where it is)")
    return section


def _refuse(path: Path, where: str, section: dict[str, Any], known: Any) -> None:
    unknown = [str(name) for name in section if name not in known]
    if unknown:
        raise DatasetError(
            f"{path}: unknown {where}{', '.join(unknown)}. There are: {', '.join(known)}"
        )
