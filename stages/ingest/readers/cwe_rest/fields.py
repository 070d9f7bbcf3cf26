"""The parts of one REST record as plain data, in the words of `stages.ingest.readers.cwe.fields`."""

from typing import Any

from stages.ingest.readers.cwe_rest.layout import Example, MappingNotes, WeaknessRecord
from stages.ingest.readers.cwe_rest.markup import code, text


def texts(sources: list[str]) -> list[str]:
    """Without empty ones."""
    return [found for source in sources if (found := text(source))]


def fields(record: WeaknessRecord) -> dict[str, Any]:
    """Everything of a weakness but its description and its links."""
    return {
        "abstraction": record.abstraction,
        "structure": record.structure,
        "status": record.status,
        "background": texts(record.background_details),
        "alternate_terms": [present(term=text(one.term), description=text(one.description)) for one in record.alternate_terms],
        "modes_of_introduction": [present(phase=one.phase, note=text(one.note)) for one in record.modes_of_introduction],
        "platforms": sorted({name for one in record.applicable_platforms if (name := one.name or one.class_)}),
        "likelihood": record.likelihood_of_exploit,
        "consequences": [
            present(scopes=texts(one.scope), impacts=texts(one.impact), note=text(one.note)) for one in record.common_consequences
        ],
        "detection_methods": [
            present(method=text(one.method), description=text(one.description), effectiveness=one.effectiveness)
            for one in record.detection_methods
        ],
        "mitigations": [_mitigation(one) for one in record.potential_mitigations],
        "functional_areas": texts(record.functional_areas),
        "affected_resources": texts(record.affected_resources),
        "taxonomies": [
            present(taxonomy=one.taxonomy_name, id=one.entry_id, name=text(one.entry_name)) for one in record.taxonomy_mappings
        ],
        "capec": sorted({f"CAPEC-{number}" for number in record.related_attack_patterns}),
        "examples": [_demonstration(one) for one in record.demonstrative_examples],
        "ordinalities": [one.ordinality for one in record.weakness_ordinalities],
        "notes": [present(type=one.type, note=text(one.note)) for one in record.notes],
        "mapping": mapping(record.mapping_notes),
    }


def mapping(notes: MappingNotes | None) -> dict[str, Any]:
    """Whether vulnerabilities may be mapped to the entry: {usage, rationale, comments, reasons, suggestions}."""
    if notes is None:
        return {}
    said = {"usage": notes.usage, "rationale": text(notes.rationale), "comments": text(notes.comments)}
    suggestions = [{"cwe": f"CWE-{one.cwe_id}", "comment": text(one.comment)} for one in notes.suggestions]
    return said | present(reasons=notes.reasons, suggestions=suggestions)


def present(**values: Any) -> dict[str, Any]:
    """Without what is empty."""
    return {key: value for key, value in values.items() if value}


def _mitigation(one: Any) -> dict[str, Any]:
    return present(
        phases=texts(one.phase), strategy=one.strategy, description=text(one.description), effectiveness=one.effectiveness
    )


def _demonstration(example: Example) -> dict[str, Any]:
    """Introduction, code blocks and explanations of an example; code keeps its line breaks."""
    codes = [
        present(nature=one.nature, language=one.language, code=code(one.example_code))
        for one in example.entries
        if one.example_code
    ]
    intro = "\n".join(texts([one.intro_text for one in example.entries]))
    return present(intro=intro, codes=codes, explanations=texts([one.body_text for one in example.entries]))
