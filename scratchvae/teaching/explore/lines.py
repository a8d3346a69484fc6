"""The content of a text run's page: two lines, and the lines between them in the latent space."""
from ...models import TextVAE
from ...text import detokenize
from .payload import Arrays, describe_parts, describe_run
from .scripts import SHARED_SCRIPTS, registered

BODY = "lines.html"
SCRIPTS = (*SHARED_SCRIPTS, "recurrent.js", "text_vae.js", "tokenize.js", "detokenize.js",
           "between.js")
PAGE_LAYERS = registered("LAYERS", SCRIPTS)
LINES = 300                     # held-out lines to choose from


def contents(run):
    """Return the content of the page, as a dict for JSON, and its Arrays."""
    model = run.model
    arrays = Arrays()
    vocabulary = run.vocabulary
    settings = run.config["settings"]
    lines = known_lines(run)
    content = describe_run(run) | {
        "lines": [detokenize(words) for words in lines],
        "tokens": lines,
        "vocabulary": vocabulary.words,
        "unknown": vocabulary.unknown,
        "end": vocabulary.end,
        "steps": settings["steps"],
        "padding": settings.get("padding", "post"),
        "writes": "word by word" if isinstance(model, TextVAE) else "all at once",
        "latent_dim": model.latent_dim,
        "parts": describe_parts(model, arrays, PAGE_LAYERS),
    }
    return content, arrays


def known_lines(run):
    """Return held-out lines whose words are all in the vocabulary, or any if there are none."""
    held_out = (run.data.lines_test or run.data.lines_train)[:len(run.x_test)]
    known = [words for words in held_out if all(word in run.vocabulary for word in words)]
    return known[:LINES] or held_out[:LINES]
