"""What teaches: a training step under a microscope, planted mistakes, a model as a web page."""
