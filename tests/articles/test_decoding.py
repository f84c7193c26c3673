from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from qabot.errors import ArticleError
from tests.articles.support import read

GERMAN = (
    "Die Gemeinde hat „große Pläne“ für das alte Sägewerk: Künftig sollen dort Künstler "
    "arbeiten, fünf Ateliers sind schon vergeben. Bürgermeisterin Höß rechnet mit 300.000 € Kosten."
)
FRENCH = (
    "La bibliothèque a rouvert après six mois de travaux. Les élèves du collège "
    "voisin, très nombreux à l’inauguration, ont reçu un livre chacun ; « c’était une fête », a "
    "déclaré la maire."
)
SPANISH = (
    "El Ayuntamiento cerró ayer el puente por un daño en el pilar. «Mañana sabremos más», señaló "
    "la ingeniera. ¿Cuánto durará la reparación? Según los técnicos, quizá un año."
)
SWEDISH = "Färjan går inte på måndag. Rederiet säger att båten måste lagas innan den får åka igen."
POLISH = (
    "Muzeum zostało otwarte po dziesięciu latach budowy. Zwiedzający mogą zobaczyć łodzie, które "
    "wyłowiono z jeziora, oraz mapę żeglugi śródlądowej."
)
CZECH = (
    "Most byl po třech měsících znovu otevřen. Podle města stála oprava méně, než se čekalo, a "
    "příští rok přijde na řadu nábřeží; tramvaje budou jezdit až večer."
)
TURKISH = (
    "Köprü pazartesi günü yeniden trafiğe açıldı. Belediye, onarımın üç ay sürdüğünü ve şehrin "
    "bütçesinden karşılandığını açıkladı."
)
GREEK = "Η γέφυρα άνοιξε ξανά τη Δευτέρα. Ο δήμος ανακοίνωσε ότι οι εργασίες διήρκεσαν τρεις μήνες."
RUSSIAN = (
    "Мост снова открыли в понедельник. Ремонт длился три месяца, сообщила городская "
    "администрация, и обошёлся дешевле, чем ожидали. Жители довольны."
)
UKRAINIAN = (
    "Міст знову відкрили в понеділок. Ремонт тривав три місяці, повідомила міська влада, "
    "і коштував менше, ніж очікували."
)
HEBREW = "הגשר נפתח מחדש ביום שני. העירייה הודיעה כי השיפוץ נמשך שלושה חודשים ועלה פחות מהצפוי."
ARABIC = (
    "أعيد افتتاح الجسر يوم الاثنين بعد ثلاثة أشهر من أعمال الصيانة. وقالت البلدية إن التكلفة "
    "كانت أقل مما كان متوقعا، وإن السكان راضون عن النتيجة."
)
JAPANESE = (
    "月曜日に橋の通行が再開された。市によると、補修工事は三か月かかったが、費用は予想より"
    "少なかったという。近くに住む人たちは「これで通勤が楽になる」と喜んでいる。"
)
CHINESE = (
    "大桥于星期一重新开放。市政府表示，维修工程历时三个月，费用低于预期，附近居民对结果感到满意。"
)
TAIWANESE = "大橋於星期一重新開放。市政府表示，維修工程歷時三個月，費用低於預期，附近居民感到滿意。"
KOREAN = (
    "다리가 월요일에 다시 열렸다. 시는 보수 공사가 석 달 걸렸고 비용은 예상보다 적었다고 밝혔다."
)
THAI = "สะพานเปิดใช้อีกครั้งในวันจันทร์ เทศบาลแจ้งว่าการซ่อมแซมใช้เวลาสามเดือนและใช้งบประมาณน้อยกว่าที่คาด"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", GERMAN),
        ("cp1252", FRENCH),
        ("cp1252", SPANISH),
        ("latin-1", SWEDISH),
        ("cp850", SWEDISH),
        ("cp850", SPANISH),
        ("mac_roman", GERMAN),
        ("mac_roman", FRENCH),
        ("cp1250", POLISH),
        ("iso8859-2", POLISH),
        ("cp852", POLISH),
        ("iso8859-2", CZECH),
        ("cp1250", CZECH),
        ("cp852", CZECH),
        ("cp1254", TURKISH),
        ("cp1253", GREEK),
        ("cp1251", RUSSIAN),
        ("koi8-r", RUSSIAN),
        ("cp1251", "Паром не ходил во вторник."),
        ("koi8-r", "Паром не ходил во вторник."),
        ("mac_cyrillic", RUSSIAN),
        ("mac_cyrillic", UKRAINIAN),
        ("cp1251", UKRAINIAN),
        ("koi8-u", UKRAINIAN),
        ("cp1255", HEBREW),
        ("cp1256", ARABIC),
        ("iso8859-6", ARABIC),
        ("shift_jis", JAPANESE),
        ("euc_jp", JAPANESE),
        ("iso2022_jp", JAPANESE),
        ("gb18030", CHINESE),
        ("gbk", CHINESE),
        ("big5", TAIWANESE),
        ("euc_kr", KOREAN),
        ("cp874", THAI),
        ("utf-8", GERMAN + "\n\n" + JAPANESE + "\n\n" + ARABIC),
        ("utf-8-sig", GERMAN),
        ("utf-16", CHINESE),
        ("utf-32", RUSSIAN),
    ],
)
def test_a_paragraph_is_read_in_the_encoding_it_was_written_in(tmp_path: Path, encoding, text):
    assert read(tmp_path, "a.txt", text.encode(encoding)).text == text


