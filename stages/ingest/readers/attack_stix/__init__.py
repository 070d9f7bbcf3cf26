"""MITRE ATT&CK as STIX bundles publish it. See `objects`."""

from stages.ingest.readers.attack_stix.objects import read

__all__ = ["read"]
