"""The lab sheet `shakespeare-onehot`: a dense VAE reads a text word by word, and then writes.

    python examples/shakespeare_onehot.py               both variants, a few epochs of a part of
                                                        the text
    python examples/shakespeare_onehot.py --epochs 50 --limit 300000
                                                        as the sheet has it, about half an hour

As printed, the model learns to give back the word it is given, and writes by taking its most
probable answer as the next word: it writes one word again and again. The script shows that, and
then what mends it.

The model is in scratchvae/labs/shakespeare_onehot.py. The same lab from the command line:
scratchvae train shakespeare-onehot
"""
import click
import numpy as np

from scratchvae.analysis.metrics import distinct
from scratchvae.data import load_shakespeare
from scratchvae.labs.shakespeare_onehot import LAB, make_model
from scratchvae.optimizers import Adam
from scratchvae.text import Vocabulary, clean, detokenize, tokenize

WORDS = 100


def write(vae, vocabulary, seed_word, choose):
    """Return WORDS words, each chosen from the probabilities that the model gives the last one."""
    words = [vocabulary.index(seed_word)]
    for _ in range(WORDS):
        probabilities = vae.reconstruct([[words[-1]]])[0]
        words.append(choose(probabilities))
    return vocabulary.decode(words)


@click.command()
@click.option("--epochs", default=8, show_default=True, type=click.IntRange(1))
@click.option("--limit", default=60_000, show_default=True, type=click.IntRange(1000),
              help="Read only the first N words.")
@click.option("--data-dir", type=click.Path(exists=True, file_okay=False))
def main(epochs, limit, data_dir):
    """Train the printed and the mended variant, and let both write."""
    # The data: every word of the text in its order, as an index into the vocabulary. Its one-hot
    # vector would be as long as the vocabulary, with a single number that is not zero.
    text = load_shakespeare(data_dir)
    print(text.description)
    words = [word for line in clean(text.text).splitlines() for word in tokenize(line)][:limit]
    vocabulary = Vocabulary.build([words], specials=())
    x = vocabulary.encode(words)[:, np.newaxis]
    print(f"{len(words):,} words, {len(vocabulary):,} different ones")

    # Two ways to choose the next word: the most probable one, as the sheet does, or one drawn from
    # the probabilities.
    rng = np.random.default_rng(0)

    def drawn(probabilities):
        p = probabilities.astype(float)
        return int(rng.choice(len(p), p=p / probabilities.sum(dtype=float)))

    ways = {"argmax": np.argmax, "drawn": drawn}

    # Two targets: the word itself, as printed, or the next one. With the printed weight of 1 the
    # KL divergence of a word costs more than its information gains, and the code carries nothing.
    variants = [
        ("the word itself", x, None, 1.0),
        ("the next word", x[:-1], x[1:], 0.01),
    ]
    for target, inputs, outputs, kl_weight in variants:
        changes = {"vocabulary_size": len(vocabulary), "kl_weight": kl_weight}
        vae = make_model(LAB.settings | changes)
        vae.fit(inputs, y=outputs, epochs=epochs, batch_size=100, optimizer=Adam(), seed=0,
                shuffle=False)
        for way, choose in ways.items():
            written = write(vae, vocabulary, "the", choose)
            print(f"\ntarget: {target}; {way}: {distinct([written], 1):.0%} of its words are "
                  f"different ones\n  {detokenize(written)}")
    print(f"\nThe text itself: {distinct([words[:WORDS]], 1):.0%}")


if __name__ == "__main__":
    main()
