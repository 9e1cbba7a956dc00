"""Figure 3: video embeddings in three principal components, one panel for each model."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import DatasetError, EmoCLIPError, MissingDependencyError
from ....export.style import OKABE_ITO
from .bench import Bench, Request
from .published import Figure3
from .roots import MissingInput

__all__ = ["Panel", "draw_panels", "measure_panels", "principal_components", "write_panels"]

_DATASET = "mafw"


@dataclass(frozen=True)
class Panel:
    """One model's embeddings of one test split.

    Attributes
    ----------
    model, title : str
    clips : tuple of str
    classes : tuple of str
        Names of all classes.
    labels : tuple of int
    points : ndarray, (N, 3)
    explained : ndarray, (3,)
        Share of the variance in each component.
    """

    model: str
    title: str
    clips: tuple[str, ...]
    classes: tuple[str, ...]
    labels: tuple[int, ...]
    points: NDArray[np.float64]
    explained: NDArray[np.float64]


def principal_components(
    vectors: NDArray[np.floating[Any]], n: int = 3
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project vectors of unit length on their principal components.

    Unit length, because scores are cosine similarities: they don't see the length.

    Parameters
    ----------
    vectors : ndarray, (N, D)
    n : int
        Components; those that `vectors` doesn't have are 0.

    Returns
    -------
    points : ndarray, (N, n)
        The largest coordinate of each component is positive.
    explained : ndarray, (n,)
        Share of the variance in each.
    """
    x = np.asarray(vectors, np.float64)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    points, explained = np.zeros((len(x), n)), np.zeros(n)
    available = min(n, len(s))
    points[:, :available] = u[:, :available] * s[:available]
    largest = points[np.abs(points).argmax(axis=0), np.arange(n)]
    total = (s**2).sum()
    explained[:available] = s[:available] ** 2 / total if total > 0 else 0.0
    return points * np.where(largest < 0, -1.0, 1.0), explained


def measure_panels(bench: Bench, figure: Figure3) -> tuple[list[Panel], list[str]]:
    """Embed the test split of MAFW's first fold by each model of the figure.

    Returns
    -------
    panels : list of Panel
    why : list of str
        What is missing, for each panel that is.
    """
    panels, why = [], []
    for panel in figure.panels:
        request = Request(model=panel["model"], dataset=_DATASET, frames=panel["frames"])  # type: ignore[arg-type]
        try:
            result = bench.projection(request, _project)
        except (MissingInput, EmoCLIPError) as reason:
            why.append(f"{panel['title']}: {reason}")
            continue
        panels.append(
            Panel(
                panel["model"],
                panel["title"],
                tuple(result["clips"]),
                tuple(result["classes"]),
                tuple(result["labels"]),
                np.asarray(result["points"]),
                np.asarray(result["explained"]),
            )
        )
    return panels, why


def _project(vectors: NDArray[np.float32]) -> dict[str, Any]:
    if len(vectors) < 2:
        raise DatasetError("fewer than two clips can be embedded: there are no components")
    points, explained = principal_components(vectors)
    return {"points": points.round(6).tolist(), "explained": explained.tolist()}


def write_panels(panels: Sequence[Panel], path: Path) -> None:
    """Write ``model, clip, class, pc1, pc2, pc3``, one row for each clip and model."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "clip", "class", "pc1", "pc2", "pc3"])
        for panel in panels:
            for clip, label, point in zip(panel.clips, panel.labels, panel.points, strict=True):
                numbers = [f"{x:.6f}" for x in point]
                writer.writerow([panel.model, clip, panel.classes[label], *numbers])


def draw_panels(panels: Sequence[Panel], path: Path) -> None:
    """Draw the panels beside each other as scatter plots, one color for each class.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "train", "Figure 3") from None
    classes = panels[0].classes
    figure = Figure(figsize=(5.6 * len(panels), 5.6), layout="constrained")
    for i, panel in enumerate(panels, 1):
        axes: Any = figure.add_subplot(1, len(panels), i, projection="3d")
        labels = np.asarray(panel.labels)
        for label, name in enumerate(classes):
            x, y, z = panel.points[labels == label].T
            # MAFW has eleven classes: a color that comes again has another shape.
            look = {
                "color": OKABE_ITO[label % len(OKABE_ITO)],
                "marker": "o^s"[label // len(OKABE_ITO) % 3],
            }
            axes.scatter(x, y, z, s=11, lw=0, label=name, depthshade=False, **look)
        share = 100 * panel.explained
        axes.set_title(f"{panel.title}: {share.sum():.1f} % of the variance", fontsize=11)
        for name, part in zip("xyz", share, strict=True):
            axes.set(**{f"{name}label": f"PC{'xyz'.index(name) + 1} ({part:.1f} %)"})
        axes.tick_params(labelsize=7)
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=3 * len(panels),
        frameon=False,
        markerscale=2,
    )
    figure.savefig(path, dpi=130)
