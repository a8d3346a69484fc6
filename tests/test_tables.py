"""Tables of one's own: the loss by definitions, what is read, runs that learn, resume and score."""
import csv
import json
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from helpers import bits, is_picture
from scipy.special import log_softmax
from scipy.stats import norm

from scratchvae import kernels
from scratchvae.analysis import metrics, plots
from scratchvae.analysis.plots.tables import correlation_matrix
from scratchvae.data import load_table
from scratchvae.data.tables import demonstration
from scratchvae.data.tables.weather import NOISE, weather
from scratchvae.errors import ScratchVAEError
from scratchvae.gradcheck import check_layer, check_model
from scratchvae.labs.table import LAB, make_model
from scratchvae.layers import Dense, FillMissing, LearntVariance
from scratchvae.models import VAE
from scratchvae.optimizers import Adam
from scratchvae.runs import open_run


def small(sizes=(3, 2), numbers=3, dtype="float64", backend="reference"):
    """A small VAE of a table."""
    layers = [LearntVariance(numbers)] if numbers else []
    reconstruction = f"table({', '.join(map(str, sizes))})" if sizes else "table"
    return VAE([FillMissing(), Dense(6, "tanh")], 2,
               [Dense(6, "tanh"), Dense(numbers + sum(sizes)), *layers],
               reconstruction=reconstruction, dtype=dtype, backend=backend)


def rows(rng, sizes=(3, 2), numbers=3, count=5):
    """Random rows, some cells of which are missing."""
    x = rng.standard_normal((count, numbers))
    x[np.add.outer(range(count), range(numbers)) % 3 == 1] = np.nan
    groups = []
    for g, size in enumerate(sizes):
        group = np.eye(size)[rng.integers(0, size, count)]
        group[g::3] = 0
        groups.append(group)
    return np.concatenate([x, *groups], axis=1)


# The loss and the layers, by definitions.


@pytest.mark.parametrize("sizes, numbers", [((3, 2), 3), ((), 4), ((4, 1, 2), 0)])
def test_the_loss_is_minus_the_log_likelihood_of_scipy(backend, sizes, numbers, rng):
    model = small(sizes, numbers, backend=backend.NAME)
    model.build((numbers + sum(sizes),))
    x = rows(rng, sizes, numbers)
    logits = rng.standard_normal((5, 2 * numbers + sum(sizes)))
    loss = model.loss.forward(logits, x)
    expected = np.zeros(5)
    for n, row in enumerate(x):
        for d in range(numbers):
            if not np.isnan(row[d]):
                deviation = np.exp(logits[n, numbers + sum(sizes) + d] / 2)
                expected[n] -= norm.logpdf(row[d], logits[n, d], deviation)
        start = numbers
        for size in sizes:
            here = slice(start, start + size)
            expected[n] -= (row[here] * log_softmax(logits[n, here])).sum()
            start += size
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    assert model.log_likelihood(loss) == pytest.approx(-expected)


def test_gradients_with_missing_cells_are_central_differences(backend, rng):
    loss = small(backend=backend.NAME).loss
    loss.build(backend, "float64")
    loss.settle_scale((11,))
    x = rows(rng)
    logits = rng.standard_normal((5, 11))
    loss.forward(logits, x)
    gradient = loss.backward().copy()
    for place in np.ndindex(logits.shape):
        means = []
        for step in (1e-5, -1e-5):
            moved = logits.copy()
            moved[place] += step
            means.append(loss.forward(moved, x).mean())
        assert gradient[place] == pytest.approx((means[0] - means[1]) / 2e-5, abs=1e-8)


def test_gradients_pass_the_check_that_users_call():
    for sizes, numbers in (((3, 2), 3), ((), 4), ((4, 2), 0)):
        model = small(sizes, numbers)
        model.build((numbers + sum(sizes),))
        assert check_model(model).passed
    assert check_layer(LearntVariance(2, -1.0), (5,)).passed


