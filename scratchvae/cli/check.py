"""The command that judges kernels and layers."""
import re
import sys

import click
from tqdm import tqdm


class Shape(click.ParamType):
    """The shape of an example: 28,28,1."""
    name = "N,N,..."

    def convert(self, value, parameter, context):
        """Return a tuple of int."""
        if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", value):
            self.fail(f"expected sizes such as 28,28,1, got {value!r}", parameter, context)
        return tuple(map(int, value.split(",")))


@click.command()
@click.argument("subject", required=False, metavar="[SUBJECT]")
@click.option("--symptom", is_flag=True,
              help="Show what to check first for what one sees in training.")
@click.option("--input-shape", type=Shape(), help="The shape of one example, for a layer.")
def check(subject, symptom, input_shape):
    """Judge kernels: what is wrong, where, what it looks like, and what is proven.

    \b
    SUBJECT is one of:
      (nothing)             the library's backends, beside each other
      cpu, reference        one of them
      DIR                   a folder of your own kernels (scratchvae learn DIR makes one)
      DIR/dense.py          the operations of one file
      "FILE.py:Layer(5)"    a layer of your own; give --input-shape

    Each operation is compared with another backend on many shapes, with central differences, and
    with numbers that Keras computed.  The exit code is 1 if anything is wrong.
    """
    from ..teaching.course.folder import is_course
    from ..teaching.handin import write_page
    from ..teaching.judge import judge_each_other, judge_subject, open_subject
    from ..teaching.judge.own_layers import is_layer, judge_layer
    from ..teaching.judge.symptoms import print_symptoms
    from ..teaching.judge.table import print_progress, print_training, print_verdict
    if symptom:
        print_symptoms(subject)
        return
    if subject and is_layer(subject):
        reports = list(judge_layer(subject, input_shape))
        click.echo("\n".join(map(str, reports)))
        sys.exit(not all(report.passed for report in reports))
    if input_shape:
        raise click.UsageError("--input-shape belongs to a layer: FILE.py:Layer(5)")
    if subject:
        subject = open_subject(subject)
        verdicts = [judge_subject(subject, show_progress, golden=subject.whole)]
    else:
        verdicts = judge_each_other([open_subject("cpu"), open_subject("reference")],
                                    show_progress)
    for verdict in sorted(verdicts, key=lambda verdict: verdict.passed):
        print_verdict(verdict)
    if subject and subject.whole and is_course(subject.backend):
        print_progress(subject.backend, verdicts[0])
        click.echo(write_page(subject.backend, verdicts[0]))
    elif subject and is_course(subject.backend) and verdicts[0].passed:
        print_training(subject)
    if not all(verdict.passed for verdict in verdicts):
        sys.exit(1)


def show_progress(judgements, count):
    """Return the judgements, with a progress bar while they are made."""
    return tqdm(judgements, total=count, desc="judging", unit="operation", leave=False,
                disable=None)
