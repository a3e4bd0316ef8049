"""Reading ``space.yaml``: every problem in one line, nothing guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mlindex.base.errors import MlindexError
from mlindex.base.extras import needing
from mlindex.base.wrong import shortened, wrong
from mlindex.campaigns.space import settings
from mlindex.campaigns.space.settings import SpaceFile
from mlindex.campaigns.spelling import meant

#: No space that people write is larger, in bytes.
_MOST_BYTES = 4_000_000
#: Where one of several kinds is expected, pydantic lists what is wrong with each.
_EITHER = {
    "when": "must be a value, a list of values, or at_least and at_most",
    "levels": "must be a list of levels, or names with numbers",
    "of": "must be numbers, or names with numbers",
}
_KINDS = ("continuous", "discrete", "ordinal", "categorical")
_SECTIONS = (
    *(settings.Continuous, settings.Discrete, settings.Ordinal, settings.Categorical),
    *(settings.Mixture, settings.Linear, settings.Between, settings.Forbidden, settings.Objective),
    *(settings.Start, settings.Cost, settings.Stop, settings.Options, SpaceFile),
)


def read_document(path: Path) -> SpaceFile:
    """What a space.yaml says.

    Raises:
        MlindexError: it can't be read, or a line for each thing that is wrong in it.
    """
    return checked(_yaml(path), str(path))


def checked(given: object, where: str) -> SpaceFile:
    """A space from plain data.

    Raises:
        MlindexError: a line for each thing that is wrong in it.
    """
    if not isinstance(given, Mapping):
        seen = "nothing" if given is None else shortened(given)
        raise MlindexError(
            f"{where}: expected keys, quantities and objectives at least, got {seen}"
        )
    try:
        return SpaceFile.model_validate(given)
    except ValidationError as error:
        lines = dict.fromkeys(_explained(problem) for problem in error.errors())
        raise MlindexError(
            f"{where} is wrong:\n" + "\n".join(f"  {line}" for line in lines)
        ) from None


def _yaml(path: Path) -> object:
    with needing("reading space.yaml", "campaigns"):
        import yaml

    class Loader(yaml.SafeLoader):
        """Plain data; a key given twice is refused, for the first would be lost."""

    def mapping(loader: Any, node: Any) -> dict:
        keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
        for n, key in enumerate(keys):
            if key in keys[:n]:
                line = node.value[n][0].start_mark.line + 1
                raise MlindexError(f"{path}, line {line}: the key {key!r} is given twice")
        return yaml.SafeLoader.construct_mapping(loader, node, deep=True)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MlindexError(
                f"{path}: has more than {_MOST_BYTES // 1_000_000} MB, which no space.yaml has; "
                "put lists of values into a table that `candidates` or `descriptors` name"
            )
        return Loader(path.read_text(encoding="utf-8-sig")).get_single_data()
    except (OSError, UnicodeDecodeError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MlindexError(f"{path}: can't be read: {reason}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "no YAML"
        raise MlindexError(f"{path}{line}: {what}; is the indentation right?") from None
    except RecursionError:
        raise MlindexError(f"{path}: is nested too deeply to be a space") from None


def _explained(problem: Mapping[str, Any]) -> str:
    where = [str(part) for part in problem["loc"]]
    key = where[-1] if where else ""
    if problem["type"] == "extra_forbidden":
        close = meant(key, sorted(set(_keys())))
        # A key that there is elsewhere was put in the wrong place.
        place = f"; it stands elsewhere: see the reference of spaces for {key}"
        hint = place if close == key else f"; did you mean {close!r}?" if close else ""
        return f"{'.'.join(where)}: unknown key{hint}"
    if problem["type"].startswith("union_tag"):
        seen = problem["input"].get("kind") if isinstance(problem["input"], Mapping) else None
        kinds = _KINDS if where[0] == "quantities" else ("linear", "forbidden")
        said = f", not {seen!r}" if seen is not None else ""
        return f"{'.'.join(where)}: needs a key kind, one of {', '.join(kinds)}{said}"
    for name, sentence in _EITHER.items():
        if name in where[1:] and (name != "of" or where[0] == "cost"):
            end = where.index(name) + (1 if name == "levels" else 2)
            return f"{'.'.join(where[:end])}: {sentence}"
    given = "" if problem["type"] == "missing" else f" (got {shortened(problem['input'])})"
    return f"{'.'.join(where)}: {wrong(problem)}{given}"


def _keys() -> Iterator[str]:
    kinds: tuple[type[BaseModel], ...] = _SECTIONS
    for kind in kinds:
        yield from kind.model_fields
