"""An experiment as its file declares it, and what became of its arms."""

from typing import Any, Literal

import msgspec

from stages.config import Params

Better = Literal["higher", "lower", "neither"]
State = Literal["waiting", "queued", "running", "done", "failed"]
RowFigure = Literal["kept", "readability-won", "factuality-reached"]  # of the rows that were rewritten
AnswerFigure = Literal["accuracy", "consistency"]  # of the answers to benchmark items


class Figure(Params):
    """What is compared, arm against first arm, on the same rows or items. Chosen before the runs, so that nobody picks afterwards."""

    figure: Literal[RowFigure, AnswerFigure]
    better: Better
    benchmark: str = ""  # accuracy and consistency only
    protocol: str = ""
    system: str = ""


class Arm(Params):
    """One way to build: the params it sets, by dotted name."""

    name: str
    set: dict[str, Any]


class Experiment(Params, kw_only=True):
    """A question, and the builds that answer it. The first arm is the reference of all comparisons."""

    question: str
    arms: list[Arm] = []
    matrix: dict[str, list[Any]] = {}  # dotted name -> values: every combination is an arm
    common: dict[str, Any] = {}  # params that every arm sets
    target: str = "evaluate"  # the stage up to which an arm is built
    compare: list[Figure]
    careful: list[str]  # what a reader must know before believing the table


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One arm on one commit: its name in git depends on both and on the target, so that other params or code are another experiment."""

    arm: str
    experiment: str  # name under refs/exps
    settings: dict[str, Any]  # common and own params of the arm
    is_baseline: bool  # the commit is built with these very params: nothing to run


class Record(msgspec.Struct, kw_only=True):
    """What became of an arm; kept beside the queue, so that `run` goes on where it stopped."""

    experiment: str
    state: State = "waiting"
    revision: str = ""  # commit that holds its metrics and lock file
    stages: dict[str, float] = {}  # stages that were executed -> seconds by their own clock
    tail: list[str] = []  # last lines of an arm that failed
