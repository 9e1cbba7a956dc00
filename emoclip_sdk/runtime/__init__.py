"""Worker processes that may die, and the machine that all runs on."""
