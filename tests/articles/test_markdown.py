from __future__ import annotations

from pathlib import Path

import pytest

from qabot.articles import Skipped, find_files, read_changed, read_sources
from qabot.types import Article
from tests.articles.support import headings, read
from tests.support import ROOT, run_python

SEEDS = Path(__file__).parents[2] / "seeds"


def test_the_front_matter_says_what_is_known_of_the_article(tmp_path: Path):
    source = """\
---
title: "Ein neuer  Leuchtturm"
published: 2021-11-05
language: de-AT
url: https://example.org/turm
tags: [turm, hafen]
---

Er leuchtet.
"""
    info = read(tmp_path, "turm.md", source).info
    assert info.title == "Ein neuer Leuchtturm"
    assert info.published == "2021-11-05"
    assert info.language == "de"
    assert info.url == "https://example.org/turm"
    assert info.id == "turm"


def test_the_title_is_not_put_into_the_text(tmp_path: Path):
    article = read(tmp_path, "a.md", "---\ntitle: Turm\n---\nEr leuchtet.")
    assert (article.text, article.headings) == ("Er leuchtet.", ())


@pytest.mark.parametrize(
    ("fields", "published"),
    [
        ("date: 2021", "2021"),
        ("date: 2021-11", "2021-11"),
        ("date: '2021-11-05'", "2021-11-05"),
        ("date: 2021-11-05T08:00:00Z", "2021-11-05"),
        ("date: 2021-11-05 08:00:00", "2021-11-05"),
        ("published: 2021\ndate: 2020", "2021"),
        ("published:\ndate: 2020", "2020"),
        ("published: null", None),
        ("date: November 2, 2023", "2023-11-02"),
        ("date: 5. November 2021", "2021-11-05"),
        ("date: 2 de noviembre de 2023", "2023-11-02"),
        ("date: November 2023", "2023-11"),
        ("date: 2023/11/02", "2023-11-02"),
        ("date: 2023-11-2", "2023-11-02"),
        ("date: 02.11.2023", "2023-11-02"),
        ("date: 25/11/2023", "2023-11-25"),
        ("date: 11/25/2023", "2023-11-25"),
        ("date: 03/04/2023", "2023"),
        ("date: 20231102", "2023-11-02"),
        ("date: Thu, 02 Nov 2023 09:15:00 GMT", "2023-11-02"),
        ("date: 2023-11-02 09:15 +01:00", "2023-11-02"),
        ("date: 2023年11月2日", "2023-11-02"),
        ("date: 1698916500", "2023-11-02"),
        ("published: true\ndate: 2020", "2020"),
        ("pubDate: 2020", "2020"),
    ],
)
def test_a_date_is_as_exact_as_it_was_written(tmp_path: Path, fields, published):
    article = read(tmp_path, "a.md", f"---\n{fields}\n---\nEr leuchtet.")
    assert article.info.published == published


@pytest.mark.parametrize(
    ("fields", "warnings"),
    [
        (
            "published: 2023-02-30",
            ["field `published`: '2023-02-30' is no date; write YYYY, YYYY-MM or YYYY-MM-DD"],
        ),
        (
            "lang: C++",
            ["field `lang`: 'C++' is no language; write a two-letter code such as de"],
        ),
        (
            "url: javascript:alert(1)",
            ["field `url`: 'javascript:alert(1)' is no web address; begin it with https://"],
        ),
        (
            "url: /2023/turm/",
            ["field `url`: '/2023/turm/' is no web address; begin it with https://"],
        ),
        (
            "url: ftp://me:secret@example.org/a",
            ["field `url`: 'ftp://example.org/a' is no web address; begin it with https://"],
        ),
        (
            "title: a\ntitle: b",
            ["field `title`: stands there more than once; the last one counts"],
        ),
        (
            "a: b\nlanguage: *de",
            [
                "front matter is not valid YAML (line 3: found undefined alias 'de'); its lines "
                "are read one by one: put values with special characters in quotes",
                "field `language`: '*de' is no language; write a two-letter code such as de",
            ],
        ),
        (
            "a: " + "[" * 1_000,
            [
                "front matter is not valid YAML (it cannot be parsed); its lines are read one by "
                "one: put values with special characters in quotes"
            ],
        ),
    ],
)
def test_a_field_without_a_sensible_value_is_told_and_the_article_read(
    tmp_path: Path, fields, warnings
):
    article = read(tmp_path, "a.md", f"---\n{fields}\n---\nEr leuchtet.")
    assert article.text == "Er leuchtet."
    assert list(article.warnings) == warnings
    assert (article.info.published, article.info.url, article.info.language) == (None, None, "de")


