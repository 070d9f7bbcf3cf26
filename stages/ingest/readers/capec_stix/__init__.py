"""CAPEC as a STIX 2.x bundle. See `bundle`."""

from stages.ingest.readers.capec_stix.bundle import read

__all__ = ["read"]
