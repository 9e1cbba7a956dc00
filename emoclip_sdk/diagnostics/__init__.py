"""What ``emoclip doctor`` and ``emoclip bench`` tell of an installation."""
