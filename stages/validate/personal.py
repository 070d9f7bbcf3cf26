"""Personal data in text: e-mail addresses and telephone numbers of people.

Addresses of a function (security@, support@) at an organisation and those of textbook domains are no personal
data; they stay. Telephone numbers cannot be told apart that way: all but reserved ones are found.
"""

import re

from stages.validate.credentials import Span
from stages.validate.textbook import is_textbook

_EMAIL = re.compile(r"(?<![\w.%+-])([A-Za-z0-9._%+-]{1,64})@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})\b")
_FUNCTION = re.compile(
    r"(?:^|[._-])(?:security|secure|psirt|productsecurity|cert|csirt|soc|abuse|support\w*|\w*supportline|techsppt|help\w*|info|"
    r"contact\w*|sales|service\w*|admin\w*|root|postmaster|webmaster|hostmaster|noreply|no-reply|office|press|media|privacy|"
    r"legal|team|users?|customer\w*|user|username|me|you|someone|anybody|test\w*|attacker\w*|victim\w*|git)(?:$|[._+-])",
    re.I,
)
_PHONE = re.compile(
    r"(?<![\w.+/-])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){1,4}|"
    r"\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[.-]\d{4})(?![\w.-]*\w)"
)
_LEAST_DIGITS = 9
# Nobody's: the exchange and area code 555 (nationalnanpa.com), Ofcom's numbers for drama (ofcom.org.uk), digits in a row.
_FICTION = re.compile(
    r"^\D*(?:1\D+)?\(?555\D|\D555\D+\d{4}$|^555\D?01\d\d$|^\D*44\D*(?:20\D*7946\D*0|7700\D*900)|123\D?456\D?7890"
)


def find_personal(text: str) -> list[Span]:
    """Every address and number of a person in `text`, in order."""
    spans = []
    if "@" in text:
        spans += [Span("e-mail", *one.span(), "[e-mail address]") for one in _EMAIL.finditer(text) if _is_personal(one)]
    spans += [Span("telephone", *one.span(), "[telephone number]") for one in _PHONE.finditer(text) if _is_number(one[0])]
    return sorted(spans, key=lambda span: span.start)


def _is_personal(found: re.Match[str]) -> bool:
    return not _FUNCTION.search(found[1]) and not is_textbook(found[2])


def _is_number(found: str) -> bool:
    return sum(map(str.isdigit, found)) >= _LEAST_DIGITS and not _FICTION.search(found)
