"""A probe for long videos: ratings of patients from their interviews (paper, Tables V and VI)."""
