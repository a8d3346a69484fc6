"""Models made of layers: Sequential, Autoencoder, VAE and what is made of it, Classifier."""
from .autoencoder import Autoencoder
from .classifier import Classifier
from .conditional_vae import ConditionalVAE
from .iwae import IWAE
from .model import Model
from .sequential import Sequential
from .text_vae import TextVAE
from .vae import VAE
from .vqvae import VQVAE
