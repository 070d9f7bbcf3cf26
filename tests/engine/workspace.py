"""A workspace in which ground and enrich run against the fake teacher, under either engine."""

from pathlib import Path

from stages.tables import write_table
from stages.tasks.schema import InstructionRow
from tests.enrich.test_run import make_inputs
from tests.toy_rows import toy_corpus

PARAMS = """
llm:
  teacher: {{provider: openai, model: fake, temperature: 0.2, repetition_penalty: 1.0, max_tokens: 400}}
  judge: {{provider: openai, model: fake-judge, temperature: 0.0, repetition_penalty: 1.0, max_tokens: 64}}
ground: {{rows: 0}}
runtime:
  engine: {engine}
  workers: 2
  concurrency: {concurrency}
  endpoints:
    teacher: [{{base_url: "{url}", api_key_env: "{key}", max_concurrency: {concurrency}}}]
    judge: [{{base_url: "{url}", api_key_env: "{key}", max_concurrency: {concurrency}}}]
{more}"""


def make_workspace(
    root: Path, url: str, *, rows: int, engine: str = "local", concurrency: int = 16, key: str = "", more: str = ""
) -> Path:
    """Inputs of `rows` rows and params. `key` names the variable of the server's key; `more` is added to section runtime."""
    root.mkdir(parents=True, exist_ok=True)
    make_inputs(root)
    write_table(root / "data/tasks/rows.parquet", toy_corpus(rows), InstructionRow)
    said = PARAMS.format(engine=engine, concurrency=concurrency, url=url, key=key, more=more)
    (root / "params.yaml").write_text(said)
    return root