@pytest.mark.parametrize(
    ("fields", "title", "language"),
    [
        ("title: [Turm, Hafen]", "Turm, Hafen", "de"),
        ("title: {a: b}", "Er leuchtet.", "de"),
        ("title: Turm: der neue\nlang: fr", "Turm: der neue", "fr"),
        ("title: Turm\ntags:\n\t- a\nlang: german", "Turm", "de"),
        ("title: Turm\nlang: [en, de]", "Turm", "en"),
        ("title: Turm\nlang: Français", "Turm", "fr"),
        ("title: Turm\nlang: nld", "Turm", "nl"),
        ("title: Turm\ndate: {{ .Date }}\nlang: zh_Hans", "Turm", "zh"),
    ],
)
def test_what_can_be_read_of_front_matter_is(tmp_path: Path, fields, title, language):
    info = read(tmp_path, "a.md", f"---\n{fields}\n---\nEr leuchtet.").info
    assert (info.title, info.language) == (title, language)


def test_an_address_may_lack_what_browsers_add(tmp_path: Path):
    article = read(tmp_path, "a.md", "---\nurl: www.example.org/turm\n---\nEr leuchtet.")
    assert (article.info.url, article.warnings) == ("https://www.example.org/turm", ())


@pytest.mark.parametrize(
    "head",
    [
        '+++\ntitle = "Turm"\ndate = 2021-11-05T08:00:00+01:00\n[extra]\nauthor = "Ida"\n+++\n',
        '{\n "title": "Turm",\n "date": "2021-11-05",\n "author": "Ida"\n}\n',
        "Title: Turm\nDate: 5 Nov 2021\nAuthor:\tIda\n\n",
        "<!-- for editors -->\n---\ntitle: Turm\ndate: 2021-11-05\nauthor: Ida\n---\n",
        "---yaml\ntitle: Turm\ndate: 2021-11-05\nauthor: Ida\n---\n",
        "---toml\ntitle = 'Turm'\ndate = 2021-11-05\nauthor = 'Ida'\n---\n",
        '---json\n{"title": "Turm", "date": "2021-11-05", "author": "Ida"}\n---\n',
        "---\n\ntitle: Turm\ndate: 2021-11-05\nauthor: Ida\n---\n",
    ],
    ids=["toml", "json", "multimarkdown", "comment", "---yaml", "---toml", "---json", "blank"],
)
def test_front_matter_has_many_forms(tmp_path: Path, head):
    article = read(tmp_path, "a.md", f"{head}\nEr leuchtet.")
    info = article.info
    assert (info.title, info.published, info.author) == ("Turm", "2021-11-05", "Ida")
    assert (article.text, article.warnings) == ("Er leuchtet.", ())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "---\n\nDie Fähre fährt.\n\n---\n\nDer Bus auch.",
            "Die Fähre fährt.\n\nDer Bus auch.",
        ),
        ("---\n\nFrage: Was nun?\n\n---\n\nDa.", "Frage: Was nun?\n\nDa."),
        ("---\njust a line\n---\nDa.", "just a line\n\nDa."),
        ('{"a": 1} is JSON.', '{"a": 1} is JSON.'),
        ("Note: read this.\n\nDa.", "Note: read this.\n\nDa."),
    ],
)
def test_what_only_looks_like_front_matter_is_text(tmp_path: Path, source, text):
    assert read(tmp_path, "a.md", source).text == text


