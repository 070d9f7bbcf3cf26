"""Rows that read like security texts and hold no benchmark item: advisories, analyses, advice, definitions, from parts."""

import random

_PRODUCTS = [
    "Alder",
    "Bramley",
    "Cinder",
    "Dovetail",
    "Ember",
    "Fennel",
    "Granite",
    "Hazel",
    "Ibis",
    "Juniper",
    "Kelp",
    "Larch",
    "Mistral",
    "Nettle",
    "Osprey",
    "Pewter",
    "Quarry",
    "Rowan",
    "Sorrel",
    "Thistle",
    "Umber",
    "Vesper",
    "Willow",
    "Yarrow",
]
_KINDS = [
    "Gateway",
    "Portal",
    "Mailer",
    "Router",
    "Wiki",
    "Scheduler",
    "Backup Agent",
    "Browser",
    "Print Server",
    "Chat",
    "Sync Client",
    "Controller",
]
_PLACES = [
    "the login form",
    "the import of calendars",
    "the plug-in loader",
    "the thumbnail service",
    "the session store",
    "the update check",
    "the file picker",
    "the audit export",
    "the template engine",
    "the pairing dialogue",
    "the queue worker",
    "the report builder",
]
_FLAWS = [
    "fails to escape names of folders",
    "trusts a header that any client can set",
    "keeps temporary keys readable for all users",
    "compares secrets byte by byte",
    "follows redirects to inner addresses",
    "accepts certificates of any issuer",
    "frees a buffer twice when a request is aborted",
    "unpacks archives without a limit of size",
    "builds a shell command from a label",
    "forgets to check the role of the caller",
]
_EFFECTS = [
    "a remote user can read messages of other people",
    "a local account may gain the rights of the service",
    "an attacker in the same network can take over a session",
    "a guest can stop the service",
    "a prepared file leads to code execution",
    "a tenant sees invoices of another one",
    "a partner can send mail in foreign names",
]
_ACTORS = [
    "The operators",
    "The intruders",
    "A criminal group",
    "An espionage team",
    "The affiliates of a ransomware gang",
    "Unknown attackers",
]
_ACTS = [
    "copied the address book of the finance team",
    "moved from a build server to the domain controller by remote desktop",
    "hid a proxy in a folder of fonts",
    "sold the access after two weeks",
    "cleared the event logs before they left",
    "staged archives in the recycle bin",
    "used stolen cookies to enter the mail system",
    "tunnelled their traffic through a cloud function",
]
_ADVICE = [
    "Rotate the keys of service accounts every quarter",
    "Keep an inventory of exposed hosts",
    "Let two people approve changes of firewall rules",
    "Restore a backup to a spare machine once a month",
    "Block macros in files from outside",
    "Collect process events from all servers in one place",
    "Give administrators a second account for daily work",
    "Test alerts with harmless samples",
]
_WHY = [
    "so that an old leak loses its worth",
    "because nobody protects what nobody knows",
    "since a single mistake is then noticed",
    "or the first real test will be an emergency",
    "as most infections of last year began there",
    "which makes later questions answerable",
    "and write down who is responsible",
]


def clean_rows(count: int, seed: int = 11) -> list[str]:
    """`count` different texts of two to five sentences."""
    chance = random.Random(seed)
    return [" ".join(_sentence(chance) for _ in range(chance.randint(2, 5))) + f" Reference {number}." for number in range(count)]


def _sentence(chance: random.Random) -> str:
    pick = chance.choice
    product, version = f"{pick(_PRODUCTS)} {pick(_KINDS)}", f"{chance.randint(1, 9)}.{chance.randint(0, 20)}"
    return pick(
        (
            f"In {product} {version} {pick(_PLACES)} {pick(_FLAWS)}, and {pick(_EFFECTS)}.",
            f"{pick(_ACTORS)} {pick(_ACTS)} and {pick(_ACTS)}.",
            f"{pick(_ADVICE)}, {pick(_WHY)}.",
            f"What is the risk if {pick(_PLACES)} of {product} {pick(_FLAWS)}?",
            f"After an upgrade to {product} {version} {pick(_PLACES)} no longer {pick(_FLAWS)}.",
        )
    )
