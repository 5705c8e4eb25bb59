# ruff: noqa: E501 - tables of literal expectations
"""A manifest speaks for many files at once; a fault in it is named by line, column and value, and nothing is done by halves."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest

from assistant.errors import ConfigurationError
from assistant.reasons import remark
from assistant.types import DocumentState
from ingest.manifests import is_manifest, manifest_from, taken_for_document
from ingest.names import readable_path
from ingest.sources import Sidecar, sidecar_from, sidecar_text
from ingest.telling import fault_of
from ingest.uploads import described, uploads_below
from tests.ingest.archiving import office, zip_of

TABLE = 'file;title;date;author;language;label;document_type;collection\nfr/a.pdf;"Été; suite";2024-05-03;;fr;internal;note;Lot 1\n\nb.pdf;;;;;;;\n'


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(), ("\ufeff" + TABLE).encode(), TABLE.encode("cp1252"), TABLE.replace("\n", "\r\n").encode("utf-16"),
        TABLE.replace(";", "\t").replace("Été\t", "Été;").encode(), TABLE.replace(";", ",").replace("Été,", "Été;").encode(),
    ],
)  # fmt: skip
def test_manifest_is_read_as_spreadsheets_write_it(content: bytes) -> None:
    assert manifest_from(content, name="m.csv").files == {
        "fr/a.pdf": Sidecar("Été; suite", "2024-05-03", None, "fr", "internal", "note", "Lot 1"),
        "b.pdf": Sidecar(),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file;date\na;03/05/2024", "m.csv: line 2, column 'date', '03/05/2024': write it as in 2024-05-31"),
        ("file;titel\na;x", "m.csv: line 1, column 'titel': there is no such column; use file, title"),
        ("title;date\na;x", "m.csv: line 1: there is no column 'file'"),
        ("file;language\na;de", "line 2, column 'language', 'de': use one of fr, ar, en"),
        ("file;label\na;geheim", "line 2, column 'label', 'geheim'"),
        ("file;title\n../a;x", "line 2, column 'file', '../a': write a path below"),
        ("file;title\n/a;x", "column 'file', '/a'"),
        ("file;title\na;x\na;y", "line 3, column 'file', 'a': named twice"),
        ("file;title\na;x;y", "line 2, column 3, 'y': there is no such column; quote"),
        ("file;title;title\na;x;y", "two columns have one name"),
        (
            "file;date\na;1\nb;2",
            "line 2, column 'date', '1': write it as in 2024-05-31; m.csv: line 3, column 'date', '2'",
        ),
    ],
)
def test_fault_is_named_by_line_column_value_and_remedy(content: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        manifest_from(content.encode(), name="m.csv")
    assert message in str(error.value)


def test_table_of_figures_is_no_manifest(tmp_path: Path) -> None:
    for number, head in enumerate(("nom;prix", "file;size", "file", "")):
        (tmp_path / f"{number}.csv").write_text(f"{head}\na;1\n")
        assert not is_manifest(tmp_path / f"{number}.csv")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("path,title,label", "lacks the column file (it has path instead); it"),
        ("fichier;titre;mention", "lacks the columns file, title, label (it has fichier, titre, mention instead); it"),
        ("Nom du fichier;Intitulé;Date", "lacks the columns file, title (it has nom du fichier, intitulé instead); it"),
        ("Nom_du_fichier\tcote\tdocument_type", "lacks the column file (it has nom_du_fichier instead); it"),
        ("اسم الملف;العنوان;درجة السرّية", "lacks the columns file, title, label (it has اسم الملف, العنوان, درجة السرّية instead); it"),
        ("الملف,تاريخ الوثيقة", "lacks the columns file, date (it has الملف, تاريخ الوثيقة instead); it"),
        ("title;date;label", "lacks the column file; it"),
        ("file;titre;mention", "lacks the columns title, label (it has titre, mention instead); it"),
        ("file;title;cote", "is a manifest, but was taken as a document; hand it in as manifest.csv"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1256"])
def test_table_that_looks_like_a_manifest_says_what_it_lacks(head: str, said: str, encoding: str) -> None:
    content = f"{head}\na;b;c\n".encode(encoding)
    assert said in taken_for_document(content)
    for language in ("fr", "ar", "en"):
        assert remark(taken_for_document(content), language) != taken_for_document(content), (
            "in no words of this language"
        )


@pytest.mark.parametrize(
    "head",
    ["nom;prix", "file", "file;size", "path;views", "chemin;longueur_km", "title;date;author", "text,label", "label;n", "titre;auteur;date;éditeur",
     "date;type;montant", "مسار;طول", "العنوان;التاريخ", "", "a" * 5000],
)  # fmt: skip
def test_table_of_its_own_is_not_taken_for_a_manifest(head: str) -> None:
    assert taken_for_document(f"{head}\n1;2;3\n".encode()) == ""
    assert taken_for_document(b"\x00" + head.encode()) == ""


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        ("path;title;label", "line 1: there is no column 'file'; write it instead of 'path'"),
        ("fichier;titre;mention", "line 1: there is no column 'file'; write it instead of 'fichier'"),
        ("الملف;العنوان", "line 1: there is no column 'file'; write it instead of 'الملف'"),
        ("title;date;label", "line 1: there is no column 'file'; name the columns as in file;title;date"),
        ("file;titre", "line 1, column 'titre': there is no such column; use 'title' instead"),
    ],
)
def test_file_called_manifest_that_lacks_a_column_hands_in_nothing(tmp_path: Path, head: str, fault: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "manifest.csv").write_text(f"{head}\na.txt;Été;public\n")
    for path in (tmp_path, tmp_path / "manifest.csv"):
        with pytest.raises(ConfigurationError) as error:
            uploads_below([path])
        assert fault in str(error.value)
    with pytest.raises(ConfigurationError):
        described(f"{head}\na.txt;Été;public\n".encode(), {}, name="manifest.csv")
    for language in ("fr", "ar"):
        told = fault_of(str(error.value), language)
        assert told.splitlines()[1] == str(error.value)
        assert told.splitlines()[0] not in ("", str(error.value))


def test_cargo_list_called_manifest_is_a_document(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("container;poids;destinataire\n1;2;3\n")
    assert [Path(upload.source).name for upload in uploads_below([tmp_path])[0]] == ["manifest.csv"]
    assert described(b"container;poids\n1;2\n", {}, name="manifest.csv") is None


def test_archivist_hears_that_a_table_was_taken_for_a_document(tmp_path: Path) -> None:
    table = "fichier;titre;mention\na.txt;Le règlement;public\n"
    with office(tmp_path) as world:
        lost = world.hand_in("lot.csv", table, label=None, wait=False)
        assert [said.partition(" (")[0] for said in lost.warnings] == [
            "looks like a manifest, but lacks the columns file, title, label"
        ]
        kept = world.hand_in("lot2.csv", table + "b.txt;Annexe;public\n")
        assert (kept.state, kept.warnings) == (DocumentState.DONE_WITH_WARNINGS, lost.warnings)
        assert world.found("Annexe"), "it is a document all the same"
        assert world.hand_in("lot2.csv", table + "b.txt;Annexe;public\n").warnings == lost.warnings, "said once"
        plain = world.hand_in("prix.csv", "nom;prix\npain;2\n")
        assert (plain.state, plain.warnings) == (DocumentState.DONE, ())
        inside = world.hand_in("lot.zip", zip_of({"a.txt": "Un texte.", "manifest.csv": table}))
        assert (inside.state, inside.category) == (DocumentState.REJECTED, "sidecar")
        assert "there is no column 'file'; write it instead of 'fichier'" in inside.reason


def test_sidecar_text_reads_back(tmp_path: Path) -> None:
    said = Sidecar(title='Été "\\ \n\x7f 𝒳', author="مدير", collection="Lot")
    assert sidecar_from(sidecar_text(said), name="x") == said


def world(folder: Path) -> Path:
    (folder / "fr").mkdir()
    for name in ("fr/a.pdf", "b.pdf", "c.pdf"):
        (folder / name).write_text("x")
    (folder / "fr" / "a.pdf.toml").write_text('title = "Plus proche"\n')
    (folder / "lot.csv").write_text("file;title;date\nfr/a.pdf;Plus loin;2024-05-03\nb.pdf;;\nz.pdf;;\n")
    return folder / "lot.csv"


def test_manifest_hands_in_what_it_names_and_reports_the_rest(tmp_path: Path) -> None:
    uploads, skipped = uploads_below([world(tmp_path)])
    assert [Path(upload.source).name for upload in uploads] == ["a.pdf", "b.pdf"]
    assert isinstance(uploads[0].sidecar, bytes)
    said = sidecar_from(uploads[0].sidecar.decode(), name="a")
    assert said == Sidecar(title="Plus proche", date="2024-05-03")
    assert {item.path.name: item.reason.split(";")[0] for item in skipped} == {
        "z.pdf": "is named in lot.csv and is not there",
        "c.pdf": "is not named in lot.csv",
    }


def test_manifest_in_a_folder_speaks_for_its_files_and_all_are_handed_in(tmp_path: Path) -> None:
    world(tmp_path).rename(tmp_path / "manifest.csv")
    uploads, skipped = uploads_below([tmp_path])
    assert [Path(upload.source).name for upload in uploads] == ["b.pdf", "c.pdf", "a.pdf"]
    assert [item.path.name for item in skipped] == ["z.pdf"]


def titles(folder: Path) -> dict[str, str | None]:
    """What is said of each file below `folder`, by the end of its source."""
    uploads, _ = uploads_below([folder])
    said = {Path(upload.source).name: upload.sidecar for upload in uploads}
    return {
        name: sidecar_from(text.decode(), name=name).title if isinstance(text, bytes) else None
        for name, text in said.items()
    }


def test_manifest_names_files_whatever_system_wrote_the_names(tmp_path: Path) -> None:
    apart = unicodedata.normalize("NFD", "été.txt")
    for name in (apart, "Majuscule.TXT", "x.txt", "X.txt"):
        (tmp_path / name).write_text("x")
    table = "file;title\nété.txt;Saison\nmajuscule.txt;Grand\nx.txt;Petit x\n"
    (tmp_path / "manifest.csv").write_text(table)
    assert titles(tmp_path) == {apart: "Saison", "Majuscule.TXT": "Grand", "x.txt": "Petit x", "X.txt": None}
    assert uploads_below([tmp_path])[1] == []


def test_manifest_in_a_folder_below_speaks_for_the_files_there(tmp_path: Path) -> None:
    (tmp_path / "2024").mkdir()
    for name in ("a.txt", "2024/b.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "2024" / "manifest.csv").write_text("file;title\nb.txt;Second\nz.txt;Absent\n")
    assert titles(tmp_path) == {"a.txt": None, "b.txt": "Second"}
    assert [item.path.name for item in uploads_below([tmp_path])[1]] == ["z.txt"]
    (tmp_path / "manifest.csv").write_text("file;title;date\n2024/b.txt;Loin;2024-05-03\na.txt;Premier;\n")
    assert titles(tmp_path) == {"a.txt": "Premier", "b.txt": "Second"}
    (tmp_path / "manifest.csv").write_text("file;label\n2024/b.txt;secret\n")
    (tmp_path / "2024" / "manifest.csv").write_text("file;label\nb.txt;public\n")
    with pytest.raises(ConfigurationError, match="disagree"):
        uploads_below([tmp_path])


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_sidecar_beside_a_manifest_is_read_in_the_encoding_it_has(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt.toml").write_bytes('title = "Arrêté"'.encode(encoding))
    (tmp_path / "manifest.csv").write_text("file;date\na.txt;2024-05-03\n")
    assert titles(tmp_path) == {"a.txt": "Arrêté"}


def test_misspelt_column_in_a_folders_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file;titel\na.pdf;x\n")
    with pytest.raises(ConfigurationError, match="line 1, column 'titel'"):
        uploads_below([tmp_path])


def test_labels_that_disagree_hand_in_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    (tmp_path / "a.pdf.toml").write_text('label = "secret"')
    (tmp_path / "manifest.csv").write_text("file,label\na.pdf,public\n")
    with pytest.raises(ConfigurationError, match="disagree"):
        uploads_below([tmp_path])


NAMES = (
    b"li\nne.txt",
    b"\xe2\x80\xaetxt.exe",
    b"\xe9t\xe9.txt",
    b"a" * 251 + b".txt",
    "é".encode() * 125 + b".txt",
    b"con\x1b[31m.txt",
)


def test_odd_names_become_readable_ones_and_stay_different(tmp_path: Path) -> None:
    for name in (*NAMES, b"li ne.txt"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    uploads, skipped = uploads_below([tmp_path])
    sources = [Path(upload.source).name for upload in uploads]
    assert skipped == []
    assert len(set(sources)) == len(NAMES) + 1
    assert all(source.isprintable() for source in sources)
    assert json.loads(json.dumps(sources)) == sources
    assert "\n".join(sources).encode("utf-8")
    assert any(source.startswith("été~") for source in sources)
    assert "li ne.txt" in sources
    assert all(upload.path.read_bytes() == b"x" for upload in uploads)


def test_readable_path_leaves_ordinary_paths_alone() -> None:
    assert readable_path(Path("/srv/dépôt/مرسوم رقم 5.pdf")) == "/srv/dépôt/مرسوم رقم 5.pdf"


def test_file_named_by_a_detour_has_one_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rel").mkdir()
    (tmp_path / "rel" / "q.txt").write_text("x")
    (tmp_path / "link").symlink_to("rel")
    monkeypatch.chdir(tmp_path)
    ways = ("rel/q.txt", "rel/../rel/q.txt", "rel/../rel", "./rel", "link/q.txt")
    sources = [uploads_below([Path(way)])[0][0].source for way in ways]
    assert sources == [str(tmp_path / "rel" / "q.txt")] * 4 + [str(tmp_path / "link" / "q.txt")]
