"""Parts of a page that belong to its site, whatever article it shows: notices, forms, teasers.

Told by what programs call them, and by their shape. What may hold an article is none of them.
"""

from __future__ import annotations

import re
from typing import Any

from qabot.articles.formats.draft import has_words, one_line

_NAMED = "//*[@class or @id or @role or @itemprop]"
_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_NOTICES = re.compile(
    r"(?<![a-z])(?:cookie-?(?:banner|bar|box|consent|dialog|hint|info|law|layer|message|modal"
    r"|notice|overlay|policy|popup|settings|wall|warning)|(?:gdpr|consent)-?(?:banner|bar|box"
    r"|dialog|layer|manager|message|modal|notice|overlay|popup|wall)|cookiebot|onetrust"
    r"|usercentrics|alertdialog|newsletters?|subscribe|breadcrumbs?|crumbs"
    r"|related-?(?:articles?|content|links?|news|posts?|stories|topics?)?|read-?(?:also|next)"
    r"|recommend(?:ations?|ed-?(?:articles?|content|links?|posts?|stories))"
    r"|you-?may-?(?:also-?)?like|(?:social-?)?(?:share|sharing)-?(?:bar|box|buttons?|links?|tools?)?"
    r"|social-?(?:bar|buttons?|icons|links?|media)|author(?:-?(?:bio|box|card|info|meta))?|sharedaddy"
    r"|(?:table-?of-?contents|toc))(?![a-z])"
)
_HOLDS_ARTICLE = ".//h1 | .//main | .//article"
# Articles within one are cards that lead to others; questions on buttons are text by now.
_CARDS = (
    "//article//article[.//a[.//h1 or .//h2 or .//h3 or .//h4] or .//h2/a or .//h3/a or .//h4/a]"
)
_BUTTONS = "//*[@role='button']"
_MOST_OF_PAGE = 0.6
_LONGEST, _RUNNING, _MOSTLY = 800, 100, 0.3
# A label and the title of another page.
_LONGEST_LABEL, _LEAST_LINKED_WORDS = 40, 3
_LABELLED = "//p | //h3 | //h4 | //h5 | //h6 | //blockquote | //article//div | //main//div"
_DAYS = ".//time | .//*[contains(concat(' ', @class, ' '), ' date ')]"
_LONGEST_CREDIT = 60
_CREDIT = re.compile(r"\W*(?:[©®]|[^\W\d]+:\s|.*©)")
# Whose a picture or a page is, in the languages that most pages are in.
_RIGHTS = re.compile(
    r"\W*(?:©|(?:(?:titel|beitrags)?bild(?:er)?|beeld|copyright|cr[eé]dits?(?: photos?)?|fot\."
    r"|fotos?|fotografía|imag(?:en|em|es?)|immagine|kuva|photos?(?: by| credits?)?|pictures?"
    r"|zdjęci[ea]|фото|写真|图片)\s*[:：©])",
    re.IGNORECASE,
)
_LONGEST_RIGHTS, _LONGEST_COPYRIGHT = 120, 300
# A paragraph that only leads to another page, where most paragraphs don't.
_LINKED = "//p | //h4 | //h5 | //h6"
_LEAST_LINKED, _MOST_LINKED = 4, 0.1


def drop_notices(page: Any) -> None:
    """Take out of a page, in place, what does not belong to its article."""
    # What holds most of a page is its article, whatever it is called.
    most = _MOST_OF_PAGE * sum(map(_length, page.xpath("//body")))
    for element in page.xpath(_NAMED):
        if _is_named(element) and _length(element) <= most and _may_go(element):
            drop(element)
    for element in page.xpath(f"{_CARDS} | {_BUTTONS}"):
        if _length(element) < _LONGEST:
            drop(element)
    for element in page.xpath(_LABELLED):
        if element.getparent() is not None and _is_pointer(element):
            drop(element)
    linked = [element for element in page.xpath(_LINKED) if _only_links(element)]
    text = sum(map(_length, page.iter("p")))
    if sum(map(_length, linked)) <= _MOST_LINKED * text:
        for element in linked:
            drop(element)
    for heading in page.xpath("//h1 | //h2"):
        for day in heading.xpath(_DAYS):
            if _length(day) < _length(heading):
                drop(day)


def is_credit(caption: str) -> bool:
    """Tell whether a caption says no more than whose picture it is."""
    return len(caption) <= _LONGEST_CREDIT and bool(_CREDIT.match(caption))


def is_rights_notice(line: str) -> bool:
    """Tell whether a line says no more than whose a picture or page is."""
    longest = _LONGEST_COPYRIGHT if line.lstrip().startswith("©") else _LONGEST_RIGHTS
    return len(line) <= longest and bool(_RIGHTS.match(line))


def drop(element: Any) -> None:
    """Take an element out of its tree; the text after it stays."""
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _is_named(element: Any) -> bool:
    names = " ".join(element.get(name, "") for name in ("class", "id", "role", "itemprop"))
    return bool(_NOTICES.search(_HUMP.sub(r"\1-\2", names).replace("_", "-").lower()))


def _may_go(element: Any) -> bool:
    """Tell whether an element is too small for an article, or has little running text."""
    if element.tag in ("html", "body", "main", "article", "h1") or element.getparent() is None:
        return False
    if element.xpath(_HOLDS_ARTICLE):
        return False
    length = _length(element)
    running = (
        _length(paragraph) - 2 * sum(map(_length, paragraph.iter("a")))
        for paragraph in element.iter("p", "li")
    )
    return length < _LONGEST or sum(n for n in running if n > _RUNNING) < _MOSTLY * length


def _is_pointer(element: Any) -> bool:
    """Tell whether an element says "See also: …" and no more."""
    links = [one_line("".join(link.itertext())) for link in element.iter("a")]
    if len(links) != 1 or len(links[0].split()) < _LEAST_LINKED_WORDS:
        return False
    before, _, after = one_line("".join(element.itertext())).partition(links[0])
    label = before.rstrip()
    return label.endswith((":", "：")) and len(label) <= _LONGEST_LABEL and not has_words(after)


def _only_links(element: Any) -> bool:
    """Tell whether all that an element says is the title of another page."""
    links = list(element.iter("a"))
    if len(links) != 1 or not str(links[0].get("href", "")).startswith(("http", "/")):
        return False
    words = one_line("".join(links[0].itertext()))
    others = one_line("".join(element.itertext())).replace(words, "", 1)
    return len(words.split()) >= _LEAST_LINKED and not has_words(others)


def _length(element: Any) -> int:
    return sum(map(len, element.itertext()))
