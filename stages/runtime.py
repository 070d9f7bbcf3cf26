"""Section `runtime`: how a build runs, never what it makes. No stage depends on it.

A test shows equal bytes for two values of this section.
"""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from stages.config import Params

EMBEDDED_ROWS = 32  # rows in flight where no endpoint is named: enough for a full batch of every kind of call


class Endpoint(Params):
    """One server of a role; several are used as replicas."""

    base_url: str
    api_key_env: str = ""  # NAME of the variable that holds the key; empty: no key is sent. The key itself never stands in a file
    max_concurrency: int = 32

    def __post_init__(self) -> None:
        """Raises ValueError, which the params file's reader explains, for what is no address; it may hold a password: not shown."""
        try:
            parts = urlsplit(self.base_url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("`base_url` is not an address like https://models.example.org:8000/v1")


class Endpoints(Params):
    """Servers by role; empty for a role whose provider is `embedded`."""

    teacher: list[Endpoint] = []
    judge: list[Endpoint] = []


class Budget(Params):
    """A stage stops cleanly before it passes one of these; 0 means no limit."""

    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


class Price(Params):
    """US dollars per million tokens, for the ledger and `make estimate`."""

    input: float = 0.0
    output: float = 0.0


class WebAccess(Params):
    """How the provider of `ground.web` and the pages that it names are reached."""

    base_url: str = ""  # of the provider: your SearXNG; empty: Brave's own address
    api_key_env: str = ""  # NAME of the variable that holds the provider's key; empty: no key is sent
    timeout: float = 20.0  # seconds for one response
    concurrency: int = 4  # requests open at once
    delay: float = 1.0  # seconds between two requests to one host of pages
    query_delay: float = 1.0  # seconds between two queries: the pace of Brave's smallest plan; 0 for a SearXNG of your own
    private_hosts: list[str] = []  # the only hosts that may have a private address, for example a mirror in the intranet

    def __post_init__(self) -> None:
        """Raises ValueError, which the params file's reader explains; what may hold a password is not shown."""
        if self.base_url:
            Endpoint(base_url=self.base_url)
            if "@" in urlsplit(self.base_url).netloc:
                raise ValueError("`web.base_url` names a user; put the key into a variable and its name into `web.api_key_env`")
        if self.timeout <= 0 or self.concurrency < 1 or self.delay < 0 or self.query_delay < 0:
            raise ValueError("`web.timeout` and `web.concurrency` are above 0, `web.delay` and `web.query_delay` not below 0")


class RuntimeParams(Params):
    """How to run on this machine."""

    endpoints: Endpoints = Endpoints()
    prices: dict[str, Price] = {}  # by model name
    budget: Budget = Budget()
    web: WebAccess = WebAccess()
    concurrency: int = 0  # rows in flight in a stage that calls a model; 0: as many as keep all endpoints busy
    engine: Literal["local", "ray"] = "local"  # where the rows of ground and enrich are worked on; ray: the extra `ray`
    ray_address: str = ""  # of a Ray cluster in a closed network, `auto` or host:port; empty: one is started on this machine
    timeout: float = 120.0  # seconds for one call, retries not counted
    retries: int = 6
    shared_cache: str = ""  # absolute path of a responses.sqlite that a team shares: asked after the own one, never written
    batch_files: str = ""  # folder: requests to endpoints are written there instead of sent; empty: they are sent
    batch: int = 8  # prompts the embedded model runs together
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    workers: int = 0  # processes of the stages that map records without a model, and of engine ray; 0 means all cores
    threads: int = 0  # torch threads; 0 means all cores
    offline: bool = False  # never ask the network: use what is already downloaded
    mirror: str = ""  # local mirror folder; the variable SECFORGE_MIRROR wins over an empty value
    mlflow_uri: str = ""  # tracking server; empty: SQLite in the state folder

    def __post_init__(self) -> None:
        """Rows in flight by themselves: each place of an endpoint has a call, and a quarter more calls wait to take one over.

        So no place is empty while an answer is read and stored. `max_concurrency` stays what a server is given at once.
        """
        if not self.concurrency:
            places = sum(one.max_concurrency for one in (*self.endpoints.teacher, *self.endpoints.judge))
            msgspec.structs.force_setattr(self, "concurrency", places + places // 4 or EMBEDDED_ROWS)