def test_missing_cells_change_nothing(rng):
    """A missing cell has no loss and no gradient, whatever the decoder says of it."""
    model = small()
    model.build((8,))
    x = rows(rng)
    logits = rng.standard_normal((5, 11))
    loss = model.loss.forward(logits, x).copy()
    gradient = model.loss.backward().copy()
    missing = np.zeros((5, 11), bool)
    missing[:, :3] = missing[:, 8:] = np.isnan(x[:, :3])
    for here in (slice(3, 6), slice(6, 8)):
        missing[:, here] = x[:, here].sum(axis=1, keepdims=True) == 0
    assert missing.any() and not missing.all()
    assert (gradient[missing] == 0).all() and (gradient[~missing] != 0).all()
    np.testing.assert_allclose(model.loss.forward(np.where(missing, 3.0, logits), x), loss)


def test_fill_missing_reads_them_as_zero(backend):
    layer = FillMissing("float64")
    layer.backend = backend.NAME
    layer.build((3,))
    y = layer.forward(np.array([[1, np.nan, -2.0]]))
    np.testing.assert_array_equal(y, [[1, 0, -2]])
    np.testing.assert_array_equal(layer.backward(np.array([[4, 5, 6.0]])), [[4, 0, 6]])


def test_the_variance_is_bounded_from_below_softly(backend):
    layer = LearntVariance(3, -12, "float64")
    layer.backend = backend.NAME
    layer.build((3,))
    layer.set_weights([np.array([2.0, -12, -1000])])
    v = layer.forward(np.zeros((1, 3)))[0, 3:]
    np.testing.assert_allclose(v, [2 + np.log1p(np.exp(-14)), -12 + np.log(2), -12], rtol=1e-12)
    np.testing.assert_allclose(layer.standard_deviations, np.exp(v / 2))


def test_a_constant_column_does_not_destroy_the_training(rng):
    x = np.stack([rng.standard_normal(100), np.zeros(100)], axis=1)
    model = small((), 2, "float32")
    model.decoder.layers["learnt_variance"].lowest = -2.0      # reached within few steps
    history = model.fit(x, epochs=60, batch_size=20, optimizer=Adam(0.02), progress=False)
    deviation = model.decoder.layers["learnt_variance"].standard_deviations[1]
    assert np.exp(-1) <= deviation < 0.42
    assert np.isfinite(history["loss"]).all()


def test_outputs_are_means_and_probabilities(backend, rng):
    model = small(backend=backend.NAME)
    model.build((8,))
    made = model.reconstruct(rows(rng))
    assert made.shape == (5, 8)
    np.testing.assert_allclose(made[:, 3:6].sum(axis=1), 1)
    np.testing.assert_allclose(made[:, 6:].sum(axis=1), 1)
    assert model.sample(4).shape == (4, 8)
    assert np.isfinite(model.score_samples(rows(rng), 3)).all()


def test_models_are_saved_with_their_variances(tmp_path, rng):
    model = small(dtype="float32", backend="cpu")
    x = rows(rng, count=50)
    model.fit(x, epochs=2, progress=False)
    assert "decoder/learnt_variance/log_variance" in model.parameters.names
    assert "learnt_variance (LearntVariance)" in model.summary()
    model.save(tmp_path / "model.npz")
    again = VAE.load(tmp_path / "model.npz")
    assert again.loss.text == "table(3, 2)"
    assert (again.score_samples(x, 2) == model.score_samples(x, 2)).all()


@pytest.mark.parametrize("reconstruction, decoder, message", [
    ("table(3, 2)", [Dense(8), LearntVariance(2)], r"table\(3, 2\): the decoder's output must"),
    ("table(3, 0)", [Dense(8), LearntVariance(3)], "sizes must be at least 1"),
    ("table(3,)", [Dense(8)], "reconstruction must be one of"),
    ("squared_error(3)", [Dense(8)], "reconstruction must be one of"),
    ("table", [Dense(8, "sigmoid")], "must end in a linear layer, got sigmoid"),
])
def test_wrong_models_are_refused_in_one_line(reconstruction, decoder, message):
    with pytest.raises(ScratchVAEError, match=message):
        VAE([Dense(3)], 2, decoder, reconstruction).build((8,))