def test_a_file_s_name_may_tell_its_date(tmp_path: Path):
    assert read(tmp_path, "2023-11-02-turm.md", "Er leuchtet.").info.published == "2023-11-02"
    named = read(tmp_path, "2023-11-02-neu.md", "---\ndate: 2021\n---\nEr leuchtet.")
    assert named.info.published == "2021"
    assert read(tmp_path, "2023-13-02-turm.md", "Er leuchtet.").info.published is None


@pytest.mark.parametrize("field", ["draft: true", "published: false"])
def test_drafts_are_left_out_unless_they_are_wanted(tmp_path: Path, field):
    (tmp_path / "a.md").write_text(f"---\ntitle: Turm\n{field}\n---\nEr leuchtet.")
    files = find_files([tmp_path])
    (item,) = read_changed(files, lambda file, content: None)
    assert item == Skipped(
        (tmp_path / "a.md").as_posix(),
        "a draft by its front matter; set drafts = true to read it all the same",
    )
    (item,) = read_changed(files, lambda file, content: None, drafts=True)
    assert isinstance(item, Article)
    assert item.text == "Er leuchtet."


def test_yaml_tags_make_nothing_but_text(tmp_path: Path):
    fields = "title: !!python/object/apply:os.getcwd []\nx: !!timestamp no\ny: !!int ''"
    article = read(tmp_path, "a.md", f"---\n{fields}\n---\nEr leuchtet.")
    assert article.info.title == "Er leuchtet."


@pytest.mark.parametrize("source", ["---\n---\nEr leuchtet.", "---\nEr leuchtet.", "Er leuchtet."])
def test_front_matter_may_be_empty_or_missing(tmp_path: Path, source):
    article = read(tmp_path, "a.md", source)
    assert (article.text, article.info.title) == ("Er leuchtet.", "Er leuchtet.")


def test_without_a_title_the_main_heading_is_it(tmp_path: Path):
    article = read(tmp_path, "a.md", "Vorspann.\n\n# Der *neue* Turm\n\nEr leuchtet.")
    assert article.info.title == "Der neue Turm"
    article = read(tmp_path, "a.md", "### Der Turm\n\nEr leuchtet.")
    assert article.info.title == "Der Turm"


def test_a_section_s_heading_is_not_taken_for_the_title(tmp_path: Path):
    article = read(tmp_path, "a.md", "Der Turm leuchtet. Endlich.\n\n## Kosten\n\nEr war teuer.")
    assert article.info.title == "Der Turm leuchtet."


def test_a_month_loads_few_languages():
    program = (
        "import sys; from qabot.articles.formats.dates import parse_date; "
        "print(*map(parse_date, ['November 2023', '2023 nov.']), "
        "sum(name.startswith('dateparser.data.date_translation_data.') for name in sys.modules))"
    )
    *found, loaded = run_python("-c", program, cwd=ROOT).stdout.split()
    assert found == ["2023-11", "2023-11"]
    assert int(loaded) < 20


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("##One\nText.\n\n###Two##\n\nMore.", [(2, "One"), (3, "Two")]),
        ("#Why is it so?\n##Because\n\nYes.", [(1, "Why is it so?"), (2, "Because")]),
        # One word alone may be a tag, unless other headings are written so, too.
        ("#Books\n\nText.", []),
        ("#A word\n\nText.\n\n#Books\n\nMore.", [(1, "A word"), (1, "Books")]),
        # Tags, a number, a sentence, a tag within one, a comment, code.
        ("#Books #To read\n\nText.", []),
        ("##1 in the charts\n\nText.", []),
        ("#Ferry is the tag.\n\nText.", []),
        ("It has the tag\n##Ferry\n\nText.", []),
        ("#start the ferry\n\nText.", []),
        ("Text.\n\n```\n\n##One\n```", []),
    ],
)
def test_headings_may_lack_the_blank(tmp_path: Path, source, expected):
    article = read(tmp_path, "a.md", source)
    assert headings(article) == expected
    assert ("#" in article.text) == (not expected)


