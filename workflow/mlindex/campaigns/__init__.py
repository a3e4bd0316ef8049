"""Planning of experiments: which to do next, from those done."""

from __future__ import annotations

from importlib import import_module

__all__ = ["Campaign"]


def __getattr__(name: str) -> object:
    # By its name only, or else it would count among the code of every stage of this wing.
    if name in __all__:
        from mlindex.base.extras import needing

        with needing("mlindex.campaigns", "campaigns"):
            return getattr(import_module("mlindex.campaigns.campaign"), name)
    raise AttributeError(f"module 'mlindex.campaigns' has no attribute {name!r}")
