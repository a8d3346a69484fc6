"""What runs have in common whose measures are the terms of the loss: of images and of tables."""
import json

from ..models import VAE
from ..storage import side_product, write_text
from .run import Run

MEANINGS = {
    "loss": "reconstruction + KL weight x KL: lower is better",
    "reconstruction": "how far the output is from the input",
    "kl": "the information about the input in the code; near 0, the decoder ignores it",
}


class MeasuredRun(Run):
    """A run with `x_test`, that is measured by the losses of its model; see Run."""

    decodes = True              # examples can be decoded from latent codes

    def codes(self, x=None):
        """Return the latent codes of examples: z, or its mean.

        Parameters
        ----------
        x : array or Images, optional
            Defaults to the test set.

        Returns
        -------
        array of shape (N, latent_dim)
        """
        code = self.model.encode(self.x_test if x is None else x)
        return code[0] if isinstance(self.model, VAE) else code

    def more_measures(self):
        """Return {name: {"value", "meaning"}} and notes of what is measured beyond the losses."""
        return {}, []

    def evaluate(self):
        """Return the losses on the test set and other measures; write them to evaluation.json."""
        x = self.x_test
        seed = self.config["seed"]
        size = self.config["batch_size"]
        last_batch = x[-(len(x) % size or size):]
        measures, notes = self.more_measures()
        result = {
            "data": self.data.description,
            "examples": len(x),
            **self.model.evaluate(x, seed=seed),
            "last_batch": self.model.evaluate(last_batch, seed=seed),
            "measures": measures,
            "notes": notes,
        }
        with side_product():
            write_text(self.folder / "evaluation.json", json.dumps(result, indent=2) + "\n")
        return result

    def describe_evaluation(self, result):
        """Return what `evaluate` measured as lines of text."""
        size = self.config["batch_size"]
        return [
            f"test set, {result['examples']:,} examples{self.model.how_measured} "
            f"({self.lab.unit}):",
            *(f"  {name:<16}{result[name]:.4f}   {meaning}" for name, meaning in MEANINGS.items()),
            f"  last batch      {result['last_batch']['loss']:.4f}   loss of the last {size} or "
            "fewer examples alone, which some sheets print in place of the mean",
            *(f"  {name:<21}{measure['value']:.4f}   {measure['meaning']}"
              for name, measure in result["measures"].items()),
            *(f"  note: {line}" for line in result["notes"]),
        ]