def test_headings_of_all_levels_keep_their_place(tmp_path: Path):
    source = (
        "# Eins\nText.\n\nZwei\n----\n\n###### Sechs ######\n\n# ![nur ein Bild](a.png)\n\nEnde."
    )
    article = read(tmp_path, "a.md", source)
    assert headings(article) == [(1, "Eins"), (2, "Zwei"), (6, "Sechs")]
    assert article.text == "Eins\n\nText.\n\nZwei\n\nSechs\n\nEnde."


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Ein **fettes** und *schräges* ~~altes~~ Wort.", "Ein fettes und schräges altes Wort."),
        ("Ein [Link](https://a.example 'x'), <https://b.example>.", "Ein Link, https://b.example."),
        ("Ein ![Bild](a.png)Bild.", "Ein Bild."),
        ("Das Kommando `ls -l` zeigt\n`*`.", "Das Kommando ls -l zeigt\n*."),
        (
            "Zeile eins\nZeile zwei  \nZeile drei\\\nvier",
            "Zeile eins\nZeile zwei\nZeile drei\nvier",
        ),
        ("Ein<br>Umbruch und <b>Fett</b>.", "Ein\nUmbruch und Fett."),
        ("A &amp; B &copy; \\*C\\*", "A & B © *C*"),
        ("<div>\nhier\n</div>\n\nDa.", "hier\n\nDa."),
        ("<p>Um <b>10:30</b>\ngeht es los.</p>\n\nDa.", "Um 10:30 geht es los.\n\nDa."),
        (
            "<details>\n<summary>Wann?</summary>\n\nUm **zwölf**.\n\n</details>\n\nDa.",
            "Wann?\nUm zwölf.\n\nDa.",
        ),
        ("<center>Mitte</center>\n<div hidden>weg</div>\n\nDa.", "Mitte\n\nDa."),
        ("Das Element <script> bleibt.\n\nDa.", "Das Element <script> bleibt.\n\nDa."),
        ("Höhe[^1] und Breite.\n\n[^1]: In Metern.", "Höhe und Breite.\n\nIn Metern."),
        (
            "Da.\n\n[^x]: Ohne Zeichen.\n\nDort.[^y]\n\n[^y]:\n    Mit.",
            "Da.\n\nOhne Zeichen.\n\nDort.\n\nMit.",
        ),
        ("Turm\n: Ein hohes Haus.", "Turm: Ein hohes Haus."),
        ("<!-- weg -->\n\nDa.", "Da."),
        ("Da.\n\n---\n\nDort.", "Da.\n\nDort."),
        ("> Ein Zitat.\n>\n> Noch eins.\n\nDa.", "Ein Zitat.\n\nNoch eins.\n\nDa."),
        (
            "Es gibt:\n\n- eins\n- **zwei**\n  - innen\n- drei\n\nDa.",
            "Es gibt:\n\neins\nzwei\ninnen\ndrei\n\nDa.",
        ),
        ("1. eins\n\n   Absatz\n\n2. zwei", "1. eins\nAbsatz\n2. zwei"),
        ("4. vier\n5. fünf\n   - a\n   - b", "4. vier\n5. fünf\na\nb"),
        ("1. eins\n   1. innen\n2. zwei", "1. eins\n1. innen\n2. zwei"),
        ("1. ```\n   Code\n   ```\n2. **zwei** b", "1.\nCode\n2. zwei b"),
        ("<ol><li><p>eins</p></li><li value='7'>sieben</li></ol>", "1. eins\n7. sieben"),
        ("<ol type='a'><li>eins</li><li>zwei</li></ol>", "a. eins\nb. zwei"),
        ("<ol type='I' start='4'><li>vier</li><li>fünf</li></ol>", "IV. vier\nV. fünf"),
        ("<ol reversed><li>zwei</li><li>eins</li></ol>", "2. zwei\n1. eins"),
        ("<ol style='list-style: none'><li>eins</li></ol>", "eins"),
        ("<ol><li>3. drei</li><li>4. vier</li></ol>", "3. drei\n4. vier"),
        ("Text[^1] endet.\n\n[^1]: Die Anmerkung.", "Text endet.\n\nDie Anmerkung."),
        ("| A | B |\n|---|---|\n| 1 | *2* |\n\nDa.", "A | B\n1 | B: 2\n\nDa."),
        ("```python\nif a:\n    b = '*'\n\n\n\nc\n```\n\nDa.", "if a:\n    b = '*'\n\nc\n\nDa."),
        ("Da.\n\n    if a:\n        b\n", "Da.\n\nif a:\n    b"),
    ],
)
def test_the_body_becomes_clean_text(tmp_path: Path, source, text):
    assert read(tmp_path, "a.md", source).text == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Version {{ site.version }} ist {% if x %}da{% endif %}.", "Version ist da."),
        ("{% comment %} intern {% endcomment %}\nDa.", "Da."),
        ("{% name %}kai/werft.py{% endname %}\n\nDa.", "kai/werft.py\n\nDa."),
        ("{% if x %} Eins.\n\nZwei.\n{% endif %}\n\nDa.", "Eins.\n\nZwei.\n\nDa."),
        ("{{< a >}} Eins.\n\nZwei.\n{{< /a >}}", "Eins.\n\nZwei."),
        ("{{ a }} Eins.\n\nZwei.\n{{ b }}", "Eins.\n\nZwei."),
        ('Von {{ "ida" | team}}.\n\nEins.\n\n{{ "bo" | team }} Zwei.', "Von .\n\nEins.\n\nZwei."),
        ('{{ f({"a": {"b": 1}}) }}Eins, {{ offen.\n\nZwei }}.', "Eins, {{ offen.\n\nZwei }}."),
        ("Ein {% loses Ende.\n\n{% if x %}Da.{% endif %}", "Ein {% loses Ende.\n\nDa."),
        ('{{< callout type="x" >}}\nAchtung.\n{{< /callout >}}', "Achtung."),
        ("{% highlight ruby %}\nputs '{{ x }}'\n{% endhighlight %}", "puts '{{ x }}'"),
        ("So:\n\n    {{ a }} {% b %}\n\n    c\n\nEnde.", "So:\n\n{{ a }} {% b %}\n\nc\n\nEnde."),
        ("```yaml\na: ${{ b }} # {% c %}\n```\n\n`{{ d }}`", "a: ${{ b }} # {% c %}\n\n{{ d }}"),
        ("import A from '@a/b';\n\nexport const c = 1;\n\nDa.", "Da."),
        ("import duties rise from '24'.\n\nDa.", "import duties rise from '24'.\n\nDa."),
        (
            '<Tabs>\n<TabItem value="x" label="Linux">\n\nAls *root*.\n\n</TabItem>\n</Tabs>',
            "Linux\n\nAls root.",
        ),
        ("<Steps on={() => a > b}>\n1. Eins\n2. Zwei\n</Steps>", "1. Eins\n2. Zwei"),
        (":::warning[Vorher]\n\nHalt.\n\n:::\n\nDa.", "Vorher\n\nHalt.\n\nDa."),
        ('!!! note "Dauer"\n    21 *Tage*.\n\nDa.', "Dauer\n\n21 Tage.\n\nDa."),
        (
            '=== "Linux"\n\n    ``` sh\n    ls\n      -l\n    ```\n\n    1.  Dann *Kaffee*.[^1]\n\n'
            "        ```\n        mehr\n        ```\n\n        Pause.\n\n[^1]: Heiß.\n\nDa.",
            "Linux\n\nls\n  -l\n\n1. Dann Kaffee.\nmehr\nPause.\n\nDa.\n\nHeiß.",
        ),
        ("Aus <Math><MathI>x</MathI> = 2</Math> folgt <Math>4</Math>.", "Aus x = 2 folgt 4."),
        (
            ":octicons-file-code-16: mkdocs.yml: um 10:30-11:00: Tee",
            "mkdocs.yml: um 10:30-11:00: Tee",
        ),
        ("Da :material-check:{ .a } ist :a-b:`c`.", "Da ist :a-b:c."),
        ("> [!NOTE]\n> Öl nachfüllen.", "Note\n\nÖl nachfüllen."),
        ("> [!tip]- Öl\n> Nachfüllen.", "Öl\n\nNachfüllen."),
        ("# Titel {#titel}\n\n## Zwei {: .klein }\n{: #zwei}\n\nDa.", "Titel\n\nZwei\n\nDa."),
        ('Ein [Link](a){:target="b"} und [[Seite|ein zweiter]].', "Ein Link und ein zweiter."),
        ("Siehe [[Seite]].%%nur für mich%%\n![[bild.png]]", "Siehe Seite."),
        ("Das ==gilt== immer, auch a == b und c == d.", "Das gilt immer, auch a == b und c == d."),
        ("- [x] fertig\n- [ ] offen ^marke", "☑ fertig\n☐ offen"),
        ("[TOC]\n\nDa.", "Da."),
        ("[[_TOC_]]\n\n* TOC\n{:toc}\n\nDa.", "Da."),
        ("{{#include a.md}}\n\nDa <%= b %> und {{> c}} dort.", "Da und dort."),
        (
            'Da.\n{% include zitat.html text="Wir *bauen* \\"Boote\\"." author=\'Ida Brandt\'\n'
            '  image="/a/b.png" alt="Ein Kai" %}\nDort.',
            'Da.\n\nWir bauen "Boote".\n\nIda Brandt\n\nDort.',
        ),
        ('{% include "bild.html", src: "a.png", caption: "Der Kai." %}\n\nDa.', "Der Kai.\n\nDa."),
        ('Ein {{< glossar text="Kai" term_id="kai" >}} ist breit.', "Ein Kai ist breit."),
        ('{{% tab name="Linux" %}}\nAls root.\n{{% /tab %}}', "Linux\n\nAls root."),
        ('{{ bild(src="a.png", caption="Am Kai") }}\n\nDa.', "Am Kai\n\nDa."),
        ('<div>\n{{< bild src="a.jpg" title="Am Kai" >}}\n</div>\n\nDa.', "Am Kai\n\nDa."),
        ('{% assign title = "weg" %}{% if title == "weg" %}Da.{% endif %}', "Da."),
        ('{{< qr text="https://a.example/b" >}}{{< x name="weg" >}}\n\nDa.', "Da."),
        (
            "Siehe ![[Notiz]], ![[Hof/Plan#Tor|den Plan]] und ![[Hof.v2.svg|80]]",
            "Siehe Notiz, den Plan und",
        ),
        (
            '<Card title="Erste" icon="x" description="Zum Lesen">\n\nDa.\n\n</Card>',
            "Erste\n\nZum Lesen\n\nDa.",
        ),
        ("Die Formel $\\mathbf{{x}}$ gilt.", "Die Formel $\\mathbf{{x}}$ gilt."),
    ],
)
def test_templates_and_markers_are_no_text(tmp_path: Path, source, text):
    assert read(tmp_path, "a.mdx", source).text == text


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            "| Tarif | Platz | Preis |\n|---|---|---|\n| Klein | | 4 € |\n| Groß | 2 GB | |",
            "Tarif | Platz | Preis\nKlein | Preis: 4 €\nGroß | Platz: 2 GB",
        ),
        (
            "<table><tr><th>Tag</th><th>Früh</th><th>Spät</th></tr>"
            "<tr><td rowspan=2>Mo</td><td>9</td><td>17</td></tr>"
            "<tr><td colspan=2>zu</td></tr></table>",
            "Tag | Früh | Spät\nMo | Früh: 9 | Spät: 17\nMo | Früh: zu",
        ),
        (
            "<table><caption>Zeiten</caption><tr><td>Mo</td><td><ul><li>9</li><li>12</li></ul></td>"
            "</tr><tr><td></td><td>zu</td></tr></table>",
            "Zeiten\nMo | 9, 12\n| zu",
        ),
        (
            "<table><tr><th>Länge</th><td>9 m</td></tr>"
            "<tr><th>Breite:</th><td>3 m</td></tr></table>",
            "Länge: 9 m\nBreite: 3 m",
        ),
        (
            "<table><tr><td>Jahr</td><td>Schiffe</td></tr><tr><td>2011</td><td>1</td></tr>"
            "<tr><td>2012</td><td>4</td></tr></table>",
            "Jahr | Schiffe\n2011 | Schiffe: 1\n2012 | Schiffe: 4",
        ),
        (
            "<table><tr><td><h2>Links</h2><p>Text.</p></td><td><p>Rechts.</p></td></tr></table>",
            "Links\n\nText.\n\nRechts.",
        ),
        ("<table><tr><td>a</td><td>b</td></tr><p>verirrt</p></table>", "a | b\n\nverirrt"),
    ],
)
def test_each_cell_of_a_table_is_told_with_its_column(tmp_path: Path, table, text):
    assert read(tmp_path, "a.md", table).text == text


