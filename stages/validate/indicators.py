"""Live indicators in text: addresses that one careless click, or a tool that follows links, would reach.

Found are web addresses that serve a program or a script, addresses by public IP number, onion services, and public IP
numbers that the text names as a server or with a port; and names of hosts and web addresses right behind the words that make
them indicators (`the C2 domain`, `the malware posts to`), unless all the world uses them. Links to documentation stay: nothing
is known against them. Textbook hosts and the IP numbers of documentation (RFC 5737, RFC 3849) stay too, unless they play the
attacker: a host named so that serves a program, or a number with a payload or with the port of a C2.
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
# What web pages are made of, too: a payload only where the sentence speaks of an attack.
_CARRIER = re.compile(r"\.(?:js|zip|rar|7z|docx?|xlsx?|pptx?|rtf|one|py)\W*(?:[?#]\S*)?$", re.I)
_ATTACK = re.compile(
    r"\b(?:malware|malicious|trojan|ransomware|dropper|loader|stealer|keylogger|botnet|implant|backdoor|payload|phishing|lure|victims?|"
    r"second[- ]stage|infected|compromised host|reverse shell|beacon\w*|C2|C&C|command[ -]and[ -]control|exfiltrat\w+|attacker(?:'s)?|weaponi[sz]ed)\b",
    re.I,
)
# The words right before a web address that make it an indicator.
_LEADS_TO = re.compile(
    r"(?:\b(?:malware|trojan|ransomware|dropper|loader|stealer|keylogger|bot|implant|backdoor|payload|beacon|sample|worm|macro|script|attachment|it|which|that)\b"
    r"[^.\n:]{0,40}\b(?:posts?|posted|beacons?|beaconed|exfiltrates?|exfiltrated|phones? home|phoned home|calls? (?:back|home|out)|called (?:back|home|out)|reports? back|"
    r"checks? in|checked in|uploads?|uploaded)(?: [\w -]{1,30})? (?:to|with|at|via)|"
    r"\b(?:malware|trojan|ransomware|dropper|loader|stealer|keylogger|bot|implant|backdoor|payload|beacon|worm|macro)\b[^.\n:]{0,60}"
    r"\b(?:connect\w*|communicat\w+|contact\w*|sen[dt]s?|sending|download\w*|fetch\w*|retriev\w+|pull\w*|quer\w+|hosted|served|request\w*|reach\w*)(?: [\w -]{1,30})?(?: (?:to|from|with|at|on|out to))?|"
    r"\b(?:victims?|users?|targets?|employees?|recipients?)\b[^.\n:]{0,30}\b(?:lured|redirected|tricked into (?:visiting|opening))(?: [\w -]{1,20})?(?: to)?|"
    r"\bvictims?\b[^.\n:]{0,30}\b(?:visit(?:ed|s)?|click(?:ed|s)?(?: on)?|open(?:ed|s)?|brows(?:ed|es) to|enter\w*(?: [\w -]{1,30})? (?:at|on|into)|directed to|sent to)|"
    r"\b(?:phishing|malicious|credential[- ]harvesting|spoofed|rogue|look-?alike|attacker[- ]controlled|C2|C&C|command[ -]and[ -]control|malware|exfiltration|payload) "
    r"(?:\w+ )?(?:page|site|website|url|uri|link|address|domain|server|host|portal|endpoint|gate|panel|channel)s?(?: (?:is|was|at|on|to|hosted (?:at|on)|located at|such as|like))?|\b(?:C2|C&C)(?: (?:is|at|to))?)"
    r"\s*[:(]?\s*(?:the )?(?:(?:URL|address|link|site|page|domain|server)s? )?[\"'`“‘<(]*$",
    re.I,
)
_ONION = re.compile(
    r"(?<![\w@./-])(?!(?:example|address|yoursite|hidden-?service)\.)(?:[a-z0-9-]{2,30}\.)?[a-z0-9]{6,56}\.onion(?![\w-]|\.\w)",
    re.I,
)
_DOCUMENTED = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
_PLAYS_ATTACKER = re.compile(r"attack|evil|malicious|malware|hacker|phish|\bc2\b|payload|\bbad\b", re.I)
# Ports that listeners of exercises have, https://docs.rapid7.com/metasploit/ and the reports of ATT&CK T1571.
_LISTENER = re.compile(r":(?:4444|4443|5555|6666|6667|1337|31337|9001)$")
_AROUND = 160  # characters before a place, and half as many behind, in which words of an attack count
_SERVER = re.compile(
    r"(?:\b(?:C2|command[ -]and[ -]control)(?: (?:server|host|channel))?(?: is| was| at)?|\bcallback|\bbeacon(?:s|ed|ing)?(?: to)?|"
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
    if ".onion" in text.casefold():
        spans += [Span("onion-address", *one.span(), one[0].replace(".", "[.]")) for one in _ONION.finditer(text)]
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
            if (_is_public(one[1]) or _is_staged(one)) and not any(first <= start < last for first, last in covered):
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
    return bool(_NO_DOMAIN.search(name) or _SERVICES.search(name) or (is_textbook(name) and not _PLAYS_ATTACKER.search(name)))


def _rule_of(url: re.Match[str]) -> str:
    host = url[2].strip("[]").rstrip(".,;")
    if "[" in host:
        return ""
    if host.casefold().endswith(".onion"):
        return "onion-address"
    payload = bool(_PAYLOAD.search(url[3]))
    if re.fullmatch(r"[\d.]+|[0-9a-f]*:[0-9a-f:.]+", host, re.I):
        return "address-by-ip" if _is_public(host) or (_is_documented(host) and (payload or _speaks_of_attack(url))) else ""
    if "." not in host or (is_textbook(host) and not _PLAYS_ATTACKER.search(host + url[3] * payload)):
        return ""
    if payload or (_CARRIER.search(url[3]) and _speaks_of_attack(url) and _is_foreign(host)):
        return "payload-address"
    return "malicious-address" if _is_foreign(host) and _LEADS_TO.search(_sentence_before(url)) else ""


def _is_foreign(host: str) -> bool:
    return not _SERVICES.search(host)


def _sentence_before(place: re.Match[str]) -> str:
    """Without the words of other addresses, which are often the titles of reports."""
    before = re.sub(r"\w+://\S*[^\s.]", "", place.string[max(0, place.start() - _AROUND) : place.start()])
    return re.split(r"(?<=[.!?])\s|\n\s*\n", before)[-1]


def _speaks_of_attack(place: re.Match[str]) -> bool:
    """Whether the sentence says so, before the place or soon behind it."""
    behind = re.split(r"(?<=[.!?])\s|\n|\w+://", place.string[place.end() : place.end() + _AROUND // 2])[0]
    return bool(_ATTACK.search(_sentence_before(place)) or _ATTACK.search(behind))


def _is_staged(place: re.Match[str]) -> bool:
    """Whether a number of documentation stands for a server of the attacker."""
    if not _is_documented(place[1]):
        return False
    return bool(_LISTENER.search(place[0]) or (":" in place[0][-6:] and _speaks_of_attack(place)) or _ATTACK.match(place[0]))


def _is_documented(number: str) -> bool:
    try:
        address = ipaddress.ip_address(number)
    except ValueError:
        return False
    return any(address.version == network.version and address in network for network in _DOCUMENTED)


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
