"""A toy corpus in containers of the same shape as the real sources."""

from tests.toy.build import TOY_GRAPH, build_toy_sources, toy_params

__all__ = ["TOY_GRAPH", "build_toy_sources", "toy_params"]
