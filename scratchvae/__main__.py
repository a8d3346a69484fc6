"""python -m scratchvae"""
from .cli import main

main()