def test_a_cell_that_says_it_covers_a_million_others_does_no_harm(tmp_path: Path):
    row = '<tr><td colspan="99999" rowspan="99999">a</td><td>b</td></tr>'
    article = read(tmp_path, "a.md", f"<table>{row * 50}</table>")
    assert len(article.text) < 100_000


def test_the_seed_articles_are_read_with_what_they_declare():
    articles = list(read_sources([SEEDS]))
    assert articles
    for article in articles:
        assert isinstance(article, Article)
        source = Path(article.info.source).read_text("utf-8")
        assert f'title: "{article.info.title}"\n' in source
        assert f"language: {article.info.language}\n" in source
        assert f'published: "{article.info.published}"\n' in source
        assert headings(article) == [
            (2, line.removeprefix("## ")) for line in source.split("\n") if line.startswith("## ")
        ]
        assert "#" not in article.text


GRID = """+---------------+---------+------------------+
| Fruit         | Price   | Advantages       |
+:==============+========:+==================+
| *Bananas*     | 1.34    | - wrapped        |
|               |         | - bright         |
+---------------+---------+------------------+
| Oranges       | 2.10                       |
+---------------+---------+------------------+
"""


def test_a_table_of_plus_signs_is_a_table(tmp_path: Path):
    assert read(tmp_path, "a.md", f"Fruits:\n\n{GRID}\nThe end.").text == (
        "Fruits:\n\nFruit | Price | Advantages\n"
        "Bananas | Price: 1.34 | Advantages: wrapped, bright\n"
        "Oranges | Price: 2.10\n\nThe end."
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("+---+---+\n| a | b |\n+---+---+\n| c | d |\n+---+---+\n", "a | b\nc | d"),
        (
            "+---+---+\n| a | b |\n+===+===+\n| c | d |\n+===+===+\n| e | f |\n+---+---+\n",
            "a | b\nc | b: d\ne | b: f",
        ),
        ("+----+----+\n| 桥 | b  |\n+====+====+\n| 江 | d  |\n+----+----+", "桥 | b\n江 | b: d"),
        # Not drawn as it should be: it stays as it is.
        ("+--+\n|ab\n|c|\n+---+\n", "+--+\n|ab\n|c|\n+---+"),
    ],
)
def test_tables_of_plus_signs_have_many_forms(tmp_path: Path, source, text):
    assert read(tmp_path, "a.md", source).text == text


