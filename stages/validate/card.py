"""The data card: Hugging Face data set card format, written from the same figures as the metrics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.enrich.schema import EnrichedRow
from stages.validate.composition import Facts, Property, counted, properties
from stages.validate.core import Built
from stages.validate.lengths import Lengths, quantiles
from stages.validate.params import ValidateParams

CARD = Path("data/validate/data_card.md")
_ABOUT = (
    "# Data card\n\nInstruction data for cybersecurity, made from public knowledge. Each row is an instruction and one answer.\n\n"
    "## Fields\n\n| field | what it holds |\n| --- | --- |\n"
    "| id | leads back to the sources: `python -m stages.validate trace ID` in the build |\n"
    "| instruction, answer | the question and the one answer; in an export `messages`, or `prompt` and `completion` |\n"
    "| task, family | the task type and its group |\n"
    "| key_kind, answer_key | how a final answer is checked, and its values; kind `none` has no key |\n"
    "| decision | `rewritten` and `synthesized` texts are by a language model, all others by templates |\n"
    "| licences | of all parts of the row; an export names the strictest class in `licence_class` |\n\n"
    "## Uses and limits\n\nMade to train and study assistants of defenders. English only. No person has read every row: templates "
    "repeat their phrasings, a source's mistakes are the row's, and what sources say is of the day on which they were pinned. "
    "Attacks are described, not prescribed (Safety, below). Licences differ by row (By licence, below)."
)
_MOST = 40  # lines of one composition table; the rest is one line


def data_card(built: Built, metrics: Mapping[str, Any], params: ValidateParams, facts: Facts) -> str:
    """The whole card as Markdown."""
    rows = metrics["rows"]
    sections = [
        _front_matter(rows["train"] + rows["dev"]),
        _ABOUT,
        _table(
            "Rows",
            ("set", "rows"),
            [
                ("in", rows["in"]),
                ("train", rows["train"]),
                ("dev", rows["dev"]),
                ("kept apart", rows["apart"]),
                ("dropped", rows["dropped"]),
            ],
        ),
        *_apart(metrics["licence_splits"]),
        *_composition(built.rows, facts),
        _lengths(facts.lengths),
        _table("Drops by reason", ("reason", "rows"), list(built.drops.items())),
        _decontamination(built, params, metrics["contamination"].get("embedding", "not checked")),
        *_hashed(built),
        _duplicates(built, params, metrics["duplicates"]),
        _safety(metrics["safety"]),
        _checks(metrics["suites"]),
        "## Rebuild\n\n`make repro`, or `dvc repro validate`, makes this set again from the pinned sources; the same sources, params and "
        "model responses give the same bytes. `data/validate/manifest.json` holds the resolved params and the hash of every file, "
        "`dvc.lock` those of all inputs.",
    ]
    return "\n\n".join(sections) + "\n"


def size_category(rows: int) -> str:
    """The hub's name for a number of rows."""
    steps = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for limit, name in steps if rows < limit), "1M<n<10M")


def _front_matter(count: int) -> str:
    return (
        "---\npretty_name: SecForge instruction data\nlanguage: [en]\nlicense: other\nlicense_name: per-row\nlicense_link: NOTICE\ntask_categories: [text-generation, question-answering]\n"
        f"tags: [cybersecurity, instruction-tuning]\nmultilinguality: [monolingual]\nsource_datasets: [original]\nsize_categories: [{size_category(count)}]\n---"
    )


def _composition(rows: Sequence[EnrichedRow], facts: Facts) -> list[str]:
    """One table per property; rows with several sources or licences count in each."""
    return [_by_split(name, rows, values) for name, values in properties(facts).items()]


def _by_split(name: str, rows: Sequence[EnrichedRow], values: Property) -> str:
    counts = {split: Counter(value for row in rows if row.split == split for value in values(row)) for split in ("train", "dev")}
    ordered, applies = list(counted(name, rows, values).items()), sum(bool(list(values(row))) for row in rows)
    lines = [(one, counts["train"][one], counts["dev"][one], f"{count / applies:.1%}") for one, count in ordered[:_MOST]]
    if rest := [one for one, _ in ordered[_MOST:]]:
        lines.append((f"{len(rest)} more", *(sum(counts[split][one] for one in rest) for split in ("train", "dev")), ""))
    return _table(f"By {name}", (name, "train", "dev", "share"), lines)


def _lengths(lengths: Lengths) -> str:
    """In the unit and of the rows that were measured, both of which the text names."""
    texts = {"instruction": [one for one, _ in lengths.of.values()], "answer": [one for _, one in lengths.of.values()]}
    texts["both"] = [sum(one) for one in lengths.of.values()]
    names = ("mean", "median", "p90", "p99", "longest")
    lines = [
        (name, *(figures[one] for one in names)) for name, figures in ((name, quantiles(all)) for name, all in texts.items())
    ]
    return (
        f"{_table('Length', ('text', 'mean', 'median', '90 %', '99 %', 'longest'), lines)}\n\n"
        f"In {lengths.unit}, of {len(lengths.of):,} rows, without the turns of a chat template."
    )


