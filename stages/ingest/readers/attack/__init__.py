"""MITRE ATT&CK out of the STIX lookup and the MISP galaxy. See `objects`."""

from stages.ingest.readers.attack.objects import read

__all__ = ["read"]
