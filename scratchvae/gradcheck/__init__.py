"""Checks of backward passes: analytic gradients against central differences, in float64."""
from .check import Report, Row, check_layer, check_model
from .functions import assert_gradients, check_function
