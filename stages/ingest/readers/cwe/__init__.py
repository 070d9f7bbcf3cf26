"""The CWE catalogue as XML. See `catalogue`."""

from stages.ingest.readers.cwe.catalogue import read

__all__ = ["read"]
