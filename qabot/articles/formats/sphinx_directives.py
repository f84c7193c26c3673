"""Directives that docutils doesn't know, mostly Sphinx': it would drop all that stands in them."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.parsers.rst.languages import en

_NAME = re.compile(r"^[ \t]*\.\.[ ]+(\w[\w:.+-]*?)[ ]?::(?=\s|$)", re.MULTILINE)
_MOST_NAMES = 200
# docutils' own refuse what has one of Sphinx' options.
_EXTENDED = frozenset({"code", "code-block", "sourcecode"})
# These tell programs something, or show what is in other files.
_NO_TEXT = re.compile(
    r"(?:toctree|index|highlight|literalinclude|tabularcolumns|sectionauthor|codeauthor|testsetup"
    r"|testcleanup|bibliography|graphviz|digraph|graph|mermaid|uml|plot|default-domain|[\w.]*-?diagram"
    r"|(?:\w+:)?(?:current)?module|auto\w+|jinja|ifconfig|acks|image|youtube|video)"
)
_CODE = re.compile(
    r"(?:code\S*|sourcecode|console|doctest|ipython\S*|prompt|productionlist|testcode|testoutput|tabs?-code)"
)
# What Sphinx writes in their place, in English as the words of notes.
_WORDS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "versionremoved": "Removed in version",
    "deprecated": "Deprecated since version",
    "deprecated-removed": "Deprecated since version",
    "seealso": "See also",
}


class _AnyOptions(dict[str, Any]):
    """Takes every option as it is written."""

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return directives.unchanged


class _Shown(Directive):
    """Shows its argument or caption as a line and its content below it."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = _AnyOptions()

    def run(self) -> list[nodes.Node]:
        """Return what stands in its place."""
        name = self.name.lower()
        if _NO_TEXT.fullmatch(name):
            return []
        code = _CODE.fullmatch(name)
        lead = _WORDS.get(name, "")
        # Of code, the argument names its language.
        argument = self.options.get("caption", "") if code else " ".join(self.arguments)
        shown: list[nodes.Node] = []
        if lead or argument:
            parsed, _ = self.state.inline_text(argument, self.lineno)
            words = [nodes.Text(f"{lead} " if lead and argument else lead)]
            shown.append(nodes.paragraph("", "", *words, *parsed))
        if code:
            # Without a blank line above, all of it is the argument.
            text = "\n".join(self.content or self.arguments)
            return [*shown, nodes.literal_block(text, text)]
        below = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, below)
        return [*shown, *below.children]


def know_directives(source: str) -> None:
    """Let docutils know the directives in ``source``."""
    names = dict.fromkeys(match[1].lower() for match in _NAME.finditer(source))
    for name in list(names)[:_MOST_NAMES]:
        if name in _EXTENDED or name not in en.directives:
            directives.register_directive(name, _Shown)
