# ruff: noqa: E501 - samples of XML
"""Laws in XML come with title, date, numbered articles under their headings, and the period they hold. Samples after the schemas."""

from __future__ import annotations

from pathlib import Path

from tests.ingest.reading import blocks, parsed, rejected, written

AKN = """<?xml version="1.0" encoding="UTF-8"?>
<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><act name="loi"><meta><identification source="#a">
<FRBRWork><FRBRthis value="/fr/act/2024/5"/><FRBRdate date="2024-05-03" name="signature"/><FRBRauthor href="#parlement"/></FRBRWork>
<FRBRExpression><FRBRdate date="2024-06-01" name="x"/><FRBRlanguage language="fra"/></FRBRExpression></identification>
<references source="#a"><TLCOrganization eId="parlement" href="/o/p" showAs="Parlement de Montclair"/></references></meta>
<preface><longTitle><p><docType>Loi</docType> n° <docNumber>2024-5</docNumber> relative aux <docTitle>ports de Montclair</docTitle></p></longTitle></preface>
<body><chapter eId="c1"><num>Chapitre I</num><heading>Dispositions générales</heading>
<article eId="a1"><num>1</num><heading>Objet</heading><paragraph><num>1°</num><content><p>Le port est <ref href="#x">ouvert</ref> à tous.</p></content></paragraph>
<paragraph><num>2°</num><list><intro><p>Sont exclus :</p></intro><point><num>a)</num><content><p>les barges ;</p></content></point></list></paragraph></article>
<article eId="a2"><num>Article L. 123-4</num><content><p>Les droits sont :</p>
<table><tr><th>Navire</th><th>Droit</th></tr><tr><td>Voilier</td><td>12 €</td></tr></table></content></article></chapter></body>
<conclusions><p>Fait à Montclair.</p></conclusions></act></akomaNtoso>"""

LEGI_ARTICLE = """<?xml version="1.0" encoding="UTF-8"?>
<ARTICLE><META><META_COMMUN><ID>LEGIARTI000000000001</ID><ORIGINE>LEGI</ORIGINE><NATURE>Article</NATURE></META_COMMUN>
<META_SPEC><META_ARTICLE><NUM>L123-4</NUM><ETAT>VIGUEUR</ETAT><DATE_DEBUT>2016-10-09</DATE_DEBUT><DATE_FIN>2999-01-01</DATE_FIN></META_ARTICLE></META_SPEC></META>
<CONTEXTE><TEXTE date_signature="2016-10-07" ministere="Ministère des ports" nature="LOI" num="2016-1321"><TITRE_TXT>LOI n° 2016-1321 du 7 octobre 2016 relative aux ports</TITRE_TXT>
<TM><TITRE_TM>Titre Ier : Des quais</TITRE_TM><TM><TITRE_TM>Chapitre II : Des droits</TITRE_TM></TM></TM></TEXTE></CONTEXTE>
<NOTA><CONTENU>Applicable au 1er janvier.</CONTENU></NOTA>
<BLOC_TEXTUEL><CONTENU><p>Le droit est <em>fixé</em> par décret.<br/>Il est annuel.</p><p>a) barges ;</p><table><tr><td>Voilier</td><td>12 €</td></tr></table></CONTENU></BLOC_TEXTUEL>
<LIENS><LIEN id="x">autre texte</LIEN></LIENS></ARTICLE>"""

