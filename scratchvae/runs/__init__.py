"""A run: a lab that was trained with certain settings, and the directory that keeps it."""
