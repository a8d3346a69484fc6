"""Models made of layers: Sequential, VAE, ConditionalVAE, TextVAE and Autoencoder."""
from .autoencoder import Autoencoder
from .conditional_vae import ConditionalVAE
from .model import Model
from .sequential import Sequential
from .text_vae import TextVAE
from .vae import VAE
