"""Rendered heads of which is known exactly what they do: to learn from, and to measure on."""
