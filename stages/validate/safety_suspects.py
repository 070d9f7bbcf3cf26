"""Which texts each detector of `safety` has to read: a quick look of 0.4 microseconds spares a search of 5 to 25.

Per kind one expression without lookaround, which every text with a finding of that kind must match; RE2 (by way of Arrow)
searches many texts at once and in time linear in their length. It is written from the detectors' own expressions: change
both. Text beyond ASCII is always read, because there `\\d`, `\\w` and letters without regard to case mean more characters.
"""

from collections.abc import Sequence

_BEYOND_ASCII = r"[^\x00-\x7F]"

_STEP = (
    r"exploit (?:the|th|it|an?\b)|compromise (?:the|an?\b)|hack (?:into|the|an?\b)|break into|brute-? ?force|crack (?:the|those|these|any|each|all)|"
    r"dump (?:the|all|any|every|lsass|credentials|hashes)|steal\b|exfiltrate\b|escalate (?:the |to )?(?:priv|root|system|admin)|pivot\b|move laterally|"
    r"(?:disable|kill|turn off|bypass) (?:\w+ )?(?:anti|av|edr|\w*defender|windows|logging|firewall|security)|"
    r"(?:clear|delete|wipe|erase) (?:\w+ ){0,3}(?:logs?|traces|tracks|history|evidence)\b|"
    r"(?:inject|upload|drop|plant|deploy|install|deliver|send|host|run|execute|launch) (?:\w+ ){0,3}(?:payload|web ?shell|backdoor|rootkit|implant|beacon|keylogger|ransomware|malware|trojan|"
    r"phishing|exploit|reverse|mimikatz|hydra|sqlmap|responder|hashcat)|spoof (?:the|a)|poison the|phish |establish persistence|gain (?:a |initial )?(?:foothold|shell|access)|"
    r"scan the|set up a |start a "
)
_OFFENSIVE = (
    # download-and-run: an address, or the encoded command of PowerShell
    "://|powershell[^\n]* -e|"
    # remote-shell, form by form
    r"/dev/(?:tcp|udp)/|(?:nc|ncat|netcat)\b[^\n|;]* -[a-z0-9_]*[ec]|mkfifo|exec:|\b(?:connect|fsockopen|socket|TCPClient)\(|TCPSocket\.|msfvenom|"
    # attack-command
    r"\b(?:hydra|medusa)\b[^\n]* -|sqlmap[^\n]* -|sekurlsa::|lsadump::|delete +shadows|shadowcopy +delete|jndi:|rubeus[^\n]* /|secretsdump[^\n]*@|"
    r"\b(?:crackmapexec|netexec|nxc) |"
    # exploit-code
    r"\\x[0-9a-f]|Msf::Exploit|exploit/|\b(?:pack|p32|p64)\(|\b(?:requests|session|s)\.(?:get|post|put|request)\(|urllib\.request|"
    # malware-source: of each form the pattern with the rarest words
    r"WriteProcessMemory|SetWindowsHookEx|on_press|GetAsyncKeyState|"
    r"\bFernet\(|\bAES\.new\(|\.encrypt\(|\bCryptEncrypt *\(|\bCreateEncryptor\(|\bNewGCM\(|"
    r"Login Data|logins\.json|wallet\.dat|Local State|<\?|"
    # phishing-mail: where the reader is to go
    r"\bclick\b|\bthe attach|\battached (?:invoice|document|file)|\blog ?in (?:here|at|via|through)\b|(?:link|url)\]|\{ ?\.?url|"
    # intrusion-steps speak to a reader, or are four orders, of which two are looked for
    "your|you |"
    f"(?:{_STEP})(?s:.*)(?:{_STEP})"
)
_INJECTION = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.]*\b(?:instructions?|directions|guidelines|guardrails|prompts?|messages?)\b|"
    r"\b(?:ignore|disregard|forget)\b[^.]*\b(?:above|preceding|foregoing|before|said|told|taught|given|instructed)\b|"
    r"\b(?:instructions?|directions|guidelines|guardrails|prompts?)\b[^.]*\b(?:void|null|invalid|cancel|revoked|obsolete|superseded|over|suspended|lifted|no\b)|"
    r"\b(?:reveal|print|show|repeat|output|leak|tell|display)\b[^.]*\b(?:prompt|instructions)\b|"
    r"\byou[^a-z]{1,3}are[^a-z]{1,3}now\b|\bact[^a-z]{1,3}as\b|\bpretend\b|\bdo[^a-z]{1,3}anything[^a-z]{1,3}now\b|##"
)
# Kind -> expression.
MUST_MATCH = {
    "secret": (
        rf"{_BEYOND_ASCII}|[0-9A-Za-z_+/=-]{{20}}|\bA[KP][0-9A-Za-z_]{{10}}|AIza|PRIVATE KEY|://[^\s/@]+:[^\s/@]+@|"
        r"\bBearer\b|\bhv[sbr]\.|(?i:[_-](?:password|passwd|passphrase|pwd|secret|token|key)[\"'\]]*[ \t]*[:=])"
    ),
    "offensive": f"{_BEYOND_ASCII}|(?i:{_OFFENSIVE})",
    "prompt-injection": f"{_BEYOND_ASCII}|(?i:{_INJECTION})",
    "control-token": f"{_BEYOND_ASCII}|<[|<a-zA-Z/]|\\[[|/A-Za-z]",
    "personal-data": (
        rf"{_BEYOND_ASCII}|@|\+[1-9]|[0-9]{{3}}[.-][0-9]{{4}}|\b[2-6][0-9]{{3}}[ -]?[0-9]{{4}}[ -]?[0-9]{{4}}|\b[A-Z]{{2}}[0-9]{{2}} ?[A-Z0-9]{{4}}|"
        r"(?i:\bSSN\b|\bSS ?#|social security n)|\b3[47][0-9]{2}[ -]?[0-9]{6}"
    ),
    "live-indicator": rf"{_BEYOND_ASCII}|://|[A-Za-z0-9-]{{2}}\.[A-Za-z]{{2}}|[0-9]\.[0-9]{{1,3}}\.[0-9]{{1,3}}\.[0-9]",
}


def suspects(texts: Sequence[str]) -> dict[str, set[int]]:
    """Kind -> the numbers of those `texts` in which its detector may find something."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pa.array(texts, pa.large_string())
    found = {kind: pc.match_substring_regex(column, pattern) for kind, pattern in MUST_MATCH.items()}
    return {kind: {*mask.to_numpy(zero_copy_only=False).nonzero()[0].tolist()} for kind, mask in found.items()}
