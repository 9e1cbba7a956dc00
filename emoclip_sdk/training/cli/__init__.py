"""The command ``emoclip-train``: parse, call, print. One module per group of commands."""

from . import data, evaluate, fixture, ness, reliability, report, train
from .application import app, main

__all__ = ["app", "data", "evaluate", "fixture", "main", "ness", "reliability", "report", "train"]