def test_utf_16_of_either_byte_order_is_told_by_its_mark(tmp_path: Path):
    big = codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be")
    little = codecs.BOM_UTF16_LE + GERMAN.encode("utf-16-le")
    assert read(tmp_path, "a.txt", big).text == GERMAN
    assert read(tmp_path, "a.txt", little).text == GERMAN


def test_a_page_of_markup_in_an_old_encoding_is_read_by_its_text(tmp_path: Path):
    script = "<script>" + "var a = function (b) { return b + 1; };" * 100 + "</script>"
    page = f"<html><head>{script}</head><body><article><p>{POLISH}</p></article></body></html>"
    assert read(tmp_path, "a.html", page.encode("cp1250")).text == POLISH


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("ISO-8859-1", "cp1252"), ("windows-1252", "cp1252"), ("nonsense", "cp1252")],
)
def test_a_page_may_declare_its_encoding(tmp_path: Path, declared, encoding):
    # Too little text to tell it otherwise: in windows-1250 these bytes are Polish letters.
    page = f'<html><head><meta charset="{declared}"></head><body><p>{GERMAN}</p></body></html>'
    assert read(tmp_path, "a.html", page.encode(encoding)).text == GERMAN


def test_a_declared_encoding_wins_over_what_would_look_likely(tmp_path: Path):
    page = '<html><head><meta charset="iso-8859-7"></head><body><p>Ωδή ωδή ωδή</p></body></html>'
    assert read(tmp_path, "a.html", page.encode("iso8859-7")).text == "Ωδή ωδή ωδή"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file (looks like a PNG image)"),
        (b"\xff\xd8\xff\xe0abc", "not a text file (looks like a JPEG image)"),
        (b"\x7fELF\x02", "not a text file (looks like a program)"),
        (b"text\x00with\x00many\x00", "not a text file (contains NUL bytes)"),
        (b"\x01\x02\x03 many \x04\x05\x06\x07", "not a text file (full of control characters)"),
        (bytes(range(128, 256)) * 4, "not a text file (no text encoding fits)"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(tmp_path: Path, data, complaint):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.txt", data)
    assert str(caught.value) == (
        f"{(tmp_path / 'a.txt').as_posix()}: {complaint}; remove it or convert it to UTF-8 text"
    )


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"%PDF-1.7\nobj", "a PDF document); rename it to .pdf if it is one"),
        (
            b"PK\x03\x04abc",
            "a ZIP archive or an Office document); rename it to .docx, .odt or .epub if it is one",
        ),
    ],
)
def test_a_document_under_a_wrong_name_is_told_the_right_one(tmp_path: Path, data, complaint):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, "a.txt", data)
    where = (tmp_path / "a.txt").as_posix()
    assert str(caught.value) == f"{where}: not a text file (looks like {complaint}"


