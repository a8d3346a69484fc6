"""The judge of backward passes: what is wrong with an operation, where, and what it looks like.

It serves learners who write kernels of their own (see scratchvae.teaching.course), and whoever
changes one of the library's.

- calls.py       calls an operation and watches what it must not do
- trials.py      the calls that an operation is tried with
- operations.py  judges one operation by them
- patterns.py    says what a wrong array looks like, places.py where it is wrong, recurrent.py at
                 which step and gate; terms.py, quantities.py, numbers.py and hypotheses.py are
                 what it is compared with
- differences.py central differences of an operation
- golden.py      numbers from outside: Keras's, and definitions; coverage.py finds the code that
                 failing comparisons share
- session.py     runs all this in a process of its own (worker.py)
- own_layers.py  checks a layer in a user's file
- symptoms.py    from what one sees in training to what to check first
- verdict.py     decides which of two backends is at fault; table.py prints
"""
from .session import Session
from .subject import open_subject
from .verdict import judge_each_other, judge_subject
