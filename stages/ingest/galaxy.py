"""The cluster files of the MISP galaxy: one layout for ATT&CK texts, Sigma metadata and D3FEND."""

import msgspec

from stages.errors import InputError
from stages.ingest.records import SourceFiles


class Meta(msgspec.Struct):
    """What clusters say beside the description; each cluster fills some of it."""

    external_id: str = ""
    kill_chain: list[str] = []
    mitre_platforms: list[str] = []
    mitre_data_sources: list[str] = []
    refs: list[str] = []
    synonyms: list[str] = []


class Related(msgspec.Struct):
    """A link to another value by its UUID (for ATT&CK the UUID of the STIX id)."""

    dest: str = msgspec.field(name="dest-uuid")
    type: str


class Value(msgspec.Struct):
    """One entry of a cluster."""

    uuid: str
    value: str
    description: str = ""
    meta: Meta = msgspec.field(default_factory=Meta)
    related: list[Related] = []
    revoked: bool = False


class Cluster(msgspec.Struct):
    """A cluster file: its type, and its entries unread, so that one broken entry is one reject."""

    type: str
    version: int
    values: list[msgspec.Raw]


def read_cluster(files: SourceFiles, role: str, cluster_type: str) -> list[msgspec.Raw]:
    """The entries of the cluster file `role`. InputError if it is another cluster or holds none."""
    cluster = files.decode(role, Cluster)
    if cluster.type != cluster_type or not cluster.values:
        raise InputError(
            f"{files.where(role)} is a cluster of type {cluster.type} with {len(cluster.values)} values.",
            allowed=f"a cluster of type {cluster_type} that is not empty",
            remedy=f"Mend `ingest.sources.{files.name}.files.{role}` in params.yaml.",
        )
    return cluster.values
