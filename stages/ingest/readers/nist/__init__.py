"""NIST SP 800-53 as OSCAL. See `catalogue`."""

from stages.ingest.readers.nist.catalogue import read

__all__ = ["read"]
