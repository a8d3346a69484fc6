"""The page of a run about lines of text: two lines, and what lies between them."""
from ...models import TextVAE
from ...text import detokenize
from .payload import Arrays, describe_parts

BODY = "lines.html"
SCRIPTS = ("recurrent.js", "text_vae.js", "tokenize.js", "detokenize.js", "between.js")
LINES = 300                     # held-out lines to pick from, whose words the model knows


def contents(run):
    """(what the page is told, its Arrays)."""
    model, arrays, vocabulary = run.model, Arrays(), run.vocabulary
    settings = run.config["settings"]
    held_out = (run.data.lines_test or run.data.lines_train)[:len(run.x_test)]
    lines = [words for words in held_out if all(word in vocabulary for word in words)][:LINES] or held_out[:LINES]
    told = {
        "lab": run.lab.name, "title": run.lab.title, "epochs": len(run.history), "note": run.note, "count": model.count,
        "lines": [detokenize(words) for words in lines], "tokens": lines, "vocabulary": vocabulary.words,
        "unknown": vocabulary.unknown, "end": vocabulary.end, "steps": settings["steps"], "padding": settings.get("padding", "post"),
        "writes": "word by word" if isinstance(model, TextVAE) else "all at once", "latent_dim": model.latent_dim,
        "parts": describe_parts(model, arrays),
    }
    return told, arrays
