"""Personal data in text: e-mail addresses, telephone numbers, and numbers of bank accounts, cards and social security.

Addresses of a function (security@, support@) at an organisation and those of textbook domains are no personal
data; they stay. Telephone numbers cannot be told apart that way: all but reserved ones are found. A card or an account has to
have its right check digits (ISO/IEC 7812, ISO 13616), a social security number the words for it in front; test numbers of issuers
and manuals are found as well, because nothing is lost with them.
"""

import re

from stages.validate.credentials import Span, without_overlaps
from stages.validate.textbook import is_textbook

_EMAIL = re.compile(r"(?<![\w.%+-])([A-Za-z0-9._%+-]{1,64})@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})\b")
_FUNCTION = re.compile(
    r"(?:^|[._-])(?:security|secure|psirt|productsecurity|cert|csirt|soc|abuse|support\w*|\w*supportline|techsppt|help\w*|info|"
    r"contact\w*|sales|service\w*|admin\w*|root|postmaster|webmaster|hostmaster|noreply|no-reply|office|press|media|privacy|"
    r"legal|team|users?|customer\w*|user|username|me|you|someone|anybody|test\w*|attacker\w*|victim\w*|git)(?:$|[._+-])",
    re.I,
)
# First names behind or before which such a word is a surname or a branch of the house: the address is a person's.
_PERSON = re.compile(
    r"(?:^|[._-])(?:anna|maria|john|jane|peter|paul|mary|michael|thomas|david|james|robert|william|richard|joseph|daniel|mark|lisa|"
    r"laura|sarah|susan|julia|sophie|emma|elena|ivan|olga|ahmed|mohammed|ali|wei|chen|raj|priya|juan|jose|carlos|luis|pierre|"
    r"jean|marie|hans|klaus|stefan|martin|andreas|alex|alexander|christian|eric|kevin|brian|steve|steven|andrew|george|adam|"
    r"alice|bob|charlie|eve|karen|linda|nancy|barbara|patricia|jennifer|elizabeth|jessica|ashley|emily|kim|chris|tom|tim|jim|joe)(?:$|[._-])",
    re.I,
)
_PHONE = re.compile(
    r"(?<![\w.+/-])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){1,4}|"
    r"\+[1-9]\d{0,2}[ .-](?:\(?\d{1,4}\)?[ .-/]){0,2}\d{5,9}|\+(?:1\d{10}|[2-9]\d{9,13})|"
    r"\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[.-]\d{4})(?![\w.-]*\w)"
)
_LEAST_DIGITS = 9
# Nobody's: the exchange and area code 555 (nationalnanpa.com), Ofcom's numbers for drama (ofcom.org.uk), digits in a row.
_FICTION = re.compile(
    r"^\D*(?:1\D+)?\(?555\D|\D555\D+\d{4}$|^555\D?01\d\d$|^\D*44\D*(?:20\D*7946\D*0|7700\D*900)|123\D?456\D?7890"
)
_SPELLED = re.compile(r"^\+1555|^\+1\d{3}555|^\+1?(?:1234567|0{5})|(\d)\1{6}")  # of numbers without a gap
_CARD = re.compile(
    r"(?<![\w.+/-])(?:(?:4\d|5[1-5]|2[2-7]|6[05])\d{2}([ -]?)\d{4}\1\d{4}\1\d{4}|3[47]\d{2}([ -]?)\d{6}\2\d{5})(?![\w-]|\.\d)"
)
_IBAN = re.compile(r"(?<![\w/+-])[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?)(?![\w=-])")
_SOCIAL = re.compile(
    r"\b(?:SSN|social security (?:number|no\.?)|SS ?#)(?:\W{1,4}|\W{1,3}(?:is|was|of [\w ]{1,30}:)\W{1,3})"
    r"((?!000|666|9)\d{3}([ -]?)(?!00)\d{2}\2(?!0000)\d{4})(?![\w-])", re.I,
)  # fmt: skip


def find_personal(text: str) -> list[Span]:
    """Every address and number of a person in `text`, in order."""
    spans = []
    if "@" in text:
        spans += [Span("e-mail", *one.span(), "[e-mail address]") for one in _EMAIL.finditer(text) if _is_personal(one)]
    spans += [Span("telephone", *one.span(), "[telephone number]") for one in _PHONE.finditer(text) if _is_number(one[0])]
    spans += [Span("payment-card", *one.span(), "[card number]") for one in _CARD.finditer(text) if _is_card(one[0])]
    spans += [Span("bank-account", *one.span(), "[account number]") for one in _IBAN.finditer(text) if _is_account(one[0])]
    if "SS" in text or "ocial" in text.casefold():
        spans += [Span("social-security-number", *one.span(1), "[social security number]") for one in _SOCIAL.finditer(text)]
    return sorted(without_overlaps(spans), key=lambda span: span.start)


def _is_personal(found: re.Match[str]) -> bool:
    if is_textbook(found[2]):
        return False
    return not _FUNCTION.search(found[1]) or bool(_PERSON.search(found[1]))


def _is_number(found: str) -> bool:
    return sum(map(str.isdigit, found)) >= _LEAST_DIGITS and not _FICTION.search(found) and not _SPELLED.search(found)


def _is_card(found: str) -> bool:
    digits = [int(one) for one in found if one.isdigit()]
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len({*digits}) > 1


def _is_account(found: str) -> bool:
    packed = found.replace(" ", "")
    if not 15 <= len(packed) <= 34:
        return False
    return int("".join(str(int(one, 36)) for one in packed[4:] + packed[:4])) % 97 == 1
