"""In kept rows every answer key is the template's and no identifier is invented: counted over a run with a teacher that does its worst.

The counter below reads characters and words for itself; it shares no pattern with the checks that it counts after.
"""

import unicodedata
from collections import Counter

import pytest

from stages.enrich.run import run_enrich
from stages.enrich.schema import EnrichedRow
from stages.ground.run import run_ground
from stages.ingest.schema import Entity
from stages.stage import Stage
from stages.tables import read_table, write_table
from stages.tasks.schema import InstructionRow
from tests.fake_openai import FakeOpenAI
from tests.many_rows import word, write_formats, write_many, write_params
from tests.toy_rows import make_entity, make_format, make_row
from tests.unruly_teacher import INVENTED, SPOILT_KEYS, Unruly

ROWS = 700
KEYS = {  # kind of key, and the key
    "cwe": "CWE-79", "yes-no": "Yes", "letter": "A", "technique": "T1059", "id": "AC-2", "none": "",
    "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
}  # fmt: skip
GRAPH = ["cwe:CWE-79", "cwe:CWE-89", "attack:T1059", "attack:T1068", "nist:AC-2", "nist:AC-3", "cve:CVE-2020-0001"]


def row_of(number: int) -> InstructionRow:
    """Four sentences with words of their own and a key of the kind whose turn it is."""
    kind, key = list(KEYS.items())[number % len(KEYS)]
    one, two = word("own", number), word("part", number)
    told = (
        f"The {one} service of this product takes what comes and hands it to the {two} handler. "
        f"The {two} handler trusts every byte of it. Nothing confines the input before it is used. "
        f"So whoever reaches the {one} service decides what the handler does next."
    )
    asked = f"What follows for the {one} service and its {two} handler, asked as question of kind {kind}?"
    return make_row(asked, f"{told}\nFinal answer: {key}" if key else told, task=f"kind-{kind}", key_kind=kind, answer_key=[key] if key else [])  # fmt: skip


def stated(answer: str) -> list[str]:
    """What every line says that begins with `Final answer`."""
    lines = ["".join(one for one in line if one not in "*_`").strip() for line in answer.splitlines()]
    return [line.partition(":")[2].strip().rstrip(".") for line in lines if line.casefold().startswith("final answer")]


def identifiers(text: str) -> set[str]:
    """Everything that a reader would take for an identifier of a catalogue, in whatever spelling."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf").upper()
    plain = "".join(one if one.isalnum() or one == "." else " " for one in seen)
    words = [one.strip(".") for one in plain.replace(". ", " ").split()]
    found = set()
    for place, one in enumerate(words):
        following = [*words[place + 1 : place + 4], "", "", ""]
        if following[0] in ("ID", "NUMBER", "NO"):
            following = following[1:]
        if one in ("CWE", "CAPEC") and following[0].isdigit():
            found.add(f"{one}-{following[0]}")
        for catalogue in ("CWE", "CAPEC"):
            if one.startswith(catalogue) and one[len(catalogue) :].isdigit():
                found.add(f"{catalogue}-{one[len(catalogue) :]}")
        if one == "CVE" and following[0].isdigit() and following[1].isdigit():
            found.add(f"CVE-{following[0]}-{following[1]}")
        if one == "D3" and following[0].isalpha():
            found.add(f"D3-{following[0]}")
        if one in ("AC", "SI") and following[0].isdigit():
            found.add(f"{one}-{following[0]}" + (f"({following[1]})" if following[1].isdigit() else ""))
        head, _, tail = one.removeprefix("AML.").partition(".")
        letters = head.rstrip("0123456789")
        if letters in ("T", "TA", "G", "S", "M", "A", "AN") and len(head) - len(letters) == 4:
            below = tail or (following[0] if following[0].isdigit() and len(following[0]) == 3 else "")
            found.add(f"{head}.{below}" if below else head)
    return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[EnrichedRow], Counter[str]]:
    """The finished table, and what the teacher did."""
    root, teacher = tmp_path_factory.mktemp("unruly"), Unruly()
    write_many(root, 10)
    write_table(root / "data/tasks/rows.parquet", [row_of(number) for number in range(ROWS)], InstructionRow)
    write_formats(root, [make_format(f"kind-{kind}", search=False, answer_line="Final answer: {key}" if key else "") for kind, key in KEYS.items()])  # fmt: skip
    write_table(root / "data/graph/entities.parquet", map(make_entity, GRAPH), Entity)
    with pytest.MonkeyPatch.context() as patch, FakeOpenAI(behaviour=teacher) as server:
        write_params(root, server.base_url, 32)
        patch.chdir(root)
        run_ground(Stage("ground"))
        run_enrich(Stage("enrich"))
    return read_table(root / "data/enrich/rows.parquet", EnrichedRow), teacher.done


def test_the_teacher_did_everything_and_something_was_kept(ran: tuple[list[EnrichedRow], Counter[str]]) -> None:
    rows, done = ran
    kept = [row for row in rows if row.decision == "rewritten"]
    assert {*INVENTED, *SPOILT_KEYS} <= set(done), sorted({*INVENTED, *SPOILT_KEYS} - set(done))
    assert len(kept) > 0.3 * len(rows) and {row.key_kind for row in kept} == set(KEYS)
    reasons = Counter(reason for row in rows for reason in row.reasons)
    print(f"{len(rows)} rows, {len(kept)} kept, refused for: {dict(reasons.most_common())}")
    assert {"key-changed", "unknown-id"} <= set(reasons)


def test_the_counter_sees_every_spelling() -> None:
    for name, written in INVENTED.items():
        assert identifiers(f"A flaw like {written} was seen before."), name
    assert identifiers("In 2024 the T in TCP and G4 or 10.0.0.1 meant 3 things; CWE is a list.") == set()


def test_every_kept_row_has_the_key_of_its_template_and_states_no_other(ran: tuple[list[EnrichedRow], Counter[str]]) -> None:
    keyed = [row for row in ran[0] if row.decision == "rewritten" and row.answer_key]
    wrong = [(row.key_kind, row.answer[-120:]) for row in keyed if stated(row.answer) != row.answer_key or not row.answer.rstrip().endswith(row.answer_key[0])]  # fmt: skip
    assert not wrong, f"{len(wrong)} of {len(keyed)}: {wrong[:12]}"


def test_no_kept_row_names_an_identifier_that_its_sources_do_not(ran: tuple[list[EnrichedRow], Counter[str]]) -> None:
    kept = [row for row in ran[0] if row.decision == "rewritten"]
    known = {identifier.partition(":")[2].upper() for identifier in GRAPH}
    invented = Counter(name for row in kept for name in identifiers(row.answer) - identifiers(f"{row.instruction} {row.template_answer}") if name not in known)  # fmt: skip
    examples = [line for row in kept for line in row.answer.splitlines() if identifiers(line) & set(invented)]
    assert not invented, f"{invented} in {len(kept)} kept rows, e.g. {examples[:12]}"


def test_what_was_not_kept_is_as_it_was(ran: tuple[list[EnrichedRow], Counter[str]]) -> None:
    for row in ran[0]:
        assert row.decision == "rewritten" or (row.answer == row.template_answer and row.reasons)


def test_every_row_comes_out_once(ran: tuple[list[EnrichedRow], Counter[str]]) -> None:
    assert len({row.id for row in ran[0]}) == len(ran[0]) == ROWS
