"""The course: a learner writes the library's kernels himself and trains the labs with them.

`files/` holds what a learner's folder begins with: a template for each file of kernels, with the
names and signatures of kernels/reference, a README and notes. `hints/` holds two hints for each
operation. `stages.py` is the course in order, `content.py` reads these files.
"""
from .content import FILES, hints, template
from .stages import FIRST_GOAL, STAGES, Stage
