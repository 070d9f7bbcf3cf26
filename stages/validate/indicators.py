"""Live indicators in text: addresses that one careless click, or a tool that follows links, would reach.

Found are web addresses that serve a program or a script, addresses by public IP number, onion services, and public IP
numbers that the text names as a server or with a port. Links to documentation stay: nothing is known against them.
A bare number of four parts is most often the version of a product, and stays: also after `server`, `host` or a name that
ends in `IP` (`Exchange Server 15.1.2.3`, `BIG-IP 16.1.2.2`).
"""

import ipaddress
import re

from stages.validate.credentials import Span

_URL = re.compile(
    r"\b((?:https?|ftps?|tcp|udp|ws)://(?:[^\s/?#@<>\"'`]+@)?)(\[[0-9a-f:.]+\]|[^\s/:?#<>\"'`)\]@]+)"
    r"((?::\d{1,5})?[^\s<>\"'`)\]]*)",
    re.I,
)
_PAYLOAD = re.compile(
    r"\.(?:exe|dll|scr|ps1|psm1|hta|sct|vbs|vbe|jse|wsf|bat|cmd|msi|cab|jar|apk|elf|bin|lnk|iso|img|chm|xll|docm|xlsm|sh)\W*(?:[?#]\S*)?$", re.I
)  # fmt: skip
_SERVER = re.compile(
    r"(?:\b(?:C2|command[ -]and[ -]control)(?: (?:server|host|channel))?|\bcallback|\bbeacon(?:s|ed|ing)?(?: to)?|"
    r"(?<![\w/-])IP(?: address(?:es)?)?|\b(?:server|host) at|\bconnect\w* to|\bdownload\w* from)"
    r"\W{1,4}((?:\d{1,3}\.){3}\d{1,3})(?![\d.]|\w)",
    re.I,
)
_WITH_PORT = re.compile(r"(?<![\w.])((?:\d{1,3}\.){3}\d{1,3}):\d{2,5}(?!\d)")
_NUMBER = re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d")
_RESERVED_HOST = re.compile(r"(?:^|\.)(?:example\d*(?:\.(?:com|net|org))?|test|invalid|localhost|local|internal)$", re.I)


def find_indicators(text: str) -> list[Span]:
    """Every live indicator of `text`, in order; the replacement is its defanged form."""
    spans = []
    if "://" in text:
        spans += [Span(rule, *one.span(), _defanged(one)) for one in _URL.finditer(text) if (rule := _rule_of(one))]
    covered = [(span.start, span.end) for span in spans]
    for pattern in (_SERVER, _WITH_PORT) if _NUMBER.search(text) else ():
        for one in pattern.finditer(text):
            start, end = one.span(1)
            if _is_public(one[1]) and not any(first <= start < last for first, last in covered):
                spans.append(Span("public-ip", start, end, one[1].replace(".", "[.]")))
                covered.append((start, end))
    return sorted(spans, key=lambda span: span.start)


def _rule_of(url: re.Match[str]) -> str:
    host = url[2].strip("[]").rstrip(".,;")
    if "[" in host or _RESERVED_HOST.search(host):
        return ""
    if host.casefold().endswith(".onion"):
        return "onion-address"
    if re.fullmatch(r"[\d.]+|[0-9a-f]*:[0-9a-f:.]+", host, re.I):
        return "address-by-ip" if _is_public(host) else ""
    return "payload-address" if "." in host and _PAYLOAD.search(url[3]) else ""


def _is_public(number: str) -> bool:
    try:
        return ipaddress.ip_address(number).is_global
    except ValueError:
        return False


def _defanged(url: re.Match[str]) -> str:
    """`hxxp://host[.]example/x`: as analysts write it, https://datatracker.ietf.org/doc/html/draft-grimminck-safe-ioc-sharing."""
    scheme, login = url[1].split("://", 1)
    scheme = f"{scheme.replace('tt', 'xx')}://" if scheme.casefold().startswith("http") else f"{scheme}[:]//"
    return f"{scheme}{login}{url[2].replace('.', '[.]')}{url[3]}"
