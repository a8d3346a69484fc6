"""What looks at a model or a run: measures, figures, the report, the benchmark."""
