"""Commands that look closely: gradient checks, planted mistakes, one training step, and speed."""
import json
import sys

import click

from .. import kernels, labs
from ..analysis.bench import benchmark
from ..gradcheck.suite import suite
from ..storage import write_text
from .arguments import FOLDER, POSITIVE, Backend, backend_option, lab_argument, moved_options


@click.command()
@lab_argument(required=False)
@click.option("--backend", type=Backend(),
              help="The kernels that compute.  [default: cpu]")
@click.option("--sabotage", is_flag=False, flag_value="all", metavar="[NAME]",
              help="Break it and see: plant a classic mistake, or all of them, in the reference's "
                   "kernels or those of --backend, and see which check catches it.")
def gradcheck(lab, backend, sabotage):
    """Compare analytic gradients with central differences, in float64, element by element.

    Without LAB: every layer, and small models with every loss.  With LAB: its whole loss at a
    reduced size.
    """
    from .tables import gradcheck_table
    if sabotage:
        if lab:
            raise click.UsageError("--sabotage plants mistakes in kernels; LAB cannot be given "
                                   "with it")
        if backend == "cuda":
            raise click.UsageError("--sabotage plants mistakes that compute with NumPy's arrays; "
                                   "allowed for --backend: cpu, reference, or a folder")
        passed = break_and_see(sabotage, backend or "reference")
    else:
        backend = backend or "cpu"
        passed = gradcheck_table(suite(lab and labs.LABS[lab], backend))
        click.echo(f"computed by {kernels.load(backend).describe()}")
    if not passed:
        sys.exit(1)


def break_and_see(name, backend):
    """Plant the mistake of a name, or "all" of them, and print which check catches it.

    Parameters
    ----------
    name, backend : str

    Returns
    -------
    bool
        Whether each mistake is caught by the check that is named for it.
    """
    from ..teaching.sabotage import MISTAKES, Ground, sabotage
    from ..teaching.sabotage.table import print_results
    if name != "all" and name not in MISTAKES:
        raise click.UsageError(f"--sabotage: unknown mistake {name!r}; allowed: "
                               f"{', '.join(MISTAKES)}, or no name for all of them")
    chosen = MISTAKES.values() if name == "all" else [MISTAKES[name]]
    with Ground.on(backend):
        return print_results(sabotage(mistake) for mistake in chosen)


@click.command()
@click.argument("subject", metavar="LAB|RUN")
@click.option("--batch-size", type=POSITIVE,
              help="Examples in the step.  [default: those of training, or fewer if the step "
                   "would take longer than a second]")
@click.option("--html", type=click.Path(dir_okay=False),
              help="Write one page that shows every array, to step through in a browser.")
@backend_option()
@moved_options
def trace(subject, batch_size, html, **moved):
    """Look at one training step, layer by layer, forwards and backwards.

    Shapes, costs, activations, gradients, updates, formulas, a check by finite differences, and
    what is unhealthy.  LAB has fresh weights, RUN its trained ones; nothing is changed in it.
    """
    from ..teaching.trace import open_subject
    from ..teaching.trace import trace as trace_of
    from ..teaching.trace.page import write_page
    from ..teaching.trace.table import print_trace
    result = trace_of(open_subject(subject, batch_size, **moved))
    print_trace(result)
    if html:
        click.echo(write_page(result, html))


@click.command()
@click.argument("names", type=click.Choice(labs.LABS), nargs=-1, metavar="[LAB ...]")
@click.option("--against", help="The frameworks, if installed.  "
                                "[default: torch,tensorflow,jax; on a GPU torch]")
@click.option("--backend", type=Backend(), default="cpu", show_default=True,
              help="The kernels that compute; a folder with your own is measured beside cpu.")
@click.option("--batch-size", type=POSITIVE,
              help="Examples in a step.  [default: those of the lab]")
@click.option("--threads", type=POSITIVE, help="[default: all cores]")
@click.option("--rounds", type=POSITIVE, default=15, show_default=True,
              help="Alternating measurements; the median counts.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False),
              help="Write all measurements there.")
@click.option("--data-dir", type=FOLDER)
def bench(names, against, batch_size, json_file, **options):
    """Measure training steps per second, beside PyTorch, TensorFlow and JAX if installed."""
    from .tables import bench_table
    if against is None:
        against = "torch" if options["backend"] == "cuda" else "torch,tensorflow,jax"
    frameworks = [name for name in against.split(",") if name]
    results = []
    for lab in [labs.LABS[name] for name in names or labs.LABS]:
        sizes = lab.bench_batch_sizes or (lab.batch_size,)
        for size in (batch_size,) if batch_size else sizes:
            results.append(benchmark(lab, frameworks, batch_size=size, **options))
            bench_table(results[-1])
    if json_file:
        write_text(json_file, json.dumps(results, indent=2) + "\n")
        click.echo(json_file)
