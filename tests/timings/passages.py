"""Passages and queries made by code: words, lengths and repetition as in security knowledge, no text of any source."""

import random
from collections.abc import Sequence
from functools import cache

from stages.ground.anchors import Anchors
from stages.ingest.schema import Passage

STEMS = (
    "access account actor address admin adversary agent alert analyst application archive attack audit authenticat backup bind "
    "block boot boundary browser buffer build bypass cache call certificat channel check cipher client cloud code collect command "
    "compil component compromis config connect container content control copy credential data debug decod default delet deploy "
    "detect device digest directory disabl domain download drive email encod encrypt endpoint enforc environ escalat event execut "
    "exfiltrat expos extension extract fail file filter firewall firmware flaw folder forg format function gateway grant group guard "
    "handl harden hash header heap hidden hijack host identif image implant import inject input install integ intercept internal "
    "intrusion isolat kernel key lateral layer leak level librar limit link list load lock log login machin malicious manag map mask "
    "match memor messag method mitigat mobil model modif monitor mount network node notif object offset operat option origin output "
    "overflow packag packet parse password patch path pattern payload permiss persist phish pipe platform plugin pointer policy port "
    "privileg process profil program protect protocol provider proxy query queue random ransom read record recover redirect region "
    "registr remot render replay report request resource restor restrict review revok risk role root rout rule runtime sandbox scan "
    "schedul script secur segment send server service session share shell sign site software source spoof stack storag stream string "
    "system table target task template terminal thread threat token trace traffic transfer trigger trust tunnel update upload user "
    "valid variabl vector vendor verif version virtual volum vulnerab weak window write zone"
)
ENDINGS = ("", "s", "ed", "ing", "er", "ion", "able", "al")
COMMON = "the of to a and in is for may that with by can or an be on are not this it as use from when which".split()  # noqa: SIM905
COMMON_SHARE = 0.4  # of a text's words
MEDIAN_WORDS, SPREAD = 33, 0.75  # of a passage; the build's have 33 in the median, 44 on average, 173 at the 99th percentile


@cache
def vocabulary() -> tuple[list[str], list[float]]:
    """30,000 words and how often each is drawn, cumulated: the n-th word 1/n times as often as the first."""
    stems = STEMS.split()
    words = [stem + ending for ending in ENDINGS for stem in stems]
    pairs = [f"{one}{other}{ending}" for ending in ("", "s") for one in stems for other in stems]
    rare = random.Random(7).sample(pairs, 30_000 - len(words))
    sums, total = [], 0.0
    for place in range(1, 30_001):
        total += 1 / (place + 5)
        sums.append(total)
    return words + rare, sums


def make_passages(count: int) -> list[Passage]:
    """`count` different passages in no order; the same ones at every call."""
    draw = random.Random(count)
    return [
        Passage(
            id=f"toy:{number:06d}", entity_id=f"toy:{number:06d}", title=" ".join(_words(draw, 3)).title(), text=_text(draw),
            source="toy", version="1", uri=f"https://toy.invalid/{number}", licence="CC0-1.0",
        )
        for number in draw.sample(range(10 * count), count)
    ]  # fmt: skip


def make_anchors(passages: Sequence[Passage], count: int) -> Anchors:
    """`count` sentences of 8 to 16 words that lead to every fifth of `passages`, most to few, as links do."""
    draw = random.Random(count)
    led_to = passages[::5]
    texts: dict[str, list[str]] = {}
    for _ in range(count):
        place = min(len(led_to) - 1, int(draw.expovariate(8 / len(led_to))))
        texts.setdefault(led_to[place].id, []).append(" ".join(_words(draw, draw.randint(8, 16))))
    return Anchors({passage_id: sorted(set(of_one)) for passage_id, of_one in sorted(texts.items())}, 0.5)


def make_queries(count: int) -> list[str]:
    """Phrases of 5 to 12 words, as a query builder writes them."""
    draw = random.Random(count)
    return [" ".join(_words(draw, draw.randint(5, 12))) for _ in range(count)]


def _text(draw: random.Random) -> str:
    words = [
        draw.choice(COMMON) if draw.random() < COMMON_SHARE else word
        for word in _words(draw, max(6, min(210, int(draw.lognormvariate(0, SPREAD) * MEDIAN_WORDS))))
    ]
    return " ".join(words).capitalize() + "."


def _words(draw: random.Random, count: int) -> list[str]:
    words, sums = vocabulary()
    return draw.choices(words, cum_weights=sums, k=count)
