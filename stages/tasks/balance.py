"""Which drafts become rows: one per subject where options or verdicts are asked, classes equal, caps by hash."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec import structs

from stages.options import WRONG_OPTIONS, balanced, wrong_options
from stages.tables import content_id
from stages.tasks.draft import Draft

LETTERS = "ABCD"
CREDIT = 3  # how often an option may be wrong before it is right for the first time


def draft_order(task: str, seed: int, draft: Draft) -> str:
    """A rank that depends on content only, so that a new record moves no other."""
    return content_id(str(seed), task, draft.subject, *draft.key, draft.letter, str(draft.verdict), draft.answer)


def choose(task: str, drafts: Sequence[Draft], cap: int, seed: int) -> list[Draft]:
    """At most `cap` drafts in hash order, options complete; verdicts and fixed letters equally often, choices once a subject."""
    ordered = sorted(drafts, key=lambda draft: draft_order(task, seed, draft))
    if any(draft.verdict is not None or draft.letter for draft in ordered):
        return _equal_classes(task, ordered, cap, seed)
    if any(draft.ask for draft in ordered):
        first = list({draft.subject: draft for draft in reversed(ordered)}.values())[::-1]
        return _with_wrong_options(first, cap)
    if any(draft.options for draft in ordered):
        return within_quota(ordered, cap)
    return ordered[:cap]


def within_quota(ordered: Sequence[Draft], cap: int) -> list[Draft]:
    """One draft per subject, of its alternatives the one whose right option is most overdue to be right.

    A draft stays out while one of its wrong options is shown wrong three times as often as right already.
    """
    by_subject: dict[str, list[Draft]] = defaultdict(list)
    for draft in ordered:
        by_subject[draft.subject].append(draft)
    owed: Counter[str] = Counter()  # three for each time right, less one for each time wrong
    chosen: dict[str, Draft] = {}
    before = -1
    while before < len(chosen) < cap:
        before = len(chosen)
        for subject, alternatives in by_subject.items():
            fitting = [one for one in alternatives if all(owed[name] > -CREDIT for name in one.options[1:])]
            if subject not in chosen and fitting and len(chosen) < cap:
                draft = chosen[subject] = min(fitting, key=lambda one: owed[one.options[0]])
                owed[draft.options[0]] += len(draft.options) - 1
                owed.subtract(draft.options[1:])
    return [chosen[subject] for subject in by_subject if subject in chosen]


def _with_wrong_options(drafts: Sequence[Draft], cap: int) -> list[Draft]:
    """Drafts of named options: those whose answers are not too frequent, with wrong options out of the others' right ones."""
    asks = [draft.ask for draft in drafts if draft.ask]
    chosen = [drafts[place] for place in balanced(asks)][:cap]
    ids = {name: one for draft in chosen for name, one in sorted(draft.ids.items())}
    complete = []
    for draft, wrong in zip(chosen, wrong_options([draft.ask for draft in chosen if draft.ask]), strict=True):
        if len(wrong) == WRONG_OPTIONS:
            used = [*draft.entities, *(ids[name] for name in wrong if ids.get(name))]
            complete.append(structs.replace(draft, options=[*draft.options, *wrong], entities=used))
    return complete


def letters_for(task: str, drafts: Sequence[Draft], seed: int) -> list[str]:
    """A letter per draft: by hash, each letter at most its share of the task, so that a new record moves few others."""
    open_drafts = sum(bool(draft.options and not draft.letter) for draft in drafts)
    counts: Counter[str] = Counter()
    letters = []
    for draft in drafts:
        letter = draft.letter
        if draft.options and not letter:
            first = int(content_id("letter", draft_order(task, seed, draft)), 16)
            turn = [LETTERS[(first + step) % len(draft.options)] for step in range(len(draft.options))]
            share, more = divmod(open_drafts, len(draft.options))
            full = sum(times > share for times in counts.values()) >= more
            letter = next(one for one in turn if counts[one] < share + (not full))
            counts[letter] += 1
        letters.append(letter)
    return letters


def place_options(draft: Draft, letter: str) -> list[str]:
    """The options in shown order with the right one at `letter`; wrong options stand in hash order."""
    if draft.letter:
        return draft.options
    right, *wrong = draft.options
    shown = sorted(wrong, key=lambda option: content_id(draft.subject, right, option))
    shown.insert(LETTERS.index(letter), right)
    return shown


def _equal_classes(task: str, ordered: Sequence[Draft], cap: int, seed: int) -> list[Draft]:
    """One draft per subject, of the class that has fewest so far; then every class cut to the smallest, or to none."""
    by_subject: dict[str, dict[str, Draft]] = defaultdict(dict)
    for draft in ordered:
        by_subject[draft.subject].setdefault(_class_of(draft), draft)
    fixed = max(ordered, key=lambda draft: len(draft.options)).options
    classes = list(LETTERS[: len(fixed)]) if fixed else ["no", "yes"]
    chosen: dict[str, list[Draft]] = {name: [] for name in classes}
    for subject in sorted(by_subject, key=lambda one: content_id(str(seed), task, one)):
        name = min(by_subject[subject], key=lambda one: (len(chosen[one]), content_id(task, subject, one)))
        chosen[name].append(by_subject[subject][name])
    share = min([cap // len(classes), *map(len, chosen.values())])
    return sorted((draft for name in classes for draft in chosen[name][:share]), key=lambda one: draft_order(task, seed, one))


def _class_of(draft: Draft) -> str:
    return draft.letter or ("yes" if draft.verdict else "no")