def test_wrong_examples_are_refused_in_one_line(rng):
    model = small()
    x = rows(rng)
    for place, value, message in (((1, 0), np.inf, r"1 of 40 numbers are infinite.* x\[1, 0\]"),
                                  ((2, 4), 0.5, r"x\[:, 3:6\], the categories of column 3, .*x\[2"),
                                  ((2, 7), 2, r"x\[:, 6:8\], the categories of column 4")):
        wrong = x.copy()
        wrong[place] = value
        with pytest.raises(ScratchVAEError, match=message):
            model.fit(wrong, progress=False)
    other = VAE([Dense(3)], 2, [Dense(8)], "squared_error")
    with pytest.raises(ScratchVAEError, match="are NaN or infinite"):
        other.fit(x, progress=False)


# Reading.


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_columns_are_found_by_their_content_and_come_back(tmp_path):
    path = write(tmp_path / "a.csv", "id,size,count,kind,code", '0,0.25,3,"red, dark",7',
                 "1,,4,blue,8", "2,2.5,NA,,7", "3,3.5,6,blue,8")
    table = load_table(path, categorical=["code"])
    size, count, kind, code = table.columns
    train = table.train
    known = np.array([0.25, np.nan, 2.5, 3.5])[train]
    assert (size.mean, size.scale) == (np.nanmean(known), np.nanstd(known)) and not size.whole
    assert count.whole
    assert kind.categories == ("blue", "red, dark") and code.categories == ("7", "8")
    assert table.columns.reconstruction == "table(2, 2)" and table.x.shape == (4, 6)
    assert np.isnan(table.x[1, 0]) and (table.x[2, 2:4] == 0).all()
    np.testing.assert_array_equal(table.x[:, 4:], [[1, 0], [0, 1], [1, 0], [0, 1]])
    decoded = table.decode(table.x)
    assert decoded["kind"] == ["red, dark", "blue", None, "blue"]
    assert decoded["code"] == ["7", "8", "7", "8"]
    np.testing.assert_allclose(decoded["size"], [0.25, np.nan, 2.5, 3.5], rtol=1e-6)
    assert sorted([*table.train, *table.test]) == [0, 1, 2, 3] and len(table.test) == 1
    assert table.notes[0] == "column 'id' numbers the rows and is left out"
    assert table.notes[1].startswith("3 of 16 cells are missing")


@pytest.mark.parametrize("lines", [
    ("a;b", "1;x", "2;y", "3;x"), ("a\tb", "1\tx", "2\ty", "3\tx"),
    ("\ufeffa,b", "1,x", "2,y", "3,x"),
    ("b,a", "x,1", "y,2", "x,3", ""), ('"a","b"', '"1","x"', '"2","y"', '"3","x"'),
])
def test_separators_marks_quotes_and_orders(tmp_path, lines):
    first = load_table(write(tmp_path / "first.csv", "a,b", "1,x", "2,y", "3,x"))
    again = load_table(write(tmp_path / "a.csv", *lines), columns=first.columns)
    np.testing.assert_array_equal(again.x, first.x)


