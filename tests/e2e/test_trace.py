"""Provenance of a real build on the toy corpus: from kept rows back to the source records."""

import json
import random
import subprocess
import sys

from tests.e2e.toy_repository import ToyRepository
from tests.validate.recount import records, recounted


def test_ten_random_kept_rows_lead_to_their_sources(built: ToyRepository) -> None:
    fetched = [facts(one, one["id"]) for one in records(built.root / "data/ingest/entities.parquet")]
    enriched = {one["id"]: one for one in records(built.root / "data/enrich/rows.parquet")}
    kept = [one["id"] for one in records(built.root / "data/validate/train.parquet")]
    rewritten = [one for one in kept if one in enriched and enriched[one]["decision"] == "rewritten"]
    for row_id in random.Random(6).sample(kept, 8) + rewritten[:2]:
        chain = traced(built, row_id)
        assert chain["broken"] == [] and chain["row"]["set"] == "train" and chain["sources"] and chain["licence"]["agrees"]
        for one in chain["sources"]:
            assert one["records"] and {facts(each, one["entity"]) for each in one["records"]} <= set(fetched)
            assert set(one["licence"].split(" AND ")) <= {each["licence"] for each in one["records"]}
        wanted = enriched[row_id]["request_hashes"] if row_id in enriched else []
        assert set(wanted) <= {one["hash"] for one in chain["requests"] if one["model"] and one["prompt"]}


def facts(one: dict, entity_id: str) -> tuple[str, ...]:
    return entity_id, one["source"], one["version"], one["uri"], one["licence"]


def traced(built: ToyRepository, row_id: str) -> dict:
    command = [sys.executable, "-m", "stages.validate", "trace", row_id, "--json"]
    done = subprocess.run(command, cwd=built.root, env=built.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return json.loads(done.stdout)


def test_the_licence_summary_equals_a_recount(built: ToyRepository) -> None:
    assert built.json("metrics/validate.json")["licence_classes"] == recounted(built.root)
