"""Live indicators in text: addresses that one careless click, or a tool that follows links, would reach.

Found are web addresses that serve a program or a script, addresses by public IP number, onion services, and public IP
numbers that the text names as a server or with a port; and names of hosts right behind the words that make them indicators
(`the C2 domain`, `beacons to`), unless all the world uses them. Links to documentation stay: nothing is known against them.
A bare number of four parts is most often the version of a product, and stays: also after `server`, `host` or a name that
ends in `IP` (`Exchange Server 15.1.2.3`, `BIG-IP 16.1.2.2`).
"""

import ipaddress
import re

from stages.validate.credentials import Span
from stages.validate.textbook import is_textbook

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
_DOMAIN = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}[a-z]{2,18}"
_NOT_TOP = (
    r"(?:exe|dll|sys|php|asp|aspx|jsp|html?|xml|json|ya?ml|txt|log|conf?|cfg|ini|js|css|vbs|bat|cmd|ps1|docx?|xlsx?|pdf|rtf|lnk|"
    r"zip|rar|gz|tar|iso|img|jar|apk|bin|dat|db|tmp|png|jpe?g|gif|svg|java|class|cpp|rb|lua|onion|exec|load|open|run|get|post)"
)
# What makes a bare name an indicator: the words right before it, or before the list in which it stands.
_CONTEXT = re.compile(
    r"\b(?:(?:C2|C&C|command[ -]and[ -]control|malicious|phishing|attacker[- ]controlled|actor[- ]controlled|adversary[- ]controlled|rogue|"
    r"typo-?squatt(?:ed|ing)|look-?alike|malware|exfiltration|staging|sinkholed|payload) "
    r"(?:(?:web|mail|download|update|delivery) ?)?(?:domain|host|hostname|server|site|website|infrastructure|URL|FQDN)s?|"
    r"\b(?:C2|C&C)|\bIndicators? of compromise|\bIoCs?|\bbeacon(?:s|ed|ing)?(?: out)?(?= to ))"
    rf"(?: \([^()\n]{{1,24}}\))?(?:\s*:\s*|,? (?:to |at |is |was |were |are |such as |like |named |called |including |include |includes |for example )?(?:the (?:domain|host|server) )?)"
    rf"((?:[\"'`“]?{_DOMAIN}[\"'`”]?(?:,? and |,? or |, ?|; ?| / )?){{1,40}})",
    re.I,
)
_HINTS = ("domain", "host", "server", "site", "infrastructure", "fqdn", "url", "c2", "c&c", "compromise", "ioc", "beacon")
_ONE_DOMAIN = re.compile(rf"(?<![\w@./-]){_DOMAIN}(?![\w@-]|\.\w|\()", re.I)
_CANDIDATE = re.compile(r"[a-z0-9-]{2}\.[a-z]{2,18}(?![\w@(-])", re.I)
_NO_DOMAIN = re.compile(rf"\.{_NOT_TOP}$|\d\.\d|^(?:asp|ado|vb|ml)\.net$", re.I)
# What the services of the whole world are used for: naming them endangers nobody.
_SERVICES = re.compile(
    r"(?:^|\.)(?:google(?:apis|usercontent)?\.com|microsoft(?:online)?\.com|windows\.net|azure(?:websites|edge)?\.(?:com|net)|office(?:365)?\.com|live\.com|"
    r"amazonaws\.com|cloudfront\.net|github(?:usercontent)?\.com|gitlab\.com|dropbox(?:api)?\.com|pastebin\.com|telegram\.org|discord(?:app)?\.com|"
    r"slack\.com|twitter\.com|facebook\.com|youtube\.com|apple\.com|icloud\.com|cloudflare\.com|mitre\.org|wikipedia\.org|python\.org|npmjs\.com)$",
    re.I,
)  # fmt: skip


def find_indicators(text: str) -> list[Span]:
    """Every live indicator of `text`, in order; the replacement is its defanged form."""
    spans = []
    if "://" in text:
        spans += [Span(rule, *one.span(), _defanged(one)) for one in _URL.finditer(text) if (rule := _rule_of(one))]
    spans += [
        Span("malicious-domain", *one.span(), one[0].replace(".", "[.]"))
        for context in (_CONTEXT.finditer(text) if _may_hold_domain(text) else ())
        for one in _ONE_DOMAIN.finditer(text, *context.span(1))
        if not _is_harmless_name(one[0])
    ]
    covered = [(span.start, span.end) for span in spans]
    for pattern in (_SERVER, _WITH_PORT) if _NUMBER.search(text) else ():
        for one in pattern.finditer(text):
            start, end = one.span(1)
            if _is_public(one[1]) and not any(first <= start < last for first, last in covered):
                spans.append(Span("public-ip", start, end, one[1].replace(".", "[.]")))
                covered.append((start, end))
    return sorted(spans, key=lambda span: span.start)


def _may_hold_domain(text: str) -> bool:
    """One quick look that spares the slow one."""
    if not any(not _NO_DOMAIN.search(one[0]) for one in _CANDIDATE.finditer(text)):
        return False
    lower = text.casefold()
    return any(hint in lower for hint in _HINTS)


def _is_harmless_name(name: str) -> bool:
    return bool(_NO_DOMAIN.search(name) or _SERVICES.search(name) or is_textbook(name))


def _rule_of(url: re.Match[str]) -> str:
    host = url[2].strip("[]").rstrip(".,;")
    if "[" in host or is_textbook(host):
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
