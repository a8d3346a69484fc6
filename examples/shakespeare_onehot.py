"""The lab sheet `shakespeare-onehot`: a dense VAE reads a text word by word, and is then asked to
write.

    python examples/shakespeare_onehot.py               both variants, a few epochs of a part of the text
    python examples/shakespeare_onehot.py --epochs 50 --limit 300000        as the sheet has it, about half an hour

As printed, the model learns to give back the word it is given, and writes by taking its most
probable answer as the next word: it says
one word again and again.  Here that is shown, and then mended step by step.  The same lab from the
command line:
scratchvae train shakespeare-onehot
"""

import click
import numpy as np

from scratchvae.analysis.metrics import distinct
from scratchvae.data import load_shakespeare
from scratchvae.layers import Dense, OneHotDense
from scratchvae.models import VAE
from scratchvae.optimizers import Adam
from scratchvae.text import Vocabulary, clean, detokenize, tokenize

WORDS = 100


def make_vae(vocabulary_size, kl_weight=1.0):
    """V -> 64 -> 50 -> 64 -> V.

    A word is given by its index: its one-hot vector would be V numbers, of which one is not zero.
    """
    return VAE(
        encoder=[OneHotDense(vocabulary_size, 64, activation="relu")],
        latent_dim=50,
        decoder=[Dense(64, activation="relu"), Dense(vocabulary_size, activation="sigmoid")],
        reconstruction="onehot_binary_crossentropy",
        reconstruction_scale=float(vocabulary_size),
        kl_weight=kl_weight,
    )


def write(vae, vocabulary, seed_word, choose):
    """WORDS words: each is chosen from the probabilities that the model answers the last one with.
    """
    words = [vocabulary.index(seed_word)]
    for _ in range(WORDS):
        probabilities = vae.reconstruct([[words[-1]]])[0]
        words.append(choose(probabilities))
    return vocabulary.decode(words)


@click.command()
@click.option("--epochs", default=8, show_default=True, type=click.IntRange(1))
@click.option(
    "--limit",
    default=60_000,
    show_default=True,
    type=click.IntRange(1000),
    help="Read only the first N words.",
)
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
def main(epochs, limit, data_dir):
    """Train the printed and the mended variant, and let both write."""
    # The data: every word of the text in its order, as an index into the vocabulary.
    text = load_shakespeare(data_dir)
    print(text.description)
    words = [word for line in clean(text.text).splitlines() for word in tokenize(line)][:limit]
    vocabulary = Vocabulary.build([words], specials=())
    x = vocabulary.encode(words)[:, np.newaxis]
    print(f"{len(words):,} words, {len(vocabulary):,} different ones")

    # Two ways to choose the next word: the most probable one, as the sheet prints it, or one drawn
    # from the probabilities.
    rng = np.random.default_rng(0)
    ways = {
        "argmax": np.argmax,
        "drawn": lambda p: int(rng.choice(len(p), p=p.astype(float) / p.sum(dtype=float))),
    }

    # Two things to learn: the word itself, as printed, or the next one.  With the printed weight of 1, the KL of telling a word costs more
    # than telling it gains, and the code tells nothing.
    for target, inputs, outputs, kl_weight in (
        ("the word itself", x, None, 1.0),
        ("the next word", x[:-1], x[1:], 0.01),
    ):
        vae = make_vae(len(vocabulary), kl_weight)
        vae.fit(
            inputs,
            y=outputs,
            epochs=epochs,
            batch_size=100,
            optimizer=Adam(),
            seed=0,
            shuffle=False,
        )
        for way, choose in ways.items():
            written = write(vae, vocabulary, "the", choose)
            print(
                f"\ntarget: {target}; {way}: {distinct([written], 1):.0%} of its words are "
                f"different ones\n  {detokenize(written)}"
            )
    print(f"\nThe text itself: {distinct([words[:WORDS]], 1):.0%}")


if __name__ == "__main__":
    main()