LEGI_TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<TEXTE_VERSION><META><META_COMMUN><ID>LEGITEXT000000000001</ID><NATURE>DECRET</NATURE></META_COMMUN><META_SPEC>
<META_TEXTE_CHRONICLE><NUM>2020-5</NUM><DATE_TEXTE>2020-01-03</DATE_TEXTE></META_TEXTE_CHRONICLE>
<META_TEXTE_VERSION><TITRE>Décret</TITRE><TITREFULL>Décret n° 2020-5 du 3 janvier 2020 relatif aux quais</TITREFULL><ETAT>ABROGE</ETAT>
<DATE_DEBUT>2020-02-01</DATE_DEBUT><DATE_FIN>2023-01-01</DATE_FIN><AUTORITE>Premier ministre</AUTORITE></META_TEXTE_VERSION></META_SPEC></META>
<VISAS><CONTENU><p>Vu le code des ports,</p></CONTENU></VISAS><SIGNATAIRES><CONTENU>Le Premier ministre,<br/>Jean Petit</CONTENU></SIGNATAIRES></TEXTE_VERSION>"""


def test_akoma_ntoso_gives_title_date_author_and_numbered_articles(tmp_path: Path) -> None:
    document = parsed(written(tmp_path / "a.xml", AKN))
    assert (document.title, document.date, document.author) == (
        "ports de Montclair",
        "2024-05-03",
        "Parlement de Montclair",
    )
    assert (document.document_type, document.language) == ("law", "fr")
    assert blocks(document) == [
        ("paragraph", "Loi n° 2024-5 relative aux ports de Montclair"),
        ("heading", "Chapitre I – Dispositions générales"),
        ("heading", "Article 1 – Objet"),
        ("list item", "1° Le port est ouvert à tous."),
        ("list item", "2° Sont exclus :"),
        ("list item", "a) les barges ;"),
        ("heading", "Article L. 123-4"),
        ("paragraph", "Les droits sont :"),
        ("table", "Navire | Droit\nVoilier | 12 €"),
        ("paragraph", "Fait à Montclair."),
    ]
    assert [block.heading_level for block in document.blocks if block.heading_level] == [3, 6, 6]


def test_legi_article_stands_under_its_text_and_parts_with_the_period_it_holds(tmp_path: Path) -> None:
    document = parsed(written(tmp_path / "a.xml", LEGI_ARTICLE))
    assert document.title == "Article L123-4, LOI n° 2016-1321 du 7 octobre 2016 relative aux ports"
    assert (document.date, document.author, document.document_type) == ("2016-10-07", "Ministère des ports", "law")
    assert blocks(document) == [
        ("heading", "LOI n° 2016-1321 du 7 octobre 2016 relative aux ports"),
        ("heading", "Titre Ier : Des quais"),
        ("heading", "Chapitre II : Des droits"),
        ("heading", "Article L123-4"),
        ("paragraph", "En vigueur depuis le 9 octobre 2016"),
        ("paragraph", "Applicable au 1er janvier."),
        ("paragraph", "Le droit est fixé par décret."),
        ("paragraph", "Il est annuel."),
        ("list item", "a) barges ;"),
        ("table", "Voilier | 12 €"),
    ]


def test_legi_text_tells_that_it_is_repealed_and_who_signed(tmp_path: Path) -> None:
    document = parsed(written(tmp_path / "a.xml", LEGI_TEXT))
    assert (document.title, document.date) == ("Décret n° 2020-5 du 3 janvier 2020 relatif aux quais", "2020-01-03")
    assert (document.author, document.document_type) == ("Premier ministre", "decree")
    assert [text for _, text in blocks(document)] == [
        "Décret n° 2020-5 du 3 janvier 2020 relatif aux quais",
        "En vigueur du 1er février 2020 au 1er janvier 2023 (abrogé)",
        "Vu le code des ports,",
        "Le Premier ministre,",
        "Jean Petit",
    ]


def test_entities_in_a_law_are_refused(tmp_path: Path) -> None:
    bomb = AKN.replace("?>\n", '?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n', 1).replace(
        "tous.", "&e;"
    )
    assert rejected(written(tmp_path / "a.xml", bomb)).category == "damaged"


def test_other_xml_with_such_names_is_read_as_before(tmp_path: Path) -> None:
    document = parsed(written(tmp_path / "a.xml", "<ARTICLE><titre>Un titre</titre><p>Un texte.</p></ARTICLE>"))
    assert blocks(document) == [("heading", "Un titre"), ("paragraph", "Un texte.")]


def test_footnote_of_a_law_stands_behind_its_block_and_not_in_the_sentence(tmp_path: Path) -> None:
    note = '<authorialNote marker="{}"><p>Modifié par la loi n° {}.</p></authorialNote>'
    text = AKN.replace("ouvert</ref> à tous.", f"ouvert</ref>{note.format(1, 7)} à tous.")
    text = text.replace("<heading>Objet", f"<heading>Objet{note.format(2, 8)}").replace(
        "12 €", f"12 €{note.format(3, 9)}"
    )
    found = blocks(parsed(written(tmp_path / "a.xml", text)))
    first = found.index(("heading", "Article 1 – Objet"))
    assert found[first + 1 : first + 4] == [
        ("paragraph", "2 Modifié par la loi n° 8."),
        ("list item", "1° Le port est ouvert à tous."),
        ("paragraph", "1 Modifié par la loi n° 7."),
    ]
    assert found[-3:-1] == [("table", "Navire | Droit\nVoilier | 12 €"), ("paragraph", "3 Modifié par la loi n° 9.")]
