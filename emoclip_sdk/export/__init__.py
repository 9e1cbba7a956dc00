"""Results to files: tables and plots."""
