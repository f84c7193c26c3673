"""Markdown without what programs put into it: templates, components, directives and notes to self.

What a reader of the site sees stays; code stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from qabot.articles.formats.grid_tables import grid_tables_as_html
from qabot.articles.formats.template_texts import shown_arguments

_INDENT = 4
_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t>]*(`{3,}|~{3,})")
_INDENTED_CODE = re.compile(r"(?: {4}| {0,3}\t)\s*\S")
# What is indented below these belongs to them.
_HOLDS = re.compile(r"(?:[-*+:]|\d{1,9}[.)])[ \t]|!!!|\?\?\?|===|\[\^|[<{]")
_CODE_SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_LISTING = re.compile(
    r"\{%-?\s*highlight\s+(\w*).*?%\}\n?(.*?)\{%-?\s*endhighlight\s*-?%\}", re.DOTALL
)
_RAW = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")
_HIDDEN = (
    re.compile(r"\{%-?\s*comment\b.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL),
    re.compile(r"\{#(?![\w:.-]+\}).*?#\}", re.DOTALL),
    re.compile(r"\{/\*.*?\*/\}", re.DOTALL),
    re.compile(r"%%(?=\S).*?(?<=\S)%%|^%%\n.*?^%%$", re.DOTALL | re.MULTILINE),
)
# None goes on behind its end or over another's beginning, even where a line of them is sought.
_TEMPLATE = re.compile(
    r"\{\{[<%](?:(?![>%]\}\}|\{\{[<%]).)*[>%]\}\}|\{%(?:(?!%\}|\{%).)*%\}"
    r"|\{\{-?\s(?:(?!\n[ \t]*\n)[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}\}"
    r"|\{\{-?\s(?:(?!\s-?\}\}|\{\{|\n[ \t]*\n).)*\s-?\}\}"
    r"|(?<![\w}^_\\{$])\{\{[\w\"'.#/>!-][^{}]*\}\}|<%(?:(?!%>|<%).)*%>",
    re.DOTALL,
)
# An empty line in its place would end a block of HTML.
_TEMPLATE_LINE = re.compile(
    rf"^[ \t]*(?:(?:{_TEMPLATE.pattern})[ \t]*)+\n", re.DOTALL | re.MULTILINE
)
_IMPORT = re.compile(
    r"^import\s+(?:[\w$*{},\s]+?\sfrom\s+)?([\"'])[^\"'\n]+\1;?[ \t]*$", re.MULTILINE
)
_EXPORT = re.compile(
    r"^export\s+(?:(?:const|let|var)\s+[\w$]+[^\n=]*=|default\s+(?:async\s+)?(?:function|\(|\{|\w+;?$)"
    r"|(?:async\s+)?function\b).*?(?=\n[ \t]*\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
# A component's attribute in braces, which is code.
_BRACED = re.compile(
    r"(<[A-Za-z][\w.]*(?:\s+[\w:.@-]+(?:=(?:\"[^\"]*\"|'[^']*'))?)*\s+)"
    r"(?:[\w:.@-]+=)?\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
)
# A component of MDX on lines of its own: what stands in it is Markdown again.
_COMPONENT = re.compile(
    r"^[ \t]*</?[A-Z][\w.]*(?:\s(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)?>[ \t]*$", re.MULTILINE
)
# Components that have the names of what browsers don't show as text.
_NAMESAKE = re.compile(r"(</?)(?:Math|Object|Template|Title)(?=[\s/>])")
_FENCED_DIRECTIVE = re.compile(
    r"^([ \t>]*):{3,}[ \t]*\{?\.?[\w.-]*\}?(?:\[(.*?)\])?[ \t]*([^{\n]*)(?:\{.*\})?[ \t]*$"
)
_INDENTED_DIRECTIVE = re.compile(
    r"^([ \t]*)(?:!!!|\?\?\?\+?|===[+!]?)[ \t]+[\w ./-]*(?:\"(.*)\")?[ \t]*$"
)
_CALLOUT = re.compile(r"^([ \t]*>[ \t>]*)\[!([\w-]+)(?:\|[^\]]*)?\][+-]?[ \t]*(.*)$")
_LINE_ATTRIBUTES = re.compile(r"^[ \t>]*\{:[^{}\n]*\}[ \t]*$")
_CONTENTS = re.compile(
    r"^[ \t]*(?:\[TOC\]|\[\[_?TOC_?\]\]|(?:[*+-]|1\.)[ \t].*\n[ \t]*\{:toc\b[^{}\n]*\})[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# Without the blank that CommonMark asks for, and perhaps closed.
_TIGHT_HEADING = re.compile(r" {0,3}(#{1,6})([^\W\d_][^#]{0,80}?)[ \t#]*\n?")
_HEADING_ATTRIBUTES = re.compile(r"^([ \t>]*#{1,6}[ \t].*?)[ \t]*\{:?[ \t]*[#.][^{}\n]*\}[ \t]*$")
_ATTRIBUTES = re.compile(r"(?<=[)\]*_`])\{:?[ \t]*[#.\w][^{}\n]*\}")
# Pictures and the like; of a note that is shown within another, at least the title stays.
_EMBED = re.compile(r"!\[\[[^\[\]|#\n]*\.(?!md\b)\w{2,5}(?:[|#][^\[\]\n]*)?\]\]|!(?=\[\[)")
# Where in a note a paragraph is.
_PARAGRAPH_ID = re.compile(r"#?\^[\w-]+$")
_WIKI_LINK = re.compile(r"\[\[([^\[\]|\n]+)(?:\\?\|([^\[\]\n]+))?\]\](?!\()")
_MARKED = re.compile(r"(?<![=\w])==(?=[^\s=])(.+?)(?<=[^\s=])==(?![=\w])")
_BLOCK_ID = re.compile(r"(?<=\S)[ \t]+\^[A-Za-z0-9-]+[ \t]*$")
_NOTE = re.compile(r"^ {0,3}\[\^([^\[\]\s]+)\]:", re.MULTILINE)
# A picture beside words, by its name in a set of icons; emoji have no hyphen in theirs.
_ICON = re.compile(r"(?<![\w:]):[a-z]+(?:-[a-z0-9]+)+:(?:\{[^{}\n]*\})?[ \t]+(?=[^\s|])")
_TASK = re.compile(r"^([ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+)\[([ xX])\](?=[ \t])")


def without_markers(source: str) -> str:
    """``source`` without templates and markers; what they show is text."""
    source = _unbound_notes(_LISTING.sub(r"\n```\1\n\2```\n", source))
    indents: list[int] = []
    return "".join(
        _code(piece, indents)
        if is_code
        else _directives(grid_tables_as_html(_outside_spans(piece, _without_templates)), indents)
        for is_code, piece in _spaced_headings(list(_pieces(source)))
    )


def _unbound_notes(source: str) -> str:
    """``source`` with notes that no mark leads to as plain text: they would not be shown."""
    return _NOTE.sub(
        lambda note: note[0] if source.count(f"[^{note[1]}]") > 1 else "",
        source,
    )


def _pieces(source: str) -> Iterator[tuple[bool, str]]:
    """Code, fenced or indented, and what lies between, in order."""
    lines = source.splitlines(keepends=True)
    fence, gathered = "", list[str]()
    indented = holds = False
    above = ""
    for line in lines:
        match = _FENCE.match(line)
        is_indented = not holds and bool(_INDENTED_CODE.match(line))
        begins = is_indented and not indented and not above.strip()
        if not fence and (begins or (indented and line.strip() and not is_indented)):
            yield indented, "".join(gathered)
            indented, gathered = begins, []
        above = line
        if line.strip() and not line.startswith((" ", "\t")):
            holds = bool(_HOLDS.match(line))
        if match and not fence and not indented:
            yield False, "".join(gathered)
            fence, gathered = match[1], [line]
            continue
        gathered.append(line)
        if match and match[1].startswith(fence) and not line[match.end() :].strip("`~ \t\n"):
            yield True, "".join(gathered)
            fence, gathered = "", []
    yield bool(fence) or indented, "".join(gathered)


def _spaced_headings(pieces: list[tuple[bool, str]]) -> list[tuple[bool, str]]:
    """``pieces`` with the blank after the marks of headings, where their writer left it out.

    ``#Word`` by itself may be a tag, but hardly where other headings have no blank, either.
    """
    lines = [(is_code, piece.splitlines(keepends=True)) for is_code, piece in pieces]
    found = [match for is_code, own in lines if not is_code for match in _tight_headings(own)]
    if not any(len(match[1]) > 1 or " " in match[2] for match in found if match):
        return pieces
    return [(is_code, "".join(own) if is_code else "".join(_spaced(own))) for is_code, own in lines]


def _tight_headings(lines: Sequence[str]) -> Iterator[re.Match[str] | None]:
    """Which of ``lines`` are headings without the blank: below a blank line or another heading."""
    begins = True
    for line in lines:
        match = _TIGHT_HEADING.fullmatch(line) if begins else None
        if match and (
            match[2].endswith((".", ",", ";")) or (match[1] == "#" and match[2][0].islower())
        ):
            match = None  # A sentence that begins with a tag, or a comment of code.
        yield match
        begins = not line.strip() or match is not None


def _spaced(lines: Sequence[str]) -> Iterator[str]:
    for line, match in zip(lines, _tight_headings(lines), strict=True):
        yield f"{match[1]} {match[2]}\n" if match else line


def _outside_spans(text: str, change: Callable[[str], str]) -> str:
    """``text`` with ``change`` made in it, but not in spans of code."""
    spans: list[str] = []

    def kept(match: re.Match[str]) -> str:
        spans.append(match[0])
        return f"\x00{len(spans) - 1}\x00"

    # No text has a NUL here.
    changed = change(_CODE_SPAN.sub(kept, text))
    return re.sub(r"\x00(\d+)\x00", lambda match: spans[int(match[1])], changed)


def _without_templates(text: str) -> str:
    text = _CONTENTS.sub("", _RAW.sub("", text))
    for pattern in _HIDDEN:
        text = pattern.sub("", text)
    for _ in range(9):
        text, count = _BRACED.subn(r"\1", text)
        if not count:
            break
    text = _TEMPLATE.sub(_argument_words, _TEMPLATE_LINE.sub(_argument_lines, text))
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    text = _COMPONENT.sub(lambda component: re.sub(r"\s*\n\s*", " ", component[0]), text)
    text = _NAMESAKE.sub(r"\1span", text)
    text = _WIKI_LINK.sub(_link_text, _EMBED.sub("", text))
    return "\n".join(map(_without_line_markers, _MARKED.sub(r"\1", text).split("\n")))


def _argument_words(match: re.Match[str]) -> str:
    return " ".join(shown_arguments(match[0]))


def _argument_lines(match: re.Match[str]) -> str:
    shown = [text for found in _TEMPLATE.finditer(match[0]) for text in shown_arguments(found[0])]
    return "\n" + "".join(f"{text}\n\n" for text in shown) if shown else ""


def _link_text(match: re.Match[str]) -> str:
    return match[2] or _PARAGRAPH_ID.sub("", match[1]).lstrip("#").replace("#", " > ")


def _without_line_markers(line: str) -> str:
    if _LINE_ATTRIBUTES.match(line):
        return ""
    line = _HEADING_ATTRIBUTES.sub(r"\1", line)
    line = _ICON.sub("", _BLOCK_ID.sub("", _ATTRIBUTES.sub("", line)))
    return _TASK.sub(lambda match: f"{match[1]}{'☐' if match[2] == ' ' else '☑'}", line)


def _code(text: str, indents: list[int]) -> str:
    """``text`` without the indents of the notes and tabs that it stands in."""
    if not text.strip():
        return text
    _leave(text, indents)
    return (
        re.sub(rf"^ {{1,{_INDENT * len(indents)}}}", "", text, flags=re.MULTILINE)
        if indents
        else text
    )


def _leave(line: str, indents: list[int]) -> None:
    """Drop the notes and tabs from ``indents`` that have ended before ``line``."""
    indent = len(line) - len(line.lstrip(" "))
    while indents and line.strip() and indent < indents[-1] + _INDENT:
        indents.pop()


def _directives(text: str, indents: list[int]) -> str:
    """``text`` with the titles of notes and tabs as paragraphs, and what is in them as text.

    Args:
        indents: Those of the notes and tabs that it begins in; afterwards, that it ends in.
    """
    lines: list[str] = []
    for indented in text.split("\n"):
        _leave(indented, indents)
        indent = len(indented) - len(indented.lstrip(" "))
        line = indented[_INDENT * len(indents) :] if indented.strip() else ""
        if match := _INDENTED_DIRECTIVE.match(line):
            lines += ["", f"{match[1]}{match[2] or ''}", ""]
            indents.append(indent)
        elif match := _FENCED_DIRECTIVE.match(line):
            lines += [
                match[1].rstrip(" \t"),
                f"{match[1]}{match[2] or match[3]}",
                match[1].rstrip(),
            ]
        elif _COMPONENT.fullmatch(line):
            lines += ["", line, ""]
            for shown in shown_arguments(line):
                lines += [shown, ""]
        elif match := _CALLOUT.match(line):
            lines += [f"{match[1]}{match[3] or match[2].capitalize()}", match[1].rstrip()]
        else:
            lines.append(line)
    return "\n".join(lines)
