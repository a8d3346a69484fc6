"""Models made of layers: Sequential, the variational autoencoder, and the plain autoencoder."""
from .autoencoder import Autoencoder
from .model import Model
from .sequential import Sequential
from .text_vae import TextVAE
from .vae import VAE
