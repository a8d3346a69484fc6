"""Tables on the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

# The measures of comparison_table with their titles, for runs with and without validation.
MEASURES = {"val_loss": {"val_loss": "validation loss", "val_reconstruction": "reconstruction",
                         "val_kl": "KL"},
            "loss": {"loss": "training loss", "reconstruction": "reconstruction", "kl": "KL"}}


def gradcheck_table(reports):
    """Print gradient-check reports and the verdict; return whether all of them passed."""
    console = Console()
    table = Table(
        "layer or model, and its arrays",
        "shape",
        "largest relative error",
        "verdict",
        title="Analytic gradients against central differences (float64)",
        title_justify="left",
        box=None,
        header_style="bold",
    )
    passed = True
    count = 0
    for report in reports:
        table.add_row(f"[bold]{escape(report.name)}[/]")
        for row in report.rows:
            shape = " x ".join(map(str, row.shape))
            verdict = "[green]ok[/]" if row.passed else f"[bold red]WRONG[/] {escape(row.hint)}"
            table.add_row(f"  {row.parameter}", shape, f"{row.error:.1e}", verdict)
        count += len(report.rows)
        passed = passed and report.passed
    console.print(table)
    verdict = "all gradients are right" if passed else "THERE ARE WRONG GRADIENTS"
    console.print(f"{count} arrays checked, every element: {verdict}")
    return passed


def bench_table(result):
    """Print the measurements of one lab, as benchmark returns them."""
    table = Table(
        Column("", no_wrap=True),
        "ms a step",
        "10 % to 90 %",
        "steps a second",
        "times ours",
        "of sgemm peak",
        title=_bench_title(result),
        title_justify="left",
        box=None,
        header_style="bold",
    )
    for name, row in result["frameworks"].items():
        table.add_row(
            name,
            f"{row['ms']:.3f}",
            f"{row['ms_10']:.3f} to {row['ms_90']:.3f}",
            f"{1000 / row['ms']:.0f}",
            f"{row['ratio']:.2f}",
            f"{row['fraction_of_peak']:.0%}",
        )
    console = Console()
    console.print(table)
    if result["launches_a_step"]:
        console.print(f"kernel launches per step of scratchvae: {result['launches_a_step']}")
    for line in result["missing"]:
        console.print(line)


def comparison_table(comparison):
    """Print the settings that differ and the losses of a Comparison, best first."""
    names = comparison.columns
    measures = MEASURES[comparison.ranked_by]
    table = Table(
        *(names or ["run"]),
        Column("seeds", justify="right"),
        *(Column(title, justify="right", no_wrap=True) for title in measures.values()),
        box=None,
        header_style="bold",
    )
    for group in comparison.groups:
        values = [_plain(group.settings.get(name)) for name in names] or [group.label]
        table.add_row(*map(escape, values), group.count,
                      *(group.in_words(name) for name in measures))
    console = Console()
    console.print(table)
    if comparison.seeds > 1:
        console.print("mean ± standard deviation over the seeds (n - 1)")
    if comparison.caution():
        console.print(f"note: {escape(comparison.caution())}")


def _plain(value):
    """Return a setting as text; one that a run does not have is a dash."""
    return "-" if value is None else str(value)


def _bench_title(result):
    """Return the title of a benchmark's table: the lab, the batch size, and the peak rate."""
    return (
        f"{result['lab']}, batch {result['batch_size']}, {result['computed_by']}; "
        f"{result['peak_of']} {result['sgemm_gflops']:.0f} GFLOP/s, "
        f"{result['mflop_a_step']:.0f} MFLOP a step"
    )
