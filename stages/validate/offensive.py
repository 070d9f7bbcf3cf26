"""Attacks ready for use: commands, programs, mails and orders with which a reader could attack at once.

A description of an attack is knowledge and stays: the name of a tool or call, a pattern of a detection rule, an address
that is defanged, a step told of an adversary. What a rule asks for is the thing in working form - a command with its live
address, calls with their arguments, a mail from salutation to link, orders to the reader. The kinds are those in which
CyberSecEval (arXiv 2312.04724, section 4) asks models to help attackers; each rule names where its forms are catalogued.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from stages.validate.credentials import Span
from stages.validate.textbook import is_textbook

WITHHELD = "[offensive content withheld]"


class Rule(NamedTuple):
    """`forms`: the text is a finding if all patterns of one form stand in it; the first pattern alone may be a whole form."""

    source: str
    hints: tuple[str, ...]  # in lower case; without any of them no form can match
    forms: tuple[tuple[re.Pattern[str], ...], ...]


def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.I | re.M)


_URL = r"(?:https?|ftps?)://[^\s'\"|;)\]]{3,300}"
_SHELL = r"(?:sudo +)?(?:/bin/|/usr/bin/(?:env )?)?(?:ba|da|z|k)?sh\b"
_ADDRESS = r"[\"'](?!127\.)[^\"'\n]{1,80}[\"'] *, *\d{2,5}"
# A host that is there to be attacked: no word for one (`target`, `<ip>`), and no textbook name.
_TARGET = r"(?!127\.|localhost|(?:[\w-]+\.)*example\.(?:com|org|net)|[\w.-]*\.(?:test|invalid|example)\b)(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[a-z0-9-]+\.)+(?!(?:php|py|txt|lst|html?|exe|dll)\b)[a-z]{2,18})\b"
_RUN = r"(?:iex|Invoke-Expression)"
_GET = r"(?:DownloadString|DownloadData|Invoke-WebRequest|Invoke-RestMethod|iwr|irm)"

RULES = {
    "download-and-run": Rule(
        "https://attack.mitre.org/techniques/T1105/ and T1218; https://lolbas-project.github.io",
        ("curl", "wget", "iex", "invoke-expression", "downloadfile", "powershell", "certutil", "mshta", "regsvr32", "bitsadmin", "msiexec", "lwp-", "urlopen", "requests.get"),
        tuple(
            (_pattern(one),)
            for one in (
                rf"\b(?:curl|wget|lwp-\w+)\b[^\n|;]{{0,200}}?{_URL}[^\n|;]{{0,80}}\| *(?:{_SHELL}|(?:sudo +)?(?:python[\d.]*|perl|php|ruby|node)\b)",
                rf"{_SHELL} +(?:-c +)?[\"']?(?:\$\(|`|<\() *(?:curl|wget)\b[^\n]{{0,200}}?{_URL}",
                rf"\b(?:curl|wget)\b[^\n;&]{{0,200}}?{_URL}[^\n]{{0,120}}?(?:&&|;) *(?:chmod +(?:[ugoa]*\+r?x|[0-7]{{3,4}}) |{_SHELL} )[^\n]{{0,120}}",
                rf"\b(?:exec|eval)\([^\n]{{0,80}}?\b(?:urlopen|requests\.get)\([^\n]{{0,20}}?{_URL}[^\n]{{0,60}}",
                rf"\b{_RUN}\b[^\n]{{0,100}}\b{_GET}\b[^\n]{{0,80}}?{_URL}[^\n]{{0,20}}",
                rf"\b{_GET}\b[^\n|]{{0,80}}?{_URL}[^\n|]{{0,80}}\| *{_RUN}\b",
                rf"\bDownloadFile\([^\n]{{0,20}}?{_URL}[^\n]{{0,160}}(?:Start-Process|Invoke-Item|; *(?:&|\.\\))[^\n]{{0,80}}",
                r"\bpowershell(?:\.exe)?\b[^\n]{0,160} -e(?:c|nc|ncodedcommand)? +[\"']?[A-Za-z0-9+/]{48,}={0,2}",
                rf"\bcertutil(?:\.exe)?\b[^\n]{{0,80}}[-/]urlcache\b[^\n]{{0,80}}?{_URL}[^\n]{{0,80}}",
                rf"\b(?:mshta(?:\.exe)?[\"']?|msiexec(?:\.exe)?[\"']?(?: +/\w+){{1,5}}) +[\"']?{_URL}",
                rf"\bregsvr32(?:\.exe)?\b[^\n]{{0,60}}/i: ?[\"']?{_URL}[^\n]{{0,40}}",
                rf"\bbitsadmin(?:\.exe)?\b[^\n]{{0,80}}/(?:transfer|addfile)\b[^\n]{{0,80}}?{_URL}[^\n]{{0,80}}",
            )
        ),
    ),
    "remote-shell": Rule(
        "https://pentestmonkey.net/cheat-sheet/shells/reverse-shell-cheat-sheet; https://attack.mitre.org/techniques/T1059/",
        ("/dev/tcp", "/dev/udp", "nc ", "nc.", "ncat", "netcat", "mkfifo", "socket", "fsockopen", "tcpclient", "socat", "msfvenom"),
        (
            (_pattern(r"\b\w{0,4}sh +-i\b[^\n]{0,40}/dev/(?:tcp|udp)/[^\s/]+/[\w$]+[^\n]{0,40}|\bexec +\d+<> ?/dev/tcp/[^\s/]+/[\w$]+[^\n]{0,120}"),),
            (_pattern(r"\b(?:nc|ncat|netcat)(?:\.exe|\.traditional|\.openbsd)?\b(?=[^\n]{0,120}\b\d{2,5}\b)[^\n|;]{0,80} -\w*[ec]\w* +(?:/bin/\w*sh|cmd(?:\.exe)?|powershell)\b[^\n]{0,80}"),),
            (_pattern(r"\bmkfifo +\S+[^\n]{0,100}\| *(?:/bin/)?\w*sh\b[^\n]{0,80}\| *(?:nc|ncat|telnet|openssl)\b[^\n]{0,80}"),),
            (_pattern(r"\bsocat\b(?=[^\n]{0,160}\btcp)[^\n]{0,120}\bexec:[\"']?(?:bash|sh|/bin/\w*sh|cmd)\b[^\n]{0,80}"),),
            (_pattern(rf"\bconnect\(\(? *{_ADDRESS}"), _pattern(r"\bos\.dup2\(|\bpty\.spawn\(|\bsubprocess\.\w+\(\[? ?[\"'](?:/bin/|cmd|powershell)|\bexec\b[^\n]{0,30}/bin/\w*sh")),
            (_pattern(r"\bsocket\(\w+, *PF_INET"), _pattern(r"\bconnect\(\w"), _pattern(r"\bexec\b[^\n]{0,30}/bin/\w*sh")),
            (_pattern(rf"\bTCPSocket\.(?:open|new)\( *{_ADDRESS}"), _pattern(r"/bin/\w*sh\b|\bcmd(?:\.exe)?\b")),
            (_pattern(rf"\bfsockopen\( *{_ADDRESS}"), _pattern(r"\b(?:exec|proc_open|shell_exec|system|popen)\(")),
            (_pattern(rf"\bNet\.Sockets\.TCPClient\( *{_ADDRESS}"), _pattern(rf"\b{_RUN}\b")),
            (_pattern(r"\bmsfvenom +(?:-\w+ +\S+ +){0,6}-p +\S+[^\n]{0,200}\bLHOST=\S+[^\n]{0,120}"),),
        ),
    ),
    "attack-command": Rule(
        "https://attack.mitre.org/techniques/T1003/, T1110, T1190, T1490 and T1558; the manuals of hydra, sqlmap, mimikatz and Rubeus",
        ("hydra", "medusa", "sqlmap", "sekurlsa", "lsadump", "vssadmin", "shadowcopy", "jndi", "rubeus", "secretsdump", "crackmapexec", "netexec"),
        (
            (_pattern(rf"(?:^|[`$#>] *|\bsudo +)(?:hydra|medusa)\b(?=[^\n]{{0,200}} -[LlCuU] ?\S)(?=[^\n]{{0,200}} -[PpC] ?\S)[^\n]{{0,160}}(?:\b[\w-]+://{_TARGET}|{_TARGET})[^\n`]{{0,80}}"),),
            (_pattern(rf"\bsqlmap(?:\.py)? +(?:-\S+ +(?:[^-\s]\S* +)?){{0,6}}?(?:-u|--url)[ =]+[\"']?(?:https?://)?{_TARGET}[^\s\"'`]*[^\n`]{{0,120}}"),),
            (_pattern(r"\bmimikatz(?:\.exe[\"']? +[\"']?|[\"']? +[\"'])(?:\w+::\w+[\"' ]+){0,3}[\"']?(?:sekurlsa::(?:logonpasswords|ekeys|pth)|lsadump::(?:sam|dcsync|lsa|secrets))\b[^\n]{0,120}"),),
            (_pattern(r"\bprivilege::debug[\"']?[ ;\n]{1,4}[^\n]{0,40}\bsekurlsa::logonpasswords\b[^\n]{0,60}"),),
            (_pattern(r"^(?:[ \t]*(?:[$#>]|PS [^\n>]{0,40}>|[A-Z]:\\[^\n>]{0,40}>))?[ \t]*(?:cmd(?:\.exe)? /c +)?[\"']?(?:vssadmin(?:\.exe)?[\"']? +delete +shadows\b(?=[^\n]{0,40}/(?:all|quiet|for=))|wmic(?:\.exe)? +shadowcopy +delete\b)[^\n`]{0,60}"),),
            (_pattern(rf"\$\{{jndi:(?:ldaps?|rmi|dns|iiop|http)://{_TARGET}(?::\d{{2,5}})?/[^\s}}]{{1,80}}\}}"),),
            (_pattern(r"\brubeus(?:\.exe)? +(?:kerberoast|asreproast|asktgt|asktgs|s4u|ptt|dump|golden|silver)\b[^\n`]{0,30} ?/\w+(?::\S+)?[^\n`]{0,120}"),),
            (_pattern(rf"\b(?:impacket-)?secretsdump(?:\.py)? +[^\n]{{0,80}}@{_TARGET}[^\n`]{{0,80}}"),),
            (_pattern(rf"\b(?:crackmapexec|netexec|nxc) +(?:smb|winrm|ssh|ldap|mssql) +{_TARGET}[^\n`]{{0,60}} -p +\S+[^\n`]{{0,80}}"),),
        ),
    ),
    "exploit-code": Rule(
        "https://www.exploit-db.com; https://docs.rapid7.com/metasploit/; https://docs.pwntools.com",
        ("\\x", "metasploitmodule", "use exploit/", "pack(", "p32(", "p64(", "requests.", "urllib"),
        (
            # 21 bytes: the shortest programs of https://shell-storm.org/shellcode/. Escaped UTF-8 has no byte below 0x80.
            (_pattern(r"(?=(?:\\x[89a-f][0-9a-f][\s\"'+.]*){0,40}\\x[0-7])(?=(?:\\x[0-7][0-9a-f][\s\"'+.]*){0,40}\\x[89a-f])(?:\\x[0-9a-f]{2}[\s\"'+.]{0,12}){21,}"),),
            (_pattern(r"^\s*class +Metasploit(?:Module|\d) *< *Msf::Exploit"), _pattern(r"\bdef +exploit\b")),
            (_pattern(r"\buse +exploit/\S+"), _pattern(r"\bset +R?HOSTS? +\S+"), _pattern(r"(?:^|[;>] *)(?:run|exploit) *(?:-j)?$")),
            (_pattern(r"b?[\"'](?:[a-z]|\\x[0-9a-f]{2})[\"'] *\* *\(?\w+"), _pattern(r"\b(?:struct\.)?pack\( *[\"'][<>!]?[IQLP][\"']|\bp(?:32|64)\( *(?:0x|\w)"), _pattern(r"\.(?:send|sendall|sendline|sendafter|sendlineafter)\(|\bopen\([^\n]{0,60}[\"']wb[\"']")),
            (
                _pattern(r"\b(?:requests|session|s)\.(?:get|post|put|request)\(|\burllib\.request\.\w+\("),
                _pattern(r"' *(?:or|and) +'?1'?=|\bunion +(?:all +)?select\b|(?:\.\./){2,}|\$\{jndi:|<\?php|[;|`]\s*(?:cat|id|whoami|wget|curl|nc)\b|\$\((?:id|whoami|curl|wget)\b"),
                _pattern(r"\bsys\.argv\b|\b(?:target|rhosts?|victim)(?:_\w+)? *=|\bargparse\b"),
            ),
        ),
    ),
    "malware-source": Rule(
        "https://attack.mitre.org/techniques/T1055/, T1056.001, T1486, T1555.003 and T1505.003",
        ("virtualallocex", "hookex", "getasynckeystate", "on_press", "encrypt", "aes.new", "fernet", "newgcm", "createencryptor", "login data", "logins.json", "wallet.dat", "local state", "$_"),
        (
            (_pattern(r"\bVirtualAllocEx *\([^()\n]{1,60},"), _pattern(r"\bWriteProcessMemory *\([^()\n]{1,60},"), _pattern(r"\b(?:CreateRemoteThread(?:Ex)?|NtCreateThreadEx|RtlCreateUserThread|QueueUserAPC) *\([^()\n]{1,60},")),
            (
                _pattern(r"\bSetWindowsHookEx[AW]? *\( *(?:WH_KEYBOARD_LL|13)\b|\bListener\( *on_press *=|\bGetAsyncKeyState *\( *\w"),
                _pattern(r"\bsmtplib\b|\brequests\.post\(|\b(?:fwrite|fprintf|fputs|fputc|WriteFile|InternetWriteFile) *\(|\.(?:write|send|sendall|post)\("),
            ),
            (
                _pattern(r"\bos\.walk\(|\bglob\.glob\(|\brglob\(|\bFindFirstFile[AW]? *\(|\bDirectory\.GetFiles\(|\bGet-ChildItem\b[^\n]{0,60}-Recurse|\bfilepath\.Walk\("),
                _pattern(r"\bFernet\(|\bAES\.new\(|\.encrypt\(|\bCryptEncrypt *\(|\bCreateEncryptor\(|\bNewGCM\("),
                _pattern(r"\byour files\b|\bransom|\b(?:pay|send)\b[^\n]{0,40}\b(?:bitcoin|btc|monero|xmr)\b|\bvssadmin\b[^\n]{0,20}\bdelete\b|\.(?:locked|encrypted|crypt)[\"']"),
            ),
            (
                _pattern(r"\bLogin Data\b|\blogins\.json\b|\bwallet\.dat\b|\bLocal State\b"),
                _pattern(r"\bCryptUnprotectData *\(|\bAES\.new\(|\bsqlite3\.connect\(|\bcopy(?:file|2)?\("),
                _pattern(r"\brequests\.post\(|api\.telegram\.org|/api/webhooks/|\bsmtplib\b|\bftplib\b"),
            ),
            (_pattern(r"<\?(?:php)?\s[^\n]{0,60}\b(?:eval|assert|system|exec|passthru|shell_exec)\s*\(\s*(?:(?:base64_decode|gzinflate|str_rot13)\s*\(\s*)*\$_(?:GET|POST|REQUEST|COOKIE|SERVER)\b[^\n]{0,80}"),),
        ),
    ),
    "phishing-mail": Rule(
        "https://attack.mitre.org/techniques/T1566/; signs of https://www.ncsc.gov.uk/collection/phishing-scams",
        ("account", "password", "invoice", "payment", "mailbox", "sign-in", "identity", "details", "credential"),
        (
            (
                _pattern(r"^[ \t>*\"]*(?:\**subject:|(?:dear|hi|hello|good (?:morning|day)|attention)\b[^\n]{0,60}[,:!]\s*$)"),
                _pattern(r"\b(?:verify|confirm|validate|update|reactivate|unlock|re-?authenticate|restore)\b[^.\n]{0,60}\b(?:account|identity|password|credentials?|payment|billing|mailbox|details|sign-?in)\b|"
                         r"\b(?:account|mailbox|password)\b[^.\n]{0,50}\b(?:suspended|locked|disabled|limited|deactivated|expires?|terminated)\b|\bunusual (?:sign-?in|log-?in|activity)|\boverdue\b"),
                _pattern(r"\bclick\b[^.\n]{0,40}\b(?:here|link|below|button)\b|\b(?:open|review|see) the attach|\battached (?:invoice|document|file)|\blog ?in (?:here|at|via|through)\b|\bh(?:tt|xx)ps?://|\[(?:[\w ]*link|url)\]|\{\{? ?\.?url"),
                _pattern(r"\bwithin (?:the next )?(?:\d+|twenty-four|forty-eight) (?:hours?|minutes|days)|\bimmediate|\burgent|\bas soon as possible|\bby (?:the )?end of (?:the )?(?:day|today)|\bfinal (?:notice|warning|reminder)|\bpermanently"),
            ),
        ),
    ),
}  # fmt: skip

# Steps of https://attack.mitre.org/tactics/enterprise/, as orders. One alone is a word of any manual; three and `your`, or four, are a plan.
_STEP = re.compile(
    r"(?:exploit (?:the|this|that|it|a|an|your)|compromise (?:the|a|an|your)|hack (?:into )?(?:the|a|an|your)|break into|brute[- ]?force|crack (?:the|those|these|any|each|all)|"
    r"dump (?:the|all|any|every|lsass|credentials|hashes)|steal|exfiltrate|escalate (?:your |to |the )?(?:privileges?|root|system|admin)|pivot|move laterally|"
    r"(?:disable|kill|turn off|bypass) (?:the |any |all |their |its )?(?:antivirus|anti-virus|av|edr|defender|windows defender|logging|firewall|security)|"
    r"(?:clear|delete|wipe|erase) (?:the |all |your |any )?(?:\w+ )?(?:logs?|event logs?|traces|tracks|bash history|evidence)|cover your tracks|"
    r"(?:inject|upload|drop|plant|deploy|install|deliver|send|host|run|execute|launch) (?:the |a |an |your |this )?(?:\w+ ){0,2}"
    r"(?:payload|web ?shell|backdoor|rootkit|implant|beacon|keylogger|ransomware|malware|trojan|phishing (?:mail|email|page)|exploit|reverse shell|mimikatz|hydra|sqlmap|responder|hashcat)|"
    r"spoof (?:the|your|a)|poison (?:the|their)|phish (?:the|an?|your)|establish persistence|gain (?:a |initial )?(?:foothold|shell|access)|"
    r"scan (?:the|your|their) (?:target|victim|network|subnet|range)|set up (?:a|your) (?:listener|c2|handler|phishing)|start (?:a|your) (?:listener|handler))\b",
    re.I,
)
_LEAD = re.compile(
    r"[\s\"'*_`>#-]*(?:(?:step )?\d{1,2}\s*[.:)]\s*|[-*•]\s*)?[\s*_`]*(?:(?:first|second|third|then|next|now|finally|after that|once (?:inside|in)|lastly)\b[ ,:]*)?(?:you (?:should|must|can|need to|will|then) )?",
    re.I,
)
_READER = re.compile(r"\b(?:you|your|you'll|you're)\b", re.I)
_SENTENCE = re.compile(r"[^\n]+?(?:(?<!\b\d)[.!?](?=\s)|\n|$)")
_LEAST_STEPS = 3
_ENOUGH_STEPS = 4  # orders that need no reader named
_BETWEEN = 600  # characters from one step to the next
_NEAR = 3000  # characters around the first pattern of a form in which the others stand
# Scripts that vendors tell their users to run this way, and the machine itself.
_OWN = re.compile(
    r"^127\.|(?:^|\.)(?:rustup\.rs|docker\.com|brew\.sh|helm\.sh|k3s\.io|astral\.sh|python-poetry\.org|pypa\.io|nodesource\.com|deno\.land|bun\.sh|"
    r"amazonaws\.com|aws\.amazon\.com|google\.com|googleapis\.com|microsoft\.com|aka\.ms|chocolatey\.org|scoop\.sh|githubusercontent\.com|github\.com|gitlab\.com|"
    r"debian\.org|ubuntu\.com|redhat\.com|fedoraproject\.org|kubernetes\.io|hashicorp\.com|elastic\.co|grafana\.com|tailscale\.com)$",
    re.I,
)  # fmt: skip
_ATTACKER = re.compile(r"attack|evil|malicious|malware|hacker|\bc2\b|payload", re.I)
_HOST = re.compile(r"(?:https?|ftps?)://(?:[^\s/@'\"]{1,80}@)?([^\s/:?#'\"|;)\]]+)", re.I)
_FENCED = re.compile(r"^```[^\n]*\n.*?(?:^```[ \t]*$|\Z)", re.M | re.S)


def find_offensive(text: str) -> list[Span]:
    """Every attack of `text` that is ready for use, in order."""
    lower = text.casefold()
    spans = [
        span
        for name, rule in RULES.items()
        if any(hint in lower for hint in rule.hints)
        for form in rule.forms
        for span in _of_form(name, form, text)
    ]
    if "your" in lower or "you " in lower or len(_STEP.findall(text)) >= _ENOUGH_STEPS:
        spans += _orders(text)
    return sorted(set(spans), key=lambda span: (span.start, span.end, span.rule))


def _of_form(name: str, form: tuple[re.Pattern[str], ...], text: str) -> Iterator[Span]:
    """A form of one pattern is found at each place; of several, from the first place to the last, in whole lines."""
    first, *others = form
    if not all(pattern.search(text) for pattern in others):
        return
    for one in first.finditer(text):
        if not _is_foreign(one[0]):
            continue
        if not others:
            yield Span(name, *one.span(), WITHHELD)
            continue
        near = max(0, one.start() - _NEAR), one.end() + _NEAR
        places = [[found.span() for found in pattern.finditer(text, *near)] for pattern in others]
        if all(places):
            every = [one.span(), *(span for found in places for span in found)]
            yield _whole(name, text, min(every)[0], max(end for _, end in every))


def _is_foreign(found: str) -> bool:
    """Whether what is fetched comes from nowhere known: an example harms nobody, and vendors have installers."""
    hosts = [host for host in _HOST.findall(found) if "[" not in host]
    unknown = any((not is_textbook(host) and not _OWN.search(host)) or _ATTACKER.search(host) for host in hosts)
    return unknown or not _HOST.search(found)


def _orders(text: str) -> Iterator[Span]:
    """From the first step to the last, if there are enough in a row and the reader is meant."""
    steps = [one.span() for one in _SENTENCE.finditer(text) if _STEP.match(text, _LEAD.match(text, one.start()).end(), one.end())]  # type: ignore[union-attr]
    breaks = [n for n in range(1, len(steps)) if steps[n][0] - steps[n - 1][1] > _BETWEEN]
    for start, end in zip([0, *breaks], [*breaks, len(steps)], strict=True):
        if end - start >= _LEAST_STEPS:
            whole = _whole("intrusion-steps", text, steps[start][0], steps[end - 1][1])
            if end - start >= _ENOUGH_STEPS or _READER.search(text, whole.start, whole.end):
                yield whole


def _whole(name: str, text: str, start: int, end: int) -> Span:
    """Lines from `start` to `end`, and the whole of a fenced block that either stands in."""
    blocks = [one.span() for one in _FENCED.finditer(text) if one.start() < end and start < one.end()]
    first = min([text.rfind("\n", 0, start) + 1, *(block[0] for block in blocks)])
    line = text.find("\n", end)
    last = max([len(text) if line < 0 else line, *(block[1] for block in blocks)])
    return Span(name, first, last, WITHHELD)
