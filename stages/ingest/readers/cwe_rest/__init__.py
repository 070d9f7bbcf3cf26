"""The CWE catalogue as the JSON of its REST interface. See `repository`."""

from stages.ingest.readers.cwe_rest.repository import read

__all__ = ["read"]
