"""Hosts that stand in texts as examples: nobody is harmed by them, and nobody is named."""

import re

# RFC 2606 and RFC 6761 reserve the names at the end of the first line; the others are what manuals write. Microsoft's manuals
# have companies of their own (https://learn.microsoft.com/en-us/microsoft-365/enterprise/contoso-overview).
_HOST = re.compile(
    r"(?:^|\.)(?:example\d*(?:\.(?:com|net|org|edu))?|test|invalid|localhost|local|internal|"
    r"(?:(?:my|your|some)-?)?(?:domain|company|site|server|website|organi[sz]ation)\.(?:com|net|org)|"
    r"(?:contoso|fabrikam|northwindtraders|acme|foo|bar|foobar|email|victim)\.(?:com|net|org))$",
    re.I,
)


def is_textbook(host: str) -> bool:
    """Whether `host` is an example by standard or by custom."""
    return bool(_HOST.search(host))