def test_a_table_of_plus_signs_in_code_stays(tmp_path: Path):
    assert read(tmp_path, "a.md", f"```\n{GRID}```").text == GRID.strip()


@pytest.mark.parametrize(
    "header",
    [
        "%YAML 1.2\n---\ntitle: The ferry\ndate: 2021-05-01\n---\n",
        "%YAML 1.1\n%TAG !t! tag:a.org,2000:\n---\ntitle: The ferry\ndate: 2021-05-01\n...\n",
        "---\ntitle: The ferry\ndate: 2021-05-01\n----\n",
        "----\ntitle: The ferry\ndate: 2021-05-01\n-----\n",
        "% The\n  ferry\n% Anna Bo; Carl Dee\n% 2021-05-01\n\n",
        "% The ferry\n%\n% May 1, 2021\n\n",
    ],
)
def test_headers_may_be_drawn_in_other_ways(tmp_path: Path, header):
    article = read(tmp_path, "a.md", f"{header}It runs.\n\n---\n\nIt stopped.")
    assert (article.info.title, article.info.published, article.text) == (
        "The ferry",
        "2021-05-01",
        "It runs.\n\nIt stopped.",
    )
    assert article.warnings == ()


def test_links_to_paragraphs_of_notes_show_the_note(tmp_path: Path):
    source = (
        "See [[Ferry#^a1]], ![[Ferry#^a1]], [[Ferry^b]] and [[Ferry#^c|there]].\n\n![[Ferry#^x]]\n"
    )
    assert read(tmp_path, "a.md", source).text == "See Ferry, Ferry, Ferry and there.\n\nFerry"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("It holds 2<sup>7</sup> − 1 of 12 m<sup>2</sup>.", "It holds 2⁷ − 1 of 12 m²."),
        ("Up to 2<sup>n − 1</sup> or 10<sup>-3</sup>.", "Up to 2ⁿ⁻¹ or 10⁻³."),
        ("The ferry<sup>1</sup> runs.", "The ferry¹ runs."),
        (
            "The 1<sup>st</sup> ferry, M<sup>me</sup> Bo, H<sub>2</sub>O.",
            "The 1st ferry, Mme Bo, H2O.",
        ),
    ],
)
def test_raised_numbers_stay_raised(tmp_path: Path, source, text):
    assert read(tmp_path, "a.md", source).text == text


