"""The results of an experiment as plain data and as Markdown: `metrics/experiments/<name>.json` and `.md`."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stages.experiments.builds import Build
from stages.experiments.figures import compare, describe
from stages.experiments.schema import Experiment, Figure, Plan, Record
from stages.tables import write_json, write_text

FOLDER = Path("metrics") / "experiments"
SHOWN = 60  # characters of a value


def results(name: str, experiment: Experiment, commit: str, root: Path, arms: Sequence[tuple[Plan, Record]]) -> dict[str, Any]:
    """Every arm that is done is described and compared with the first arm; the others say what became of them."""
    builds = {plan.arm: Build(root, record.revision) for plan, record in arms if record.state == "done"}
    first = builds.get(arms[0][0].arm)
    reference = first or next(iter(builds.values()), None)
    described = []
    for plan, record in arms:
        row: dict[str, Any] = {"arm": plan.arm, "experiment": "" if plan.is_baseline else plan.experiment, "state": record.state}
        row["settings"] = plan.settings
        if plan.arm in builds and reference:
            row |= describe(builds[plan.arm], reference, record)
        else:
            row["tail"] = record.tail
        described.append(row)
    others = [plan.arm for plan, _ in arms[1:] if plan.arm in builds] if first else []
    return {
        "experiment": name,
        "question": experiment.question,
        "commit": commit,
        "careful": experiment.careful,
        "arms": described,
        "comparisons": [
            {**_named(figure), "arm": arm, "against": arms[0][0].arm, **compare(figure, first, builds[arm])}
            for figure in experiment.compare
            for arm in others
            if first
        ],
    }


def write(table: Mapping[str, Any], root: Path) -> Path:
    """Both files; the path of the Markdown."""
    stem = root / FOLDER / table["experiment"]
    write_json(stem.with_suffix(".json"), table)
    write_text(stem.with_suffix(".md"), markdown(table))
    return stem.with_suffix(".md")


def markdown(table: Mapping[str, Any]) -> str:
    """The page that people read."""
    done = [arm for arm in table["arms"] if arm["state"] == "done"]
    parts = [
        f"# {table['experiment']}\n\n{table['question']}\n\nMeasured on commit `{table['commit'][:10]}`.",
        _arms(table["arms"]),
        _rows(done),
        _comparisons(table["comparisons"], {arm["arm"]: arm for arm in done}),
        _scores(done),
        *_consistency(done),
        _failures(table["arms"]),
        "To be read with care:\n\n" + "\n".join(f"- {line}" for line in [*table["careful"], *_seen(done)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _arms(arms: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for arm in arms:
        cost = arm.get("cost") or {}
        none = "none known: restored, or run elsewhere" if arm["experiment"] else "none: the commit is built so"
        stages = ", ".join(cost.get("stages") or {}) or none
        paid = (
            f"{cost['calls']:,.0f} calls, {cost['tokens_paid']:,.0f} tokens"
            + (f", {cost['usd_paid']:.2f} USD" if cost["usd_paid"] else "")
            if cost
            else ""
        )
        lines.append(
            [
                arm["arm"],
                _settings(arm["settings"]),
                arm["state"],
                stages if cost else "",
                f"{cost['seconds']:,.0f}" if cost else "",
                paid,
            ]
        )
    return _grid(["arm", "sets", "state", "stages run", "seconds", "paid to models"], lines)


def _rows(arms: Sequence[Mapping[str, Any]]) -> str:
    """What became of the rewrites; nothing for a single arm, which says nothing about them."""
    lines = [
        [
            arm["arm"],
            f"{arm['formats']['usable']} of {arm['formats']['tasks']}" if arm["formats"]["tasks"] else "-",
            str(arm["rows"]["tried"]),
            f"{arm['rows']['kept']}: {_share(arm['rows'], 'share')}" if arm["rows"]["tried"] else "-",
            _counts(arm["readability"]),
            _counts(arm["factuality"]),
            {True: "yes", False: "no", None: "-"}[arm["judge_calibrated"]],
            _counts(dict(sorted(arm["reasons"].items(), key=lambda one: (-one[1], one[0]))[:4])),
            "-" if arm["training_rows"] is None else f"{arm['training_rows']:,}",
        ]
        for arm in arms
    ]
    head = [
        "arm",
        "tasks with a format",
        "rows tried",
        "kept (95 % interval)",
        "readability",
        "factuality",
        "judge passed its calibration",
        "commonest reasons",
        "rows trained on",
    ]
    return _grid(head, lines) if len(arms) > 1 else ""


def _comparisons(comparisons: Sequence[Mapping[str, Any]], arms: Mapping[str, Mapping[str, Any]]) -> str:
    lines = []
    for one in comparisons:
        what = " ".join(filter(None, [one["figure"], one.get("benchmark", ""), one.get("protocol", ""), one.get("system", "")]))
        same = _sameness(arms[one["arm"]]) if one["figure"] == "accuracy" else ""
        if same and one["n"] and not one["only_first"] + one["only_other"]:
            lines.append([what, one["arm"], str(one["n"]), f"{same} ({_percent(one['first'])})", "", ""])
        elif one["n"]:
            change = f"{_percent(one['first'])} -> {_percent(one['other'])}"
            lines.append([what, one["arm"], str(one["n"]), change, _difference(one), f"{one['p']:.3g}, {one['verdict']}"])
        else:
            lines.append([what, one["arm"], "0", "nothing that both have", "", ""])
    against = comparisons[0]["against"] if comparisons else ""
    head = ["figure", "arm", "n in both", f"{against} -> arm", "difference in points (95 %)", "p (McNemar)"]
    return f"Paired with the first arm, `{against}`:\n\n{_grid(head, lines)}" if lines else ""


def _difference(one: Mapping[str, Any]) -> str:
    """The interval; a bootstrap of pairs that are all equal has none, and says with 95 % only how rare differing pairs are."""
    if one["only_first"] + one["only_other"] == 0:
        return f"no pair differs (of all pairs, {100 * (1 - 0.05 ** (1 / one['n'])):.1f} % may)"
    return f"{100 * one['difference']:+.1f} ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})"


def _scores(arms: Sequence[Mapping[str, Any]]) -> str:
    """A line per benchmark, protocol and system that any arm scored; a column per arm."""
    cells = {
        (benchmark, protocol, system): None
        for arm in arms
        for benchmark, protocols in arm["scores"].items()
        for protocol, systems in protocols.items()
        if protocol != "baseline"
        for system in systems
    }
    lines = [[*cell, *(_score_of(arm, cell, arms[0]) for arm in arms)] for cell in cells]
    return _grid(["benchmark", "protocol", "system", *(arm["arm"] for arm in arms)], lines) if lines else ""


def _score_of(arm: Mapping[str, Any], cell: tuple[str, str, str], first: Mapping[str, Any]) -> str:
    """A score, or why it is the first arm's; few-shot prompts and quantised models may differ although the model does not."""
    score, reference = (one["scores"].get(cell[0], {}).get(cell[1], {}).get(cell[2]) for one in (arm, first))
    if arm is not first and score and score == reference and _sameness(arm):
        return _sameness(arm)
    return f"{_share(score, 'accuracy')}, n {score['n']}" if score else "-"