def test_frames_dicts_and_parquet_are_tables_too(tmp_path, monkeypatch):
    cells = {"a": [1.0, None, 3.0], "b": ["x", None, "y"], "c": [True, False, True]}
    expected = load_table(write(tmp_path / "a.csv", "a,b,c", "1,x,True", ",,False", "3,y,True"))

    class Series(SimpleNamespace):
        def to_numpy(self):
            return np.array(self.cells, object)

    class Frame(SimpleNamespace):
        columns = list(cells)

        def __getitem__(self, name):
            return Series(cells=cells[name])

    def table(path):
        return SimpleNamespace(column_names=list(cells), column=lambda name: SimpleNamespace(
            to_pylist=lambda: cells[name]))
    arrow = ModuleType("pyarrow")
    arrow.ArrowException = ValueError
    arrow.parquet = SimpleNamespace(read_table=table)
    monkeypatch.setitem(sys.modules, "pyarrow", arrow)
    (tmp_path / "a.parquet").write_bytes(b"")
    for source in (cells, Frame(), tmp_path / "a.parquet"):
        made = load_table(source)
        np.testing.assert_array_equal(made.x, expected.x)
        assert made.columns.get_config() == expected.columns.get_config()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ScratchVAEError, match=r"need pyarrow: pip install 'scratchvae\[parquet\]'"):
        load_table(tmp_path / "a.parquet")