def _apart(splits: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Licence classes that are kept apart; no section if there are none."""
    if not splits:
        return []
    table = _table("Kept apart by licence", ("class", "train", "dev"), [(kind, *one.values()) for kind, one in splits.items()])
    return [
        f"{table}\n\nThese rows are in no other table of this card and in neither set: no stage trains on them. They passed the same "
        "filters. `data/validate/by_licence.parquet` holds them; an export has a configuration and a NOTICE for each class."
    ]


_READ = "of 50 rows of the default build that it drops, 2 said the same as their item, 8 nearly the same, 40 were merely about the same thing"


def _decontamination(built: Built, params: ValidateParams, embedding: str) -> str:
    """A benchmark that was not checked is named so, and never shown with zeros."""
    if not built.benchmarks:
        return "## Decontamination\n\n**Not checked**: there were no benchmark items. This says nothing about whether the set is clean."
    lines = [
        (name, one.items, one.items_touched, one.items_unsearchable, one.rows_dropped, ", ".join(f"{rule} {count:,}" for rule, count in one.by_rule.items()) or "none")
        for name, one in built.benchmarks.items()
    ]  # fmt: skip
    config = params.decontamination
    before = ", ".join(f"{rule} {count:,}" for rule, count in built.overlap_before.items())
    after = ", ".join(f"{rule} {count:,}" for rule, count in built.overlap_after.items())
    table = _table(
        "Decontamination", ("benchmark", "items", "items touched", "items not searchable", "rows dropped", "rows by rule"), lines
    )
    return (
        f"{table}\n\nA row is dropped if its instruction, answer or evidence names an item's CVE or rule id, or shares {config.ngram} words in a row "
        f"with its question ({config.short_ngram} for questions under {config.short_words} words), checked on the words, or "
        f"holds at least {config.near_share:.0%} of an item's own words in runs of {config.near_shingle}, "
        f"or if a line or the rest of a text is an item's beginning, {config.whole_words} words and {config.near_share:.0%} of it or more, and nothing else. Paraphrases by sentence vectors: {embedding}. "
        f"That rule is cautious: {_READ}. Word runs that stand in "
        f"{config.boilerplate_documents} or more subject documents, or items, are common language and do not count. Rows with any shared run: {before}; "
        f"without common language: {after}; {built.boilerplate_grams:,} runs were common. An ATT&CK or CWE id alone is no leak, "
        "nor is one together with a question about it: only the question's own words tell. "
        "Benchmarks that are not listed were not checked."
    )


def _hashed(built: Built) -> list[str]:
    if not built.hashed_benchmarks:
        return []
    lines = [
        (name, one.items, one.items_unsearchable, one.rows_dropped, ", ".join(f"{rule} {count:,}" for rule, count in one.by_rule.items()) or "none")
        for name, one in built.hashed_benchmarks.items()
    ]  # fmt: skip
    table = _table("Public benchmarks", ("benchmark", "items", "items not searchable", "rows dropped", "rows by rule"), lines)
    return [
        f"{table}\n\nNone of these is part of the build: hashes of their word runs come with the project (stages/validate/benchmark_hashes.py "
        "says what they find for sure). CVEs that CTI-Bench asks about are not read at all (metrics/ingest.json, `benchmark_cves`)."
    ]


def _duplicates(built: Built, params: ValidateParams, metrics: Mapping[str, Any]) -> str:
    pairs = [(kind, *found.values()) if isinstance(found, Mapping) else (kind, found) for kind, found in metrics["pairs"].items()]
    lines = "; ".join(
        f"{kind} {' / '.join(f'{one:,}' if isinstance(one, int) else one for one in found)}" for kind, *found in pairs
    )
    return (
        "## Duplicates\n\nAmong rows with the same key: equal words; Jaccard similarity of "
        f"{params.duplicates.shingle}-word shingles of at least {params.duplicates.threshold}; or questions and answers that name the same things "
        f"and whose vectors have a cosine of at least {params.duplicates.semantic}. A row of dev stays before one of train, then a "
        f"rewritten answer before a template, then the smallest id. Pairs within train / within dev / across: {lines or 'none'}. "
        f"Clusters: {built.duplicate_clusters:,}, listed in `data/validate/clusters.parquet`; rows in the largest: {built.largest_cluster:,}; "
        f"pairs with the same question and different keys: {len(built.conflicts):,}."
    )


def _safety(metrics: Mapping[str, Any]) -> str:
    lines = [
        (kind, one["rows"], one["action"], ", ".join(f"{rule} {count:,}" for rule, count in one["by_rule"].items()) or "none")
        for kind, one in metrics.items()
    ]
    return (
        f"{_table('Safety', ('kind', 'rows', 'action', 'rows by rule'), lines)}\n\n`reject` drops the row, `neutralise` changes the "
        "place, `stop` ends the build. Addresses of a function at an organisation, links to documentation and version numbers stay; descriptions of attacks "
        "are no orders to a model and no attacks ready for use. `data/validate/safety.parquet` lists every finding, credentials and personal data by fingerprint."
    )


def _checks(suites: Mapping[str, Any]) -> str:
    lines = [
        (name, one["rows"], one["expectations"], one["failed_critical"], one["failed_warning"]) for name, one in suites.items()
    ]
    return _table("Checks", ("table", "rows", "expectations", "critical failed", "warnings"), lines)


def _table(title: str, head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    shown = [[f"{cell:,}" if isinstance(cell, int | float) else str(cell).replace("|", "\\|") for cell in line] for line in lines]
    rule = ["---" if index == 0 else "---:" for index in range(len(head))]
    return f"## {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *shown])
