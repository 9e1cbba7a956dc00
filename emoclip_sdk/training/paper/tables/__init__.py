"""The paper's tables and Figure 3, published figures beside measured ones."""

from .bench import Bench, Request
from .figure3 import Panel, draw_panels, measure_panels, principal_components, write_panels
from .published import Published, published
from .roots import MissingInput, Roots, read_roots
from .tables import dataset_summary, fill_table
from .write import render, write_report

__all__ = [
    "Bench",
    "MissingInput",
    "Panel",
    "Published",
    "Request",
    "Roots",
    "dataset_summary",
    "draw_panels",
    "fill_table",
    "measure_panels",
    "principal_components",
    "published",
    "read_roots",
    "render",
    "write_panels",
    "write_report",
]
