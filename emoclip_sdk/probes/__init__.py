"""Ratings estimated from long videos by a trained probe."""