@pytest.mark.parametrize(
    "opening",
    [
        '<Listing number="1" caption="Of `Box<T>`">',
        '<Listing\n  number="1"\n  caption="Of `Box<T>`"\n>',
        '<Listing number="1"\n    style={{ color: "red" }} caption="Of `Box<T>`">',
    ],
)
def test_the_caption_of_a_component_may_hold_anything(tmp_path: Path, opening):
    source = f"Before.\n\n{opening}\n\nIt *runs*.\n\n</Listing>\n"
    assert read(tmp_path, "a.mdx", source).text == "Before.\n\nOf Box<T>\n\nIt runs."


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("<mfrac><mn>1</mn><mn>2</mn></mfrac><mi>m</mi>", "1/2m"),
        ("<mfrac><mrow><mn>1</mn><mo>+</mo><mi>x</mi></mrow><mn>3</mn></mfrac>", "(1+x)/3"),
        ("<msup><mi>v</mi><mn>2</mn></msup><mo>=</mo><msub><mi>a</mi><mn>1</mn></msub>", "v²=a_1"),
        ("<msup><mi>e</mi><mi>t</mi></msup><msqrt><mi>a</mi><mi>b</mi></msqrt>", "e^t√(ab)"),
        ("<msubsup><mi>a</mi><mn>1</mn><mn>2</mn></msubsup>", "a_1²"),
        ("<mn>1</mn> <mtext> if </mtext> <mi>x</mi>", "1 if x"),
        (
            "<semantics><mi>x</mi><annotation encoding='application/x-tex'>x</annotation>"
            "</semantics>",
            "x",
        ),
    ],
)
def test_a_formula_is_one_line(tmp_path: Path, formula, text):
    source = f"It is <math>{formula}</math> here."
    assert read(tmp_path, "a.md", source).text == f"It is {text} here."
