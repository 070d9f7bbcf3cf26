"""YAML of strangers: the C parser with the safe tags only, and no document that unfolds into more than it says.

A few lines of aliases can stand for billions of nodes (the "billion laughs"), and deep nesting overflows the stack of
the C parser. Documents that may do either are walked as events, which need no stack, before they are built.
"""

import re
from collections.abc import Iterator
from typing import Any

NODES_LIMIT = 1_000_000  # of one document; the NIST catalogue as YAML has 200,000
DEPTH_LIMIT = 100
_ALIAS = re.compile(rb"(?:^|[\s\[{,:?\x80-\xff-])\*[^\s*,\]}]")  # YAML also breaks lines at three signs beyond ASCII
_DEEP_LINE = re.compile(rb"(?m)^[\s\-?:]{%d}" % DEPTH_LIMIT)  # of block style: each level takes a column


class BrokenYaml(ValueError):
    """The document is no YAML, unfolds beyond the limits, or asks for a tag that builds objects."""


def parse_yaml(content: bytes) -> Any:
    """The only document of `content`. Raises BrokenYaml with the parser's reason and place."""
    return next(iter(parse_yaml_documents(content)), None)


def parse_yaml_documents(content: bytes) -> list[Any]:
    """All documents of `content`. Raises BrokenYaml."""
    import yaml

    try:
        text = content.decode("utf-8-sig")
        if _ALIAS.search(content) or _DEEP_LINE.search(content) or content.count(b"[") + content.count(b"{") > DEPTH_LIMIT:
            _refuse_bombs(text)
        return list(_documents(yaml.CSafeLoader(text)))
    except UnicodeDecodeError as error:
        raise BrokenYaml(f"not UTF-8: {error}") from error
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise BrokenYaml(" ".join(str(error).split())) from error


def _documents(loader: Any) -> Iterator[Any]:
    try:
        while loader.check_data():
            yield loader.get_data()
    finally:
        loader.dispose()


def _refuse_bombs(text: str) -> None:
    """Measure depth, and count the nodes that the document stands for, each alias as what it names."""
    import yaml

    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        size, anchor = 1, getattr(event, "anchor", None)
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            open_nodes.append((anchor, 1))
            if len(open_nodes) > DEPTH_LIMIT:
                raise BrokenYaml(f"nested deeper than {DEPTH_LIMIT}")
            continue
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            anchor, size = open_nodes.pop()
        elif isinstance(event, yaml.AliasEvent):
            anchor, size = None, sizes.get(event.anchor, 1)
        elif not isinstance(event, yaml.ScalarEvent):
            continue
        if anchor:
            sizes[anchor] = size
        if open_nodes:
            above, total = open_nodes[-1]
            open_nodes[-1] = (above, total + size)
            if total + size > NODES_LIMIT:
                raise BrokenYaml(f"aliases unfold into more than {NODES_LIMIT:,} nodes")
