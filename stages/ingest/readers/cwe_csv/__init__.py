"""Views of the CWE catalogue as CSV. See `table`."""

from stages.ingest.readers.cwe_csv.table import read

__all__ = ["read"]
