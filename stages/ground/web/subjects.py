"""Held-out subjects by their ids, as pages of the web write them: in any case, with any dash, in addresses of MITRE's sites."""

import re
from collections import defaultdict
from collections.abc import Iterable

LEAST = 4  # characters of an id that is looked for: `S3` or `7` stands everywhere
_DASHES = str.maketrans(dict.fromkeys("_\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
# `T1110.003`, `T1110/003` of attack.mitre.org, `T1110_003`: one word, so that it does not begin with the word `T1110`.
_SUBTECHNIQUE = re.compile(r"(?<![A-Z0-9])T(\d{4})[./-](\d{3})(?![A-Z0-9])")
# `CWE 79`, `CWE79`, `CWE-079`, and `cwe.mitre.org/data/definitions/79.html`.
_NUMBERED = re.compile(r"(?<![A-Z0-9])(CWE|CAPEC)(?:[-\s:#]{0,3}|\.MITRE\.ORG/DATA/DEFINITIONS/)0*([0-9]+)")
_WORD = re.compile("[A-Z0-9]+")
_SEPARATOR = re.compile("[^A-Z0-9]")


class Subjects:
    """The ids of some entities, and whether a text names one of them.

    A technique is not named by a text that names its sub-techniques only, nor the other way round: they are subjects of
    their own. An id that is a plain word or number (`initial-access`, `1.2.3`) is a name, and is not looked for.
    """

    def __init__(self, entity_ids: Iterable[str]) -> None:
        self._ids = frozenset(name for entity_id in entity_ids for name in _names(entity_id))
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for name in self._ids:
            lengths[_WORD.match(name)[0]].add(len(name))  # type: ignore[index]  # `_names` gives what begins with a word
        self._lengths = {word: sorted(some) for word, some in lengths.items()}  # first word of an id -> characters

    def named_in(self, text: str) -> bool:
        """Whether an id stands in `text`, in a list of a hundred others too: strict, since a page is soon replaced."""
        plain = canonical(text)
        for word in _WORD.finditer(plain):
            for length in self._lengths.get(word[0], ()):
                end = word.start() + length
                if plain[word.start() : end] in self._ids and not _WORD.match(plain, end):
                    return True
        return False


def canonical(text: str) -> str:
    """`text` with each id in one spelling."""
    return _NUMBERED.sub(r"\1-\2", _SUBTECHNIQUE.sub(r"T\1S\2", text.upper().translate(_DASHES)))


def _names(entity_id: str) -> set[str]:
    """The id without its namespace, whole and after its last slash (`check:aws/s3_no_public_access`), if they are ids at all."""
    local = canonical(entity_id.partition(":")[2]) if ":" in entity_id else canonical(entity_id)
    return {name for name in (local, local.rpartition("/")[2]) if _is_id(name)}


def _is_id(name: str) -> bool:
    """A letter, and a digit or two separators: no word, and no number that counts something."""
    with_sign = any(map(str.isdigit, name)) or len(_SEPARATOR.findall(name)) > 1
    return len(name) >= LEAST and with_sign and any(map(str.isalpha, name)) and _WORD.match(name) is not None
