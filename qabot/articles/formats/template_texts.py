"""What templates show of their arguments: captions, quotes and titles are text of the page."""

from __future__ import annotations

import re

_NAMES = (
    *("answer", "attribution", "author", "body", "caption", "cite", "content", "description"),
    *("heading", "headline", "label", "lead", "message", "note", "organization", "position"),
    *("question", "quote", "role", "subtitle", "summary", "text", "title"),
)
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`"
_ARGUMENT = re.compile(rf"(?<![\w.-])({'|'.join(_NAMES)}|name)\s*[=:]\s*({_QUOTED})", re.DOTALL)
_TAG = re.compile(r"\W*(\w[\w-]*)")
# These say what is to be done, and compare; what they name is no text.
_CONTROL = frozenset(
    (
        *(
            "assign",
            "set",
            "if",
            "elsif",
            "elif",
            "unless",
            "for",
            "case",
            "when",
            "capture",
            "with",
        ),
        *(
            "macro",
            "block",
            "extends",
            "import",
            "from",
            "cycle",
            "paginate",
            "trans",
            "ref",
            "relref",
        ),
    )
)
# Of tabs and steps, the name is what is written on them.
_NAMED = re.compile(r"tab|step|card|accordion", re.IGNORECASE)
_ADDRESS = re.compile(r"\S*[/:#]\S*|\S+\.\w{2,4}")


def shown_arguments(template: str) -> list[str]:
    """The values that people see of the arguments of a template or component, in order."""
    tag = _TAG.match(template)
    name = tag[1].lower() if tag else ""
    if name in _CONTROL:
        return []
    values = []
    for argument in _ARGUMENT.finditer(template):
        if argument[1] == "name" and not _NAMED.search(name):
            continue
        value = re.sub(r"\\([\"'])", r"\1", argument[2][1:-1]).strip()
        if any(map(str.isalnum, value)) and "{{" not in value and not _ADDRESS.fullmatch(value):
            values.append(value)
    return values
