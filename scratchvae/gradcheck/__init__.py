"""Proof of a backward pass: analytic gradients against central differences, in float64."""
from .check import Report, Row, check_layer, check_model
