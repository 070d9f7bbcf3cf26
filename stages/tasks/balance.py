"""Which drafts become rows: one per subject where options or verdicts are asked, classes equal, caps by hash."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from stages.tables import content_id
from stages.tasks.draft import Draft

LETTERS = "ABCD"


def draft_order(task: str, seed: int, draft: Draft) -> str:
    """A rank that depends on content only, so that a new record moves no other."""
    return content_id(str(seed), task, draft.subject, *draft.key, draft.letter, str(draft.verdict), draft.answer)


def choose(task: str, drafts: Sequence[Draft], cap: int, seed: int) -> list[Draft]:
    """At most `cap` drafts in hash order; verdicts and fixed letters equally often, choices once per subject."""
    ordered = sorted(drafts, key=lambda draft: draft_order(task, seed, draft))
    if any(draft.verdict is not None or draft.letter for draft in ordered):
        return _equal_classes(task, ordered, cap, seed)
    if any(draft.options for draft in ordered):
        ordered = list({draft.subject: draft for draft in reversed(ordered)}.values())[::-1]
    return ordered[:cap]


def letters_for(task: str, drafts: Sequence[Draft], seed: int) -> list[str]:
    """A letter per draft: by hash, each letter at most its share of the task, so that a new record moves few others."""
    open_drafts = [draft for draft in drafts if draft.options and not draft.letter]
    counts: Counter[str] = Counter()
    letters = []
    for draft in drafts:
        letter = draft.letter
        if draft.options and not letter:
            first = int(content_id("letter", draft_order(task, seed, draft)), 16)
            turn = [LETTERS[(first + step) % len(draft.options)] for step in range(len(draft.options))]
            letter = next(one for one in turn if counts[one] < -(-len(open_drafts) // len(draft.options)))
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
    """One draft per subject, of a class chosen by hash; then every class cut to the smallest."""
    by_subject: dict[str, dict[str, Draft]] = defaultdict(dict)
    for draft in ordered:
        by_subject[draft.subject].setdefault(_class_of(draft), draft)
    classes = sorted({_class_of(draft) for draft in ordered})
    chosen: dict[str, list[Draft]] = {name: [] for name in classes}
    for subject in sorted(by_subject, key=lambda one: content_id(str(seed), task, one)):
        name = min(by_subject[subject], key=lambda one: content_id(task, subject, one))
        chosen[name].append(by_subject[subject][name])
    share = min([cap // len(classes), *map(len, chosen.values())])
    return sorted((draft for name in classes for draft in chosen[name][:share]), key=lambda one: draft_order(task, seed, one))


def _class_of(draft: Draft) -> str:
    return draft.letter or ("yes" if draft.verdict else "no")
