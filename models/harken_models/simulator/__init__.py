"""A generative model of grumbles and complaints, with its truth beside it.

``parameters`` says what is true, ``customers``, ``grumbles`` and ``paths`` draw a history,
``truth`` says how probable each complaint really was, ``output`` writes it all down and
``run`` does one thing after the other. Everything is simulated; nothing describes a person.
"""

from harken_models.simulator.parameters import DEFAULT, Parameters
from harken_models.simulator.run import (
    Period,
    Simulation,
    SimulationError,
    simulate_history,
    simulate_tables,
)

__all__ = [
    "DEFAULT",
    "Parameters",
    "Period",
    "Simulation",
    "SimulationError",
    "simulate_history",
    "simulate_tables",
]
