"""Promote a registered version: every gate of `register.gates` must pass, the table says which did not.

`previous` then names the champion that was; metrics/promotions.jsonl, which belongs into git, gets a line.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from stages.config import load_section
from stages.errors import InputError, ParamsError
from stages.register.aliases import CHAMPION, move_champion
from stages.register.evidence import Evidence, read_evidence
from stages.register.gates import Result, Verdict, judge, table
from stages.register.history import append, mark, now
from stages.register.params import Gates, RegisterParams
from stages.register.store import Store, open_store
from stages.register.tracking import read_version, resolve, version_of
from stages.register.workspace import committed_params


def main(arguments: Sequence[str]) -> str:
    """Entry of the command: the text to print. Raises InputError, with the table, if a gate refuses."""
    parser = argparse.ArgumentParser(prog="python -m stages.register promote", description=__doc__)
    parser.add_argument("--to", choices=[CHAMPION], default=CHAMPION, help="the alias to give (default: %(default)s)")
    parser.add_argument("--version", help="number of the version (default: the one with the alias `register.alias`)")
    parser.add_argument("--force", metavar="REASON", help="promote although gates refuse; the reason is recorded")
    options = parser.parse_args(arguments)
    return promote(Path.cwd(), options.version, options.force)


def promote(root: Path, number: str | None = None, force: str | None = None) -> str:
    """Judge and promote version `number`, or the candidate; the table and what was done, as text."""
    if force is not None and not force.strip():
        raise InputError("--force without a reason.", allowed='--force "why the refused gates do not matter"')
    store = open_store(root)
    client, params = store.client, store.params
    chosen = read_version(client, params.model, number) if number else resolve(client, params.model, params.alias)
    champion = version_of(client, params.model, CHAMPION)
    if champion and champion["version"] == chosen["version"]:
        return f"[register] version {chosen['version']} is the champion already; nothing changed."
    candidate = read_evidence(client, chosen)
    reference = read_evidence(client, champion) if champion else None
    verdicts = [*judge(candidate, reference, params.gates), _gates_of_head(store)]
    shown = table(verdicts)
    refused = [one for one in verdicts if one.blocks]
    if refused and force is None:
        raise InputError(
            f"{candidate.name} is not promoted, {len(refused)} of {len(verdicts)} gates refuse:\n{shown}",
            remedy='Mend what failed and register again, or `--force "reason"`, which is recorded.',
        )
    _promote(store, candidate, reference, verdicts, (force or "") if refused else "")
    return f"{shown}\n[register] {candidate.name} is `{CHAMPION}`{_of(refused, reference)}; commit {store.log.relative_to(root)}"


def _promote(store: Store, candidate: Evidence, champion: Evidence | None, verdicts: Sequence[Verdict], forced: str) -> None:
    """Move the aliases, then tag both versions and write the log."""
    old = champion.version if champion else None
    move_champion(store.client, store.params.model, old and old["version"], candidate.version["version"])
    time = now()
    mark(store, candidate.version, "champion", time, forced)
    if old:
        mark(store, old, "previous", time)
    append(store, "promote", candidate.version, old, time, forced, verdicts)


def _gates_of_head(store: Store) -> Verdict:
    """The gates are those that git holds: nobody is promoted by a limit that was widened for the moment."""
    text = committed_params(store.root)
    same = text is not None and _gates(text) == store.params.gates
    value = "the same" if same else "no commit holds params.yaml" if text is None else "others than in the commit HEAD"
    result: Result = "passed" if same else "not measured" if text is None else "failed"
    return Verdict(gate="gates committed", value=value, limit="`register.gates` of params.yaml as in HEAD", result=result)


def _gates(text: str) -> Gates | None:
    """The gates of a params.yaml; None for one that today's code does not read."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "params.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            return load_section("register", RegisterParams, file).gates
        except ParamsError:
            return None


def _of(refused: Sequence[Verdict], champion: Evidence | None) -> str:
    forced = f", forced past {', '.join(one.gate for one in refused)}" if refused else ""
    return f"{forced}; `previous` is {champion.name}" if champion else f"{forced}, the first one"
