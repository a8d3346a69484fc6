"""Tables on the terminal."""
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table


def gradcheck_table(reports):
    """Print the reports as they come, then the verdict; True if all passed."""
    console, passed, count = Console(), True, 0
    table = Table("layer or model, and its arrays", "shape", "largest relative error", "verdict", box=None, header_style="bold",
                  title="Analytic gradients against central differences (float64)", title_justify="left")
    for report in reports:
        table.add_row(f"[bold]{escape(report.name)}[/]")
        for row in report.rows:
            table.add_row(f"  {row.parameter}", " x ".join(map(str, row.shape)), f"{row.error:.1e}",
                          "[green]ok[/]" if row.passed else "[bold red]WRONG[/]")
        count += len(report.rows)
        passed = passed and report.passed
    console.print(table)
    console.print(f"{count} arrays checked, every element: {'all gradients are right' if passed else 'THERE ARE WRONG GRADIENTS'}")
    return passed


def bench_table(result):
    """Print one lab's measurements."""
    table = Table(Column("", no_wrap=True), "ms a step", "10 % to 90 %", "steps a second", "times ours", "of sgemm peak", box=None, header_style="bold",
                  title_justify="left",
                  title=f"{result['lab']}, batch {result['batch_size']}, {result['computed_by']}; {result['peak_of']} "
                        f"{result['sgemm_gflops']:.0f} GFLOP/s, {result['mflop_a_step']:.0f} MFLOP a step")
    for name, row in result["frameworks"].items():
        table.add_row(name, f"{row['ms']:.3f}", f"{row['ms_10']:.3f} to {row['ms_90']:.3f}", f"{1000 / row['ms']:.0f}",
                      f"{row['ratio']:.2f}", f"{row['fraction_of_peak']:.0%}")
    console = Console()
    console.print(table)
    if result["launches_a_step"]:
        console.print(f"launches of kernels in a step of ours: {result['launches_a_step']}")
    for line in result["missing"]:
        console.print(line)