def test_utf_8_with_one_broken_byte_is_not_guessed_to_be_something_else(tmp_path: Path):
    lines = GERMAN + "\n" + GERMAN
    data = lines.encode().replace("Künstler".encode(), "Künstler".encode("latin-1"), 1)
    assert read(tmp_path, "a.txt", data).text == lines.replace("Künstler", "K\ufffdnstler", 1)


def test_a_broken_byte_of_a_page_that_says_it_is_utf_8_is_one_character(tmp_path: Path):
    page = (
        '<html><head><meta charset="utf-8"></head><body><main><p>The ferry\u2019s fare is 12 euros '
        "on every crossing.</p><p>Free until the \u00ff year.</p></main></body></html>"
    )
    data = page.encode().replace("\u00ff".encode(), b"\xff")
    text = read(tmp_path, "a.html", data).text
    assert text == (
        "The ferry\u2019s fare is 12 euros on every crossing.\n\nFree until the \ufffd year."
    )


def test_a_stray_nul_is_one_broken_character(tmp_path: Path):
    data = (GERMAN + "\0").encode() + GERMAN.encode()
    assert read(tmp_path, "a.txt", data).text == f"{GERMAN}\ufffd{GERMAN}"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [GERMAN, RUSSIAN, HEBREW, CHINESE * 2, JAPANESE])
def test_utf_16_without_a_mark_is_told_by_its_script(tmp_path: Path, encoding, text):
    assert read(tmp_path, "a.txt", f"{text}\n".encode(encoding)).text == text


def test_utf_16_that_ends_in_half_a_character_is_read(tmp_path: Path):
    data = GERMAN.encode("utf-16")[:-1]
    assert read(tmp_path, "a.txt", data).text == f"{GERMAN[:-1]}\ufffd"
    data = GERMAN.encode("utf-16-le")[:-1]
    assert read(tmp_path, "a.txt", data).text == GERMAN[:-1]


def test_utf_16_that_is_broken_throughout_is_refused(tmp_path: Path):
    with pytest.raises(ArticleError, match=r"damaged UTF-16; save it again as UTF-8"):
        read(tmp_path, "a.txt", b"\xff\xfe" + b"\x00\xd8a\x00" * 99)


def test_only_line_ends_marks_and_control_characters_are_changed(tmp_path: Path):
    raw = (
        "\ufeffA\u00a0line\r\nwith\u2028ends \x07of\rall kinds,\tcafe\u0301\ufeff.\x0cNew page.\r\n"
    )
    expected = "A\u00a0line\nwith\nends of\nall kinds,\tcafe\u0301.\n\nNew page."
    assert read(tmp_path, "a.txt", raw).text == expected


def test_surplus_blank_lines_go_and_indents_stay(tmp_path: Path):
    raw = "\n \n\u3000One line.\n\t\n\n  \n\u3000Another line.\nIts second one.   \n\n"
    expected = "One line.\n\n\u3000Another line.\nIts second one."
    assert read(tmp_path, "a.txt", raw).text == expected


def test_one_nul_of_a_short_text_is_a_broken_character(tmp_path: Path):
    article = read(tmp_path, "a.txt", b"Gate 7\x00 opens at noon.")
    assert article.text == "Gate 7\N{REPLACEMENT CHARACTER} opens at noon."


def test_some_nuls_of_a_short_text_are_broken_characters(tmp_path: Path):
    article = read(tmp_path, "a.txt", b"Gate\0 7 opens at noon,\0 gate 8 not before three.")
    assert article.text == "Gate\ufffd 7 opens at noon,\ufffd gate 8 not before three."


def test_nuls_that_fill_up_a_file_are_no_text(tmp_path: Path):
    data = "Gate 7 opens at noon for Zoë.\n".encode() + bytes(4_000)
    assert read(tmp_path, "a.txt", data).text == "Gate 7 opens at noon for Zoë."


@pytest.mark.parametrize(
    "data",
    [
        b"gate\0opens\0at\0noon\0",
        b"Gate 7\0\1\2\0opens at noon on all days.",
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x44\xac\0\0",
        "Gate 7 opens\0 at noon\0 for Zo\xeb.".encode("latin-1"),
    ],
)
def test_nuls_among_other_than_text_are_refused(tmp_path: Path, data: bytes):
    with pytest.raises(ArticleError, match="not a text file"):
        read(tmp_path, "a.txt", data)
