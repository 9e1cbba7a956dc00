"""Results to files: tables, documents, plots and annotated videos."""
