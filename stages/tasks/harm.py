"""What no answer may hold: payloads and commands that could be run. Behaviour is told, not how to carry it out."""

import re

_PAYLOAD = re.compile(
    r"<\s*/?\s*(?:script|img|iframe|svg|object|embed|!entity|!--\s*#)|javascript:|\b(?:alert|eval|exec|system|printf|popen)\s*\("
    r"|\.\./|\.\.\\|%(?:[0-9a-f]{2}|u[0-9a-f]{4})|'\s*(?:or|and)\s+['\d]|\bunion\s+select\b|\bselect\s.{1,80}\sfrom\s"
    r"|\b(?:drop|truncate)\s+table\b|/etc/(?:passwd|shadow)|/bin/(?:ba)?sh\b|\bcmd(?:\.exe)?\s+/c\b|\bpowershell(?:\.exe)?\s+-"
    r"|[;|&]\s*(?:rm|cat|wget|curl|nc|telnet)\s|\$\(|\\x[0-9a-f]{2}|\b0x[0-9a-f]{4,}|(?:%[snx]){2}|\w=\w*[?&]\w+=|\?\w+=|A{8}|\baws\s+--\w",
    re.IGNORECASE,
)


def is_runnable(text: str) -> bool:
    """Whether a text of an attack holds a piece of it in working form: markup, a query, a command, an encoded path."""
    return bool(_PAYLOAD.search(text))
