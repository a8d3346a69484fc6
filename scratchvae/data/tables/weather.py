"""A table with a known structure, for examples and tests: invented weather.

Two hidden numbers, warmth and calm, decide everything else but noise. So the best latent space has
two dimensions, and the best standard deviations are those of NOISE.
"""
import numpy as np

ROWS = 3000
NOISE = {"temperature": 1.5, "humidity": 4.0, "pressure": 1.5, "wind": 2.0, "sunshine": 0.8,
         "visibility": 3.0}
DECIMALS = 2
MISSING = 0.02                  # the part of the numbers that is missing
SEASONS = ("winter", "spring", "autumn", "summer")
SKIES = ("clear", "cloudy", "rain")


def weather(rows=ROWS, seed=0):
    """Return the raw columns of a table of weather.

    Parameters
    ----------
    rows : int
    seed : int

    Returns
    -------
    dict
        Six columns of numbers and two of categories; see scratchvae.data.tables.
    """
    rng = np.random.default_rng(seed)
    warmth, calm = rng.standard_normal((2, rows))
    means = {
        "temperature": 12 + 8 * warmth,
        "humidity": 65 - 9 * warmth - 8 * calm,
        "pressure": 1013 + 7 * calm,
        "wind": 14 - 5 * calm + 2 * warmth * calm,
        "sunshine": 6 + 2 * warmth + 2 * calm,
        "visibility": 20 + 4 * warmth + 9 * np.tanh(calm),
    }
    raw = {}
    for name, mean in means.items():
        numbers = np.round(mean + NOISE[name] * rng.standard_normal(rows), DECIMALS)
        numbers[rng.random(rows) < MISSING] = np.nan
        raw[name] = numbers
    season = np.digitize(warmth + 0.3 * rng.standard_normal(rows), (-0.7, 0, 0.7))
    sky = np.digitize(-calm + 0.4 * rng.standard_normal(rows), (-0.4, 0.6))
    raw["season"] = [SEASONS[place] for place in season]
    raw["sky"] = [SKIES[place] for place in sky]
    return raw
