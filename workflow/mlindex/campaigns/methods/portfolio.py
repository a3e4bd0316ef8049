"""The default: the models of a portfolio by their evidence, and a little exploration.

One method for all tables, chosen by replays of the tables in ``resources/campaigns``.
"""

from __future__ import annotations

from mlindex.campaigns.methods.modelled import Modelled
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.methods.upper_bound import reason, value


def method(options: Options) -> Modelled:
    """The method with its options."""
    return Modelled(value, reason, options)
