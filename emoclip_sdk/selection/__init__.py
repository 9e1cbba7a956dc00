"""Choose a model, a wording or examples of your own, measured on your own clips."""
