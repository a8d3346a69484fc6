"""The lab sheet `text-gru`: sentences through a bidirectional GRU and back, all words at once.

    python examples/text_gru.py                 as the sheet has it: 10 epochs, about five minutes
    python examples/text_gru.py --epochs 1      a quick look
    python examples/text_gru.py --text FILE     on your own sentences, one in a line

The model is in scratchvae/labs/text_gru.py. The same lab from the command line:
scratchvae train text-gru
"""
from pathlib import Path

import click
import numpy as np

from scratchvae.analysis import plots
from scratchvae.analysis.metrics import bleu
from scratchvae.data import load_shakespeare, load_text
from scratchvae.labs.text_gru import LAB, make_model
from scratchvae.optimizers import Adam
from scratchvae.text import Vocabulary, clean, detokenize, lines, pad_sequences, split, tokenize
from scratchvae.text.modern import modernise

STEPS = 20
MOST_WORDS = 10_000


@click.command()
@click.option("--epochs", default=10, show_default=True, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(10), help="Use only the first N lines.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
@click.option("--text", type=click.Path(exists=True, dir_okay=False),
              help="Learn from this file instead.")
@click.option("--out", default="text_gru_figures", show_default=True,
              type=click.Path(path_type=Path))
def main(epochs, limit, data_dir, text, out):
    """Train the lab's model, and decode sentences with it."""
    # The data: lines as indices of words. Lines are padded with 0 or cut off behind STEPS words.
    source = load_text(text) if text else load_shakespeare(data_dir)
    print(source.description)
    sentences = [tokenize(line) for line in lines(clean(source.text))][:limit]
    train, test = split(sentences, validation=0.2, seed=42)
    vocabulary = Vocabulary.build(sentences, max_size=MOST_WORDS)
    x_train, x_test = (
        pad_sequences([vocabulary.encode(words) for words in part], STEPS, "post", "post")
        for part in (train, test))
    print(f"{len(train):,} sentences to train, {len(test):,} held out, {len(vocabulary):,} words")

    # The model, and training.
    vae = make_model(LAB.settings | {"vocabulary_size": len(vocabulary)})
    history = vae.fit(x_train, epochs=epochs, batch_size=32, optimizer=Adam(),
                      validation_data=x_test, seed=0)
    print(plots.loss_curves(history, out / "loss_curves.png", "text-gru", source.description,
                            ylabel="nats a sentence"))

    def sentences_of(z):
        """Return the most probable words of each step."""
        return [vocabulary.decode(row[row != 0]) for row in vae.decode(z).argmax(axis=2)]

    # Reconstructions of sentences that were held out.
    z_mean, z_log_var = vae.encode(x_test[:100])
    again = sentences_of(z_mean)
    print(f"\nReconstructions (BLEU-2 {bleu(test[:100], again, 2):.3f}):")
    for words, other in zip(test[:5], again):
        print(f"  {detokenize(words)}\n    -> {detokenize(other)}")

    # Variations of a sentence: decoded from samples of its posterior.
    eps = np.random.default_rng(0).standard_normal((5, 32), dtype=np.float32)
    print(f"\nVariations of: {detokenize(test[0])}")
    for words in sentences_of(z_mean[0] + np.exp(z_log_var[0] / 2) * eps):
        print(f"  {detokenize(words)}")

    # From one sentence to another, in equal steps; and the same in today's English.
    print(f"\nFrom: {detokenize(test[0])}   to: {detokenize(test[1])}")
    for words in sentences_of(np.linspace(z_mean[0], z_mean[1], 5)):
        print(f"  {detokenize(words):60} {modernise(detokenize(words))}")


if __name__ == "__main__":
    main()
