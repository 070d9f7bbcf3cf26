"""New pairs over one document: each iteration writes, checks by code, lets the judge decide, and builds on what was kept."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from stages.enrich.schema import EnrichedRow
from stages.ingest.schema import Entity
from stages.llm.asking import Chat, Shape, ask
from stages.llm.client import CallFailed, Request
from stages.llm.prompts import fill, load_prompt
from stages.synthesize.evaluator import judge
from stages.synthesize.pairs import Pair, checked, objections, parse_pair
from stages.synthesize.params import SynthesizeParams
from stages.synthesize.router import Method, method_of
from stages.tables import Reject, content_id
from stages.tasks.schema import InstructionRow
from stages.taxonomy import Category, labels_of

PROMPTS = Path(__file__).parent / "prompts"
TASKS: dict[Method, str] = {"evolve": "synthesis-evolved", "self-instruct": "synthesis-new"}


class Document(msgspec.Struct, frozen=True):
    """A prose text and the first-step pairs about it."""

    entity: Entity
    text: str
    seeds: list[Pair]


class Outcome(msgspec.Struct):
    """Rows kept over one document, and the pairs that were not."""

    rows: list[EnrichedRow]
    rejects: list[Reject]


def choose_documents(
    entities: Iterable[Entity], splits: Mapping[str, str], rows: Iterable[InstructionRow], params: SynthesizeParams
) -> list[Document]:
    """`params.documents` training documents, the entity types in turn, both orders by content hash."""
    seeds: dict[str, list[InstructionRow]] = defaultdict(list)
    for row in rows:
        if row.split == "train":
            seeds[row.subject].append(row)
    queues: dict[str, list[Entity]] = defaultdict(list)
    for entity in sorted(entities, key=lambda one: content_id("document", one.id)):
        if entity.type in params.types and _usable(entity, params.least_words) and splits.get(entity.id, "train") == "train":
            queues[entity.type].append(entity)
    longest = max(map(len, queues.values()), default=0)
    dealt = [queue[turn] for turn in range(longest) for _, queue in sorted(queues.items()) if turn < len(queue)]
    return [_document(entity, seeds[entity.id], params) for entity in dealt[: params.documents]]


def _usable(entity: Entity, least: int) -> bool:
    return not entity.deprecated and not entity.fields.get("text_cut") and len(entity.text.split()) >= least


def _document(entity: Entity, rows: list[InstructionRow], params: SynthesizeParams) -> Document:
    ordered = sorted(rows, key=lambda row: content_id("seed", row.id))[: params.examples]
    text = f"{entity.name}\n{' '.join(entity.text.split()[: params.document_words])}"
    return Document(entity, text, [Pair(row.instruction, row.answer) for row in ordered])


async def synthesize(
    document: Document, client: Chat, params: SynthesizeParams, taxonomy: Iterable[Category], evaluator_passed: bool
) -> Outcome:
    """What `params.iterations` tries over one document bring."""
    outcome, pairs = Outcome([], []), list(document.seeds)
    for iteration in range(params.iterations):
        method = method_of(document.entity.id, iteration, params.self_instruct, bool(pairs))
        place = f"{document.entity.id} iteration {iteration}"
        existing = [pair.question for pair in pairs]
        try:
            written = await ask(client, _request(method, document, pairs, params), parse_pair, Shape(Pair, checked))
            pair = written.value
            reasons, keys = await _reasons(client, document, existing, pair, params, evaluator_passed)
        except CallFailed as failure:
            outcome.rejects.append(Reject("synthesize", place, f"call-failed:{failure.reason}", failure.detail))
            continue
        if pair is None or reasons:
            detail = pair.question if pair else written.reply.text
            outcome.rejects += [Reject("synthesize", place, reason, detail) for reason in reasons]
            continue
        pairs.append(pair)
        outcome.rows.append(_row(document, method, pair, [*written.keys, *keys], taxonomy))
    return outcome


async def _reasons(
    client: Chat, document: Document, existing: list[str], pair: Pair | None, params: SynthesizeParams, passed: bool
) -> tuple[list[str], list[str]]:
    """Why the pair is not kept, and the keys of the calls that decided it. The judge is asked last."""
    if pair is None:
        return ["no-pair"], []
    reasons = objections(pair, document.text, existing, params.similar)
    if reasons:
        return reasons, []
    said = await judge(client, document.text, existing, pair, params.verdict_tokens)
    return (said.missed if passed else [*said.missed, "evaluator-uncalibrated"]), said.keys


def _request(method: Method, document: Document, pairs: list[Pair], params: SynthesizeParams) -> Request:
    newest = pairs[::-1]
    if method == "evolve":
        values = {"document": document.text, "question": newest[0].question, "answer": newest[0].answer}
        prompt = load_prompt(PROMPTS / "evolve.txt")
    else:
        shown = [f"{pair.question}\n{pair.answer}" for pair in newest[: params.examples]]
        values = {"document": document.text, "examples": "\n---\n".join(shown) or "(none)"}
        prompt = load_prompt(PROMPTS / "self_instruct.txt")
    messages, limit = fill(prompt, **values), params.max_tokens or None
    return Request(purpose=f"synthesize.{method}", messages=messages, max_tokens=limit, repair=prompt.repair)


def _row(document: Document, method: Method, pair: Pair, keys: list[str], taxonomy: Iterable[Category]) -> EnrichedRow:
    entity, task = document.entity, TASKS[method]
    return EnrichedRow(
        id=content_id(task, pair.question, pair.answer),
        task=task,
        family="synthesis",
        instruction=pair.question,
        answer=pair.answer,
        template_answer=pair.answer,
        rewrite="",
        key_kind="none",
        answer_key=[],
        subject=entity.id,
        entity_ids=[entity.id],
        split="train",
        labels=labels_of([], entity.type, str(entity.fields.get("domain") or ""), taxonomy),
        sources=[entity.source],
        licences=[entity.licence],
        decision="synthesized",
        reasons=[],
        readability="",
        factuality=None,
        format_sha256="",
        steps_followed=0,
        evidence_ids=[],
        request_hashes=keys,
    )


def distinct(outcomes: Iterable[Outcome]) -> list[EnrichedRow]:
    """All rows, one of each id, sorted by id."""
    return sorted({row.id: row for outcome in outcomes for row in outcome.rows}.values(), key=lambda row: row.id)
