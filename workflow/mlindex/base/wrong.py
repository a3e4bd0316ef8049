"""What is wrong with a value of the config, in the words of this package and not of pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Of pydantic's type of error: the sentence, with the bounds that pydantic hands over.
_SENTENCES = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "path_type": "must be a path",
    "string_pattern_mismatch": "must fit the pattern {pattern}",
    "literal_error": "must be {expected}",
    "missing": "is missing",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be keys with values",
    "mapping_type": "must be keys with values",
    "model_type": "must be keys with values",
    "model_attributes_type": "must be keys with values",
    "too_short": "must have at least {min_length} values",
    "too_long": "must have at most {max_length} values",
    "union_tag_not_found": "needs a key {discriminator}, which is one of {tags}",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
    "extra_forbidden": "is no key that is known here",
    "json_invalid": "is no JSON: {error}",
    "value_error": "{error}",
}
_UNION_TAGS = "'folder', 'generator'"
_MOST_CHARACTERS = 200


def wrong(problem: Mapping[str, Any]) -> str:
    """A sentence without subject for one error of pydantic, as its ``errors()`` lists them."""
    values = {"tags": _UNION_TAGS, **problem.get("ctx", {})}
    sentence = _SENTENCES.get(problem["type"], "is not allowed here")
    return sentence.format(**values)


def shortened(value: object) -> str:
    """A value as it was given, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."
