"""Models made of layers: Sequential, VAE, IWAE, VQVAE, TextVAE and Autoencoder."""
from .autoencoder import Autoencoder
from .iwae import IWAE
from .model import Model
from .sequential import Sequential
from .text_vae import TextVAE
from .vae import VAE
from .vqvae import VQVAE