def _consistency(arms: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    for arm in arms:
        lines, names = [], []
        for benchmark, protocols in arm["consistency"].items():
            for protocol, systems in protocols.items():
                for system, one in systems.items():
                    names = one["variations"]
                    right = [_share(one["accuracy"][name], "accuracy") + _unread(one["accuracy"][name]) for name in names]
                    kappa = "-" if one["fleiss_kappa"] is None else f"{one['fleiss_kappa']:.2f}"
                    lines.append([f"{benchmark} {protocol}", system, str(one["n"]), _share(one, "share_equal"), kappa, *right])
        if lines:
            head = ["asked", "system", "n", "same answer in all", "Fleiss' kappa", *(f"right, {name}" for name in names)]
            yield f"Format variations, arm `{arm['arm']}`:\n\n{_grid(head, lines)}"


def _unread(accuracy: Mapping[str, Any]) -> str:
    return f", {accuracy['unparseable']} unread" if accuracy["unparseable"] else ""


def _failures(arms: Sequence[Mapping[str, Any]]) -> str:
    failed = [arm for arm in arms if arm["state"] == "failed"]
    return "\n\n".join(
        f"Arm `{arm['arm']}` failed; its last lines:\n\n" + "\n".join(f"    {line}" for line in arm["tail"]) for arm in failed
    )


def _seen(arms: Sequence[Mapping[str, Any]]) -> list[str]:
    """Limits that the results themselves show."""
    said = []
    for arm in arms[1:]:
        if _sameness(arm):
            why = (
                "" if arm["same_training_data"] else "; the rows that differ are not among those that its token budget trains on"
            )
            equal = _of_models(arm) == _of_models(arms[0])
            worth = "its scores say nothing" if equal else "scores other than those shown as numbers say nothing"
            said.append(f"The model of `{arm['arm']}` is the first arm's, byte for byte{why}: {worth} about the question.")
    if len(arms) == 1:
        return said
    if any(arm["rows"]["tried"] and not arm["rows"]["kept"] for arm in arms):
        said.append("Where no rewrite is kept, all template answers stay, and arms can differ only in why rewrites were refused.")
    if any(arm["judge_calibrated"] is False for arm in arms):
        said.append("The judge failed its calibration: its readability and factuality are counts of its words, not measurements.")
    said.append("Arms share the cache of model responses: a later arm does not pay again for what an earlier one asked.")
    said.append("Stages that ran with the same inputs before are restored by DVC and counted neither as run nor in seconds.")
    return said


def _of_models(arm: Mapping[str, Any]) -> list[Any]:
    """All scores but those of the baselines, which learn from the training data and have no model."""
    return [
        (benchmark, protocol, systems)
        for benchmark, protocols in sorted(arm["scores"].items())
        for protocol, systems in sorted(protocols.items())
        if protocol != "baseline"
    ]


def _sameness(arm: Mapping[str, Any]) -> str:
    """What to say instead of a score that was measured twice; empty where the arm has a model or an evaluation of its own."""
    if not (arm["same_model"] and arm["same_evaluation"]):
        return ""
    return "same data, same model" if arm["same_training_data"] else "other data, same model"


def _share(figures: Mapping[str, Any], key: str) -> str:
    return (
        f"{_percent(figures[key])} ({100 * figures['low']:.1f}-{100 * figures['high']:.1f})" if figures[key] is not None else "-"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "-"


def _settings(settings: Mapping[str, Any]) -> str:
    texts = [f"`{key}: {_short(value)}`" for key, value in settings.items()]
    return ", ".join(texts) or "nothing"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _named(figure: Figure) -> dict[str, Any]:
    return {key: value for key, value in msgspec.to_builtins(figure).items() if value}


def _grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows)
