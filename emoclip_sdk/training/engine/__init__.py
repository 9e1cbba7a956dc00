"""One training loop, with optimizers, precision, exact resume, logs and recipes."""
