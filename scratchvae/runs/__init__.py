"""Runs: a lab that was trained with certain settings, and the directory that keeps it."""
from .image_run import ImageRun
from .run import Run, new_config
from .text_run import TextRun
from .train import train
