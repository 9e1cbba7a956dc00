"""Checks of an installation: ``emoclip doctor`` and ``emoclip bench``."""
