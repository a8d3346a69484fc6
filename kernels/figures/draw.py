"""Draws the figures of kernels/README.md into this folder: python kernels/figures/draw.py"""
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.patches import FancyArrowPatch, Rectangle  # noqa: E402

HERE = Path(__file__).parent
BLUE = "#3b6fb6"
ORANGE = "#e08a2c"
GREEN = "#4f9d69"
GREY = "#d5d9de"
INK = "#23272e"
plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 11, "text.color": INK})


def cells(axes, x, y, columns, rows, color, size=0.5, marked=()):
    """Draw a matrix as cells, its upper left corner at (x, y); marked cells have the colour."""
    for row in range(rows):
        for column in range(columns):
            here = marked == "all" or (row, column) in marked
            axes.add_patch(Rectangle((x + column * size, y - (row + 1) * size), size, size,
                                     facecolor=color if here else "white", edgecolor=INK,
                                     linewidth=0.7))


def arrow(axes, start, end, **options):
    """Draw an arrow."""
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13,
                                   color=INK, linewidth=1.1, **options))


def canvas(width, height):
    """Return a figure and axes without a frame, in equal units."""
    figure, axes = plt.subplots(figsize=(width, height))
    axes.set_aspect("equal")
    axes.axis("off")
    return figure, axes


def save(figure, name):
    """Write a figure."""
    figure.savefig(HERE / name, dpi=130, facecolor="white", bbox_inches="tight", pad_inches=0.1)
    plt.close(figure)


def draw_product():
    """The tile: 6 rows of x times 2 vectors of columns of w, summed in 12 registers."""
    figure, axes = canvas(9, 4.6)
    steps = 9
    current = 4
    cells(axes, 0, 3.0, steps, 6, ORANGE, marked={(row, current) for row in range(6)})
    axes.text(steps / 4, 3.2, "x: six rows, one step s", ha="center", va="bottom")
    cells(axes, 6.2, 8.2, 16, steps, BLUE, marked={(current, column) for column in range(16)})
    axes.text(10.2, 8.4, "w: a panel of two vectors of columns", ha="center", va="bottom")
    cells(axes, 6.2, 3.0, 16, 6, GREEN, marked="all")
    axes.plot([10.2, 10.2], [0, 3.0], color=INK, linewidth=2)
    axes.text(10.2, -0.25, "y: 6 x 2 vector registers, which stay in the processor\n"
                           "for all steps; each step adds x[r, s] * w[s, :] to row r",
              ha="center", va="top")
    arrow(axes, (4.65, 1.5), (6.1, 1.5))
    arrow(axes, (10.2, 3.6), (10.2, 3.1))
    axes.text(5.4, 1.7, "broadcast", ha="center", va="bottom", fontsize=9)
    axes.set_xlim(-0.2, 14.4)
    axes.set_ylim(-1.5, 9.1)
    save(figure, "product.png")


def draw_convolution():
    """A convolution as offsets: where each stop of the window starts, and the steps from there."""
    figure, axes = canvas(9, 3.9)
    window = {(row, column) for row in range(2, 5) for column in range(2, 5)}
    starts = [(row, column) for row in (0, 2, 4) for column in (0, 2, 4)]
    cells(axes, 0, 5.6, 7, 7, ORANGE, size=0.8, marked=window)
    for number, (row, column) in enumerate(starts):
        axes.text(column * 0.8 + 0.4, 5.6 - row * 0.8 - 0.4, number, ha="center", va="center",
                  color=BLUE, weight="bold")
    axes.text(2.8, 5.8, "padded image (7 x 7), window 3 x 3, stride 2", ha="center", va="bottom")
    axes.text(2.8, -0.2, "blue: where each stop's row starts", ha="center", va="top", color=BLUE)
    left = 7.0
    axes.text(left, 5.0, "rows    = start of stop 0, 1, 2, ...  =  0  2  4  14  16  18  28 ...",
              color=BLUE, family="DejaVu Sans Mono", fontsize=9.5)
    axes.text(left, 4.3, "x_steps = from there to the window    =  0  1  2   7   8   9  14 ...",
              color="#a85f12", family="DejaVu Sans Mono", fontsize=9.5)
    axes.text(left, 3.0, "y[stop] = sum over s of x[rows[stop] + x_steps[s]] * w[s]",
              family="DejaVu Sans Mono", fontsize=10.5, weight="bold")
    axes.text(left, 2.1, "The same sum as a matrix product, with other tables.\n"
                         "No patch is copied, and no border is a special case:\n"
                         "the zeros around the image are part of the buffer.", va="top")
    axes.set_xlim(-0.2, 19.2)
    axes.set_ylim(-0.8, 6.5)
    save(figure, "convolution.png")


def box(axes, x, y, width, text, color):
    """Draw a box with a text."""
    axes.add_patch(Rectangle((x, y), width, 0.9, facecolor=color, edgecolor=INK, linewidth=0.8))
    axes.text(x + width / 2, y + 0.45, text, ha="center", va="center", fontsize=9.5,
              color="white" if color == BLUE else INK)


def draw_gru():
    """A GRU: one product outside the loop over time, a small one inside, sequences in blocks."""
    figure, axes = canvas(9, 4.0)
    box(axes, 0, 5.2, 12.6, "a = x W + b for all sequences and steps: one large product "
                            "(a dense layer on N T rows)", BLUE)
    for block, top in enumerate((3.4, 1.9)):
        axes.text(-0.2, top + 0.45, f"thread {block}\nsequences {6 * block} to {6 * block + 5}",
                  ha="right", va="center", fontsize=9.5)
        for step in range(4):
            left = step * 3.2
            box(axes, left, top, 1.5, "q = h' R + b", ORANGE)
            box(axes, left + 1.5, top, 1.5, "gates, h", GREEN)
            if step:
                arrow(axes, (left - 0.2, top + 0.45), (left, top + 0.45))
    for step in range(4):
        axes.text(step * 3.2 + 1.5, 1.5, f"step {step}", ha="center", va="center", fontsize=9.5)
        arrow(axes, (step * 3.2 + 2.2, 5.2), (step * 3.2 + 2.2, 4.35))
    box(axes, 0, 0.0, 12.6, "backward: the same loop undone, then dW = x^T da, dR = h'^T dq: "
                            "two large products", BLUE)
    axes.set_xlim(-3.2, 12.9)
    axes.set_ylim(-0.3, 6.4)
    save(figure, "gru.png")


if __name__ == "__main__":
    draw_product()
    draw_convolution()
    draw_gru()