@pytest.mark.parametrize("lines, message", [
    (("a,b", "1,2", "3"), "line 3 has 1 cells, but 2 columns have names: a, b"),
    (("a,a", "1,2"), "two columns have the name 'a'"),
    (("1,2", "3,4"), "the first line must name the columns, got numbers"),
    (("",), "empty; the first line must name"),
    (("a,b",), "names of columns, but no row"),
    (("a,b", "1,2"), "need at least 2 rows, got 1"),
    (("a,b", "1,inf", "2,1"), "column 'b' holds 1 infinite numbers, the first in row 1"),
    (("a,b", "1,", "2,"), "column 'b' is empty; leave it out with --drop 'b'"),
    (("a,b", "1,2", "2,3", "3,x", "4,5"), "1 of its 4 cells are none, the first is 'x' in row 3"),
    (("a;b", "1;2,5", "2;3,5", "3;4,5"), "decimal commas, as '2,5' in row 1; write decimal points"),
    (("name,b", *(f"n{i},{i}" for i in range(30))), "30 different texts in 30 rows, at most 15"),
    (('a,b', '1,"2'), "line 2: not CSV"),
])
def test_what_cannot_be_read_is_named(tmp_path, lines, message):
    path = write(tmp_path / "a.csv", *lines)
    with pytest.raises(ScratchVAEError, match=message):
        load_table(path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n\xff\xfe,2\n")
    for name, message in (("a.csv", "not a text in UTF-8"), ("b.csv", "no such file"),
                          ("a.xlsx", "not a kind of table that can be read")):
        if name == "a.xlsx":
            (tmp_path / name).write_bytes(b"")
        with pytest.raises(ScratchVAEError, match=message):
            load_table(tmp_path / name)
    with pytest.raises(ScratchVAEError, match="must be .* got int"):
        load_table(3)
    with pytest.raises(ScratchVAEError, match="same length, got {'a': 1, 'b': 2}"):
        load_table({"a": [1], "b": [1, 2]})


@pytest.mark.parametrize("lines, message", [
    (("a,c", "1,x"), "the table lacks the column 'b'; it has 'a', 'c'"),
    (("a,b", "1,x", "2,z"), "column 'b': row 2 has the category 'z', which training did not see; "
                            "known are 'x', 'y'"),
    (("a,b", "x1,x"), "column 'a' must hold numbers, as in training, but row 1 has 'x1'"),
])
def test_another_table_that_does_not_fit_is_named(tmp_path, lines, message):
    first = load_table(write(tmp_path / "first.csv", "a,b", "1,x", "2,y", "3,x"))
    with pytest.raises(ScratchVAEError, match=message):
        load_table(write(tmp_path / "a.csv", *lines), columns=first.columns)


def test_unknown_names_and_unused_columns_are_named(tmp_path):
    path = write(tmp_path / "a.csv", "a,b", "1,x", "2,y", "2,y")
    for option in ("drop", "categorical"):
        with pytest.raises(ScratchVAEError, match=f"{option}: the table has no column 'c'; it has"):
            load_table(path, **{option: ["c"]})
    assert len(load_table(path, drop=["b"]).columns) == 1
    with pytest.raises(ScratchVAEError, match="no column that can be used"):
        load_table(path, drop=["a", "b"])
    more = write(tmp_path / "more.csv", "z,a,b", "7,1,x")
    assert "columns that are not used: 'z'" in load_table(
        more, columns=load_table(path).columns).notes


def test_drawn_rows_have_the_noise_and_the_probabilities():
    table = demonstration()
    x = np.tile([0.0] * 6 + [0.1, 0.2, 0.3, 0.4] + [0.5, 0.5, 0.0], (20_000, 1))
    drawn = table.columns.draw(x, np.arange(1, 7) / 10, np.random.default_rng(0))
    np.testing.assert_allclose(drawn[:, :6].std(axis=0), np.arange(1, 7) / 10, rtol=0.02)
    np.testing.assert_allclose(drawn[:, 6:].mean(axis=0), x[0, 6:], atol=0.012)
    assert (drawn[:, 6:10].sum(axis=1) == 1).all()


# The model of the lab.


def test_the_lab_has_the_size_that_it_says():
    model = make_model(LAB.settings)
    model.build(LAB.shape(LAB.settings))
    assert model.count == LAB.parameters and LAB.shape(LAB.settings) == LAB.example_shape


def test_it_learns_the_noise_and_finds_rows_that_do_not_fit():
    table = demonstration()
    model = make_model(LAB.settings | {"units": 32})
    model.fit(table.x_train, epochs=15, batch_size=50, progress=False,
              optimizer=LAB.make_optimizer(LAB.settings | {"learning_rate": 0.01}))
    deviations = model.decoder.layers["learnt_variance"].standard_deviations
    for column, deviation in zip(table.columns.numbers, deviations):
        assert 0.9 < deviation * column.scale / NOISE[column.name] < 1.8
        assert deviation < 0.5
    x = table.x_test.copy()
    rng = np.random.default_rng(0)
    unusual = rng.random(len(x)) < 0.1
    for d in (0, 2, 4):
        x[unusual, d] = rng.permutation(x[unusual, d])
    assert metrics.roc_area(-model.score_samples(x, 5), unusual) > 0.9


# Runs.


@pytest.fixture
def table_file(tmp_path):
    """A CSV file of 60 rows with a column to drop, and with missing cells."""
    raw = weather(60, seed=3)
    with (tmp_path / "days.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["note", *raw])
        for i, cells in enumerate(zip(*raw.values())):
            writer.writerow([f"n{i}", *("" if cell != cell else cell for cell in cells)])
    return tmp_path / "days.csv"


QUICK = ("--epochs", 2, "--set", "units=4", "--batch-size", 10)


def same(text, other):
    """Whether two cells are the same text, or the same number: 3 and 3.0."""
    return text == other or float(text) == float(other)


def read_rows(path):
    return list(csv.DictReader(path.open(newline="")))


@pytest.fixture
def trained(run, table_file, tmp_path):
    code, output, errors = run("train", "table", "--csv", table_file, "--drop", "note", *QUICK)
    assert code == 0, errors
    return tmp_path / "runs" / "table-days", output


@pytest.mark.usefixtures("coarse_figures")
def test_a_run_of_a_table_from_training_to_scores(trained, run, table_file):
    folder, output = trained
    assert "own table from days.csv (50 rows to train, 10 to test)" in output
    assert "10 steps are few" in output and "--epochs 600 makes 3,000" in output
    for name in ("loss_curves", "latent_scatter", "marginals", "correlations"):
        assert is_picture(folder / "figures" / f"{name}.png")
    assert "temperature" in (folder / "report.html").read_text()

    assert run("score", folder, "--samples", 2, "--with-columns")[0] == 0
    rows = read_rows(folder / "scores.csv")
    assert [row["row"] for row in rows] == [str(i) for i in range(1, 61)]
    assert sum(row["part"] == "test" for row in rows) == 10
    given = read_rows(table_file)
    assert [row["note"] for row in rows] == [row["note"] for row in given]
    opened = open_run(folder)
    expected = opened.model.score_samples(opened.data.x, 2)
    assert [float(row["score"]) for row in rows] == expected.tolist()
    lowest = int(expected.argmin()) + 1
    assert f"row {lowest}: " in (folder / "scores.txt").read_text().splitlines()[2]

    assert run("reconstruct", folder, "--fill")[0] == 0
    for row, filled in zip(given, read_rows(folder / "filled.csv"), strict=True):
        assert all(filled[name] for name in NOISE)
        assert all(same(filled[name], cell) for name, cell in row.items() if cell)
    assert run("reconstruct", folder, "--count", 3)[0] == 0
    assert len(read_rows(folder / "reconstructions.csv")) == 3
    code, _, _ = run("sample", folder, "--count", 7)
    made = read_rows(folder / "samples.csv")
    assert code == 0 and len(made) == 7 and "note" not in made[0]
    assert {row["season"] for row in made} <= {row["season"] for row in given}
    for command in (("evaluate", folder), ("card", folder), ("plot", folder), ("trace", folder),
                    ("compare", folder)):
        code, _, errors = run(*command)
        assert code == 0, errors
    code, _, errors = run("explore", folder)
    assert code == 1 and "no page to explore a model of tables" in errors


def test_the_codes_of_the_config_score_another_table(trained, run, tmp_path):
    folder, _ = trained
    other = write(tmp_path / "new.csv",
                  "sky,season,visibility,sunshine,wind,pressure,humidity,temperature",
                  "rain,winter,10,3,20,1000,80,", "clear,summer,25,9,8,1020,50,25")
    code, output, _ = run("score", folder, "--table", other, "--samples", 2)
    assert code == 0 and "this is another table than that of the training" in output
    rows = read_rows(folder / "scores.csv")
    assert [set(row) for row in rows] == [{"row", "score"}] * 2
    x = open_run(folder, csv=other).data.x
    learnt = json.loads((folder / "config.json").read_text())["columns"][0]
    assert np.isnan(x[0, 0])
    assert x[1, 0] == pytest.approx((25 - learnt["mean"]) / learnt["scale"])
    code, _, errors = run("train", "table", "--resume", folder, "--csv", other, "--epochs", 3)
    assert code == 1 and "was trained on another table" in errors


def test_a_resumed_run_has_the_same_bits(trained, run, table_file, tmp_path):
    folder, _ = trained
    code, _, errors = run("train", "table", "--resume", folder, "--epochs", 3)
    assert code == 0, errors
    code, _, errors = run("train", "table", "--csv", table_file, "--drop", "note", *QUICK,
                          "--epochs", 3, "--out", tmp_path / "whole")
    assert code == 0, errors
    assert bits(folder) == bits(tmp_path / "whole")
    table_file.write_text(table_file.read_text().replace("winter", "summer"))
    code, _, errors = run("train", "table", "--resume", folder, "--epochs", 4)
    assert code == 1 and "was trained on another table" in errors


def test_another_table_begins_with_weights_and_columns(trained, run, table_file, tmp_path):
    folder, _ = trained
    lines = table_file.read_text().splitlines()
    write(tmp_path / "more.csv", *lines[:1], *lines[20:])
    code, _, errors = run("train", "table", "--csv", tmp_path / "more.csv", *QUICK, "--from",
                          folder)
    assert code == 0, errors
    first, second = (json.loads((path / "config.json").read_text())["columns"]
                     for path in (folder, tmp_path / "runs" / "table-more"))
    assert first == second


def test_without_a_file_the_weather_is_learnt(run, tmp_path):
    code, output, errors = run("train", "table", "--epochs", 1, "--limit", 50, "--set", "units=4")
    assert code == 0, errors
    assert "data: invented weather (2,500 rows to train, 500 to test)" in output
    assert (tmp_path / "runs" / "table" / "samples.csv").exists()


def test_tables_without_numbers_or_with_one_column(run, tmp_path, rng):
    names = write(tmp_path / "names.csv", "a,b", *(f"x{i % 2},y{i % 3}" for i in range(20)))
    one = write(tmp_path / "one.csv", "a", *map(str, rng.standard_normal(20)))
    for path in (names, one):
        code, output, errors = run("train", "table", "--csv", path, *QUICK)
        assert code == 0, errors
        assert "loss" in output
        assert run("score", tmp_path / "runs" / f"table-{path.stem}", "--samples", 1)[0] == 0


@pytest.mark.slow
def test_sweeps_train_on_the_table(run, table_file, tmp_path):
    code, _, errors = run("sweep", "table", "--csv", table_file, "--drop", "note", "--set",
                          "latent_dim=1,2", "--epochs", 1, "--batch-size", 50, "--jobs", 2)
    assert code == 0, errors
    folder = tmp_path / "sweeps" / "table-days"
    assert len(read_rows(folder / "results.csv")) == 2


@pytest.mark.parametrize("arguments, message", [
    (("train", "mnist-dense", "--csv", "days.csv"), "--csv: mnist-dense learns from images; "
                                                    "allowed for: table"),
    (("train", "table", "--drop", "note"), "--drop belongs to a table of your own"),
    (("train", "table", "--images", "."), "--images: table learns from tables; allowed for"),
    (("train", "table", "--text", "days.csv"), "--text: table learns from tables; allowed for"),
    (("train", "table", "--data-dir", "."), "--data-dir: table learns from the table of --csv"),
    (("train", "table", "--csv", "days.csv"), "column 'note' has 60 different texts in 60 rows"),
    (("train", "table", "--csv", "days.csv", "--drop", "notes"), "drop: the table has no column"),
])
def test_options_that_do_not_fit_are_refused(arguments, message, run, table_file, tmp_path):
    code, _, errors = run(*arguments)
    assert code in (1, 2) and message in errors.replace("\n", " ")
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


# Figures.


def test_correlations_are_numpy_s_over_known_pairs(rng):
    columns = rng.standard_normal((3, 40))
    columns[1] += columns[0]
    np.testing.assert_allclose(correlation_matrix(columns), np.corrcoef(columns), rtol=1e-12)
    columns[0, :5] = np.nan
    known = np.corrcoef(columns[:2, 5:])[0, 1]
    matrix = correlation_matrix(columns)
    assert matrix[0, 1] == matrix[1, 0] == pytest.approx(known)
    columns[2] = 1
    assert correlation_matrix(columns)[2, 0] == 0


def test_marginals_have_a_panel_for_each_column():
    data = {"a": [1.0, 2.0, float("nan")], "b": ["x", "", "y"], "c": [5.0, 5.0, 5.0]}
    new = {"a": [1.5, 1.0], "b": ["x", "x"], "c": [5.0, 5.0]}
    figure = plots.marginals(data, new, title="t")
    assert [axes.get_xlabel() for axes in figure.axes] == ["a", "b", "c"]
    heights = [bar.get_height() for bar in figure.axes[1].patches]
    assert heights == [0.5, 0.5, 1, 0]


def test_no_kernel_needs_columns_of_both_kinds():
    """Zero numbers and zero categories are computed by every backend."""
    for name in ("cpu", "reference"):
        backend = kernels.load(name)
        loss = np.empty(2)
        output = np.array([[0.0, 0.0], [1.0, 2.0]])
        empty = np.empty((2, 0))
        backend.table_loss_forward(output, np.zeros((2, 1)), np.empty(0, np.int32),
                                   np.empty((2, 1)), empty, empty.copy(), loss, 1.0)
        np.testing.assert_allclose(loss, -norm.logpdf(0, [0, 1], np.exp([0, 1])))
