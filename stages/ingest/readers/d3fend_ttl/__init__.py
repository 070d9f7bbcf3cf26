"""The D3FEND ontology. See `countermeasures`."""

from stages.ingest.readers.d3fend_ttl.countermeasures import read

__all__ = ["read"]
