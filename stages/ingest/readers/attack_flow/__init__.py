"""Attack flows: incidents and campaigns as graphs of techniques. See `flows`."""

from stages.ingest.readers.attack_flow.flows import read

__all__ = ["read"]
