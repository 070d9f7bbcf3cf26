"""Wrong options of many multiple-choice questions at once, so that no option's name gives its truth away.

An option that is often shown but seldom right (or the other way round) lets a guesser answer without reading. Here
every name is shown wrong about three times as often as it is right among the questions that are asked together.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from stages.tables import content_id

WRONG_OPTIONS = 3
FORCED = 0.7  # a name that has to stand in this share of the questions left goes before hard negatives
FOLDS = 5

Question = tuple[Sequence[str], str]  # the options shown, and the right one among them


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A question that lacks its wrong options; what is right somewhere in the same group may be wrong here."""

    key: str  # decides ties: depends on content only
    right: str
    barred: frozenset[str]  # case-folded names that are right here too, or may be
    hard: Sequence[str] = ()  # names worth reading, hardest first
    reserve: Sequence[str] = ()  # names for groups too small to have three others
    group: str = ""  # options of one question are of one group


def balanced(asks: Sequence[Ask]) -> list[int]:
    """Places of the questions to keep: each answer at most a third as often right as there are others to show it wrong."""
    kept = sorted(range(len(asks)), key=lambda place: content_id("balanced", asks[place].key))
    sizes = Counter(ask.group for ask in asks)
    barred = Counter(name for ask in asks for name in _barred(ask))
    while True:
        seen: Counter[tuple[str, str]] = Counter()
        again, dropped = [], []
        for place in kept:
            ask = asks[place]
            name = ask.group, ask.right
            seen[name] += 1
            limit = (sizes[ask.group] - barred[ask.group, ask.right.casefold()]) // WRONG_OPTIONS
            (again if seen[name] <= max(1, limit) else dropped).append(place)
        if not dropped:
            return sorted(kept)
        kept = again
        for place in dropped:
            sizes[asks[place].group] -= 1
            barred.subtract(_barred(asks[place]))


def _barred(ask: Ask) -> list[tuple[str, str]]:
    """Group and name of everything that cannot be a wrong option of the question."""
    return [(ask.group, name) for name in ask.barred | {ask.right.casefold()}]


def wrong_options(asks: Sequence[Ask]) -> list[list[str]]:
    """Three wrong options for each question, in its order; fewer where the group and the reserve hold no more."""
    found: list[list[str]] = [[] for _ in asks]
    groups: dict[str, list[int]] = defaultdict(list)
    for place, ask in enumerate(asks):
        groups[ask.group].append(place)
    for _, places in sorted(groups.items()):
        for place, names in zip(places, _of_group([asks[place] for place in places]), strict=True):
            found[place] = names
    return found


def fresh_options(asks: Sequence[Ask]) -> list[list[str]]:
    """Three wrong options for each question where every answer is right once: the hardest names, each shown once only.

    A name that stands nowhere else tells nothing either. Names that stand elsewhere fill up where the fresh ones end.
    """
    used = {ask.right.casefold() for ask in asks}
    found: dict[int, list[str]] = {}
    for place in sorted(range(len(asks)), key=lambda one: content_id("fresh", asks[one].key)):
        ask = asks[place]
        names = [*ask.hard, *ask.reserve]
        fresh = [name for name in names if name.casefold() not in used]
        found[place] = _distinct([*fresh, *names], ask)
        used |= {name.casefold() for name in found[place]}
    return [found[place] for place in range(len(asks))]


def prior_told(questions: Sequence[Question]) -> float:
    """Share answered by a guesser who is told of every option how often it is right here: 0.25 if names say nothing."""
    return _guessed(questions, *_counts(questions)) if questions else 0.0


def prior_learned(questions: Sequence[Question]) -> float:
    """The same for a guesser who learns the rates from four fifths of the questions and answers the rest.

    It falls below chance where the options are balanced exactly: what was wrong elsewhere is then right here.
    """
    folds = [int(content_id(*sorted(options), right), 16) % FOLDS for options, right in questions]
    points = 0.0
    for fold in range(FOLDS):
        rest = _counts(one for one, own in zip(questions, folds, strict=True) if own != fold)
        points += _guessed([one for one, own in zip(questions, folds, strict=True) if own == fold], *rest) * folds.count(fold)
    return points / max(1, len(questions))


def _guessed(questions: Sequence[Question], shown: Counter[str], right_times: Counter[str]) -> float:
    """Accuracy of taking the option with the highest rate; ties share the point, unseen names count as chance."""
    points = 0.0
    for options, right in questions:
        rates = {name: (right_times[name] + 0.25) / (shown[name] + 1) for name in options}
        best = [name for name in options if rates[name] == max(rates.values())]
        points += (right in best) / len(best)
    return points / max(1, len(questions))


def _counts(questions: Iterable[Question]) -> tuple[Counter[str], Counter[str]]:
    shown: Counter[str] = Counter()
    right_times: Counter[str] = Counter()
    for options, right in questions:
        shown.update(options)
        right_times[right] += 1
    return shown, right_times


def _of_group(asks: Sequence[Ask]) -> list[list[str]]:
    right_times = Counter(ask.right for ask in asks)
    names = sorted(right_times)
    need = {name: WRONG_OPTIONS * right_times[name] for name in names}
    left = {name: sum(name.casefold() not in ask.barred and name != ask.right for ask in asks) for name in names}
    found: dict[int, list[str]] = {}
    for place in sorted(range(len(asks)), key=lambda one: content_id("options", asks[one].key)):
        ask = asks[place]
        open_names = [name for name in names if name != ask.right and name.casefold() not in ask.barred]
        hard = {name: rank for rank, name in enumerate(ask.hard)}
        ranked = sorted(open_names, key=lambda name: _rank(ask, name, need[name], left[name], right_times[name], hard))
        for name in open_names:
            left[name] -= 1
        found[place] = _distinct([*ranked, *ask.reserve], ask)
        for name in found[place]:
            if name in need:
                need[name] -= 1
    return [found[place] for place in range(len(asks))]


def _rank(ask: Ask, name: str, need: int, left: int, right_times: int, hard: dict[str, int]) -> tuple[int, float, int]:
    """Small is first: what must be shown now, then hard negatives, then what is still owed, then the least overdrawn."""
    turn = zlib.crc32(f"{ask.key}\x1f{name}".encode())
    if need > 0 and need >= FORCED * left:
        return 0, -need / left, turn
    if need > 0 and name in hard:
        return 1, float(hard[name]), turn
    return (2, -need / left, turn) if need > 0 else (3, -need / right_times, turn)


def _distinct(names: Iterable[str], ask: Ask) -> list[str]:
    """The first three names that are neither barred nor the right one nor each other's twin."""
    seen = set(ask.barred) | {ask.right.casefold()}
    kept: list[str] = []
    for name in names:
        if name.casefold() not in seen and len(kept) < WRONG_OPTIONS:
            seen.add(name.casefold())
            kept.append(name)
    return kept
