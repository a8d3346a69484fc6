"""Models made of layers: Sequential, VAE, TextVAE and Autoencoder."""
from .autoencoder import Autoencoder
from .model import Model
from .sequential import Sequential
from .text_vae import TextVAE
from .vae import VAE
