"""An archive is taken whole or not at all; what is in it becomes documents, and nothing in it leads anywhere else."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import resource
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import py7zr
import pytest
import pyzipper

from ingest import isolation
from ingest.isolation import parse_here
from ingest.parsing import Parsed, ParsingSettings, Rejected
from ingest.sources import Sidecar, sidecar_from
from ingest.unpacking import DEVICE, LINK
from tests.ingest.reading import parsed, rejected
from tests.shared import shared_data

SETTINGS = ParsingSettings()
NAMES = ("arrêtés/Arrêté n° 5 été.txt", "مراسيم/مرسوم رقم 5.txt", "notes.txt")


def zipped(path: Path, files: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def sevenzipped(path: Path, files: Mapping[str, bytes], password: str | None = None) -> Path:
    with py7zr.SevenZipFile(path, "w", password=password, header_encryption=False) as archive:
        for name, content in files.items():
            archive.writestr(content, name)
    return path


def content(result: Parsed) -> dict[str, bytes]:
    return {attachment.file_name: attachment.path.read_bytes() for attachment in result.attachments}


@pytest.mark.parametrize("kind", ["zip", "tar", "7z"])
def test_archive_is_not_taken_for_the_pdf_that_it_carries_unpacked(tmp_path: Path, kind: str) -> None:
    files = {"permis.pdf": b"%PDF-1.7 ...", "lettre.txt": "Le pont est fermé.".encode()}
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        zipped(path, files, zipfile.ZIP_STORED)
    elif kind == "tar":
        path.write_bytes(tarred(files))
    else:
        with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
            for name, text in files.items():
                archive.writestr(text, name)
    assert set(content(parsed(path))) == set(files)


def refused(path: Path, settings: ParsingSettings = SETTINGS) -> str:
    result = rejected(path, settings)
    assert len(result.message) > 20
    return result.category


FILES = {name: f"Contenu de {name}".encode() for name in NAMES}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "7z"])
def test_every_kind_of_archive_gives_its_files_by_their_names(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"lot.{kind}"
    if kind == "zip":
        zipped(path, FILES)
    elif kind == "7z":
        sevenzipped(path, FILES)
    else:
        pack = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}[kind]
        path.write_bytes(pack(tarred(FILES)))
    result = parsed(path)
    assert result.container
    assert result.text == ""
    assert content(result) == FILES
    assert all(attachment.own_label for attachment in result.attachments)


def test_compressed_file_is_named_by_its_header_or_after_its_archive(tmp_path: Path) -> None:
    with gzip.GzipFile(tmp_path / "rapport.txt", "wb") as file:
        file.write(b"Un rapport")
    (tmp_path / "rapport.txt").rename(tmp_path / "x.gz")
    assert content(parsed(tmp_path / "x.gz")) == {"rapport.txt": b"Un rapport"}
    (tmp_path / "y.xz").write_bytes(lzma.compress(b"Un rapport"))
    result = parsed(tmp_path / "y.xz", replace(SETTINGS, handed_in_as="été 2024.txt.xz"))
    assert content(result) == {"été 2024.txt": b"Un rapport"}


@pytest.mark.parametrize("encoding", ["cp437", "cp850", "cp1252", "cp1256", "cp720", "utf-8"])
def test_names_without_a_mark_of_their_encoding_are_read(tmp_path: Path, encoding: str) -> None:
    name = "قرار رقم.txt" if encoding in ("cp1256", "cp720") else "Arrêté du Conseil d'été.txt"
    placeholder = "x" * len(name.encode(encoding))
    zipped(tmp_path / "a.zip", {placeholder: "texte"})
    raw = (tmp_path / "a.zip").read_bytes().replace(placeholder.encode(), name.encode(encoding))
    (tmp_path / "a.zip").write_bytes(raw)
    assert list(content(parsed(tmp_path / "a.zip"))) == [name]


def test_unicode_path_field_names_the_file(tmp_path: Path) -> None:
    raw = b"arr_t_.txt"
    info = zipfile.ZipInfo(raw.decode())
    name = "arrêté.txt".encode()
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(raw)) + name
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "texte")
    assert list(content(parsed(tmp_path / "a.zip"))) == ["arrêté.txt"]


def test_files_of_one_name_are_all_kept(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": "un", "b.txt": "deux"})
    path.write_bytes(path.read_bytes().replace(b"b.txt", b"a.txt"))
    assert content(parsed(tmp_path / "a.zip")) == {"a.txt": b"un", "a (2).txt": b"deux"}


@pytest.mark.parametrize(
    "name", ["../x.txt", "a/../../x.txt", "/etc/x.txt", "C:\\x.txt", "..\\x.txt", "\\\\host\\x.txt"]
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_path_that_leads_out_refuses_the_whole_archive(tmp_path: Path, name: str, kind: str) -> None:
    files = {"good.txt": b"bon", name: b"mauvais"}
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        zipped(path, files)
    else:
        path.write_bytes(tarred(files))
    assert refused(path) == "unsafe_archive"


def test_name_with_a_zero_byte_refuses_the_archive(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"good.txtX": "bon"})
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes().replace(b"good.txtX", b"good\0txtX"))
    assert refused(tmp_path / "a.zip") == "unsafe_archive"


def test_zip_slip_of_the_shared_set_is_refused() -> None:
    assert refused(shared_data() / "hostile" / "attacks" / "zip-slip.zip") == "unsafe_archive"


def test_windows_separators_and_device_names_become_ordinary_ones(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"dossier\\lettre.txt": "un", "con.txt": "deux", "li\nne\u202e.txt": "trois"})
    assert list(content(parsed(tmp_path / "a.zip"))) == ["dossier/lettre.txt", "_con.txt", "li ne.txt"]


def test_links_and_devices_are_reported_and_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in (("sym", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(secret)
            archive.addfile(member)
        archive.addfile(tarfile.TarInfo("empty.txt"), io.BytesIO())
    link = zipfile.ZipInfo("sym")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(link, str(secret))
        packed.writestr("a.txt", "texte")
    tar, packed_zip = parsed(tmp_path / "a.tar"), parsed(tmp_path / "a.zip")
    assert list(content(tar)) == ["empty.txt"]
    assert tar.warnings == (f"not taken: sym {LINK}", f"not taken: hard {LINK}", f"not taken: pipe {DEVICE}")
    assert list(content(packed_zip)) == ["a.txt"]
    assert "link" in packed_zip.warnings[0]


def test_link_in_a_7z_is_reported_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "sym").symlink_to("secret.txt")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.write(tmp_path / "sym", "sym")
        archive.writestr("texte", "a.txt")
    result = parsed(tmp_path / "a.7z")
    assert list(content(result)) == ["a.txt"]
    assert result.warnings == (f"not taken: sym {LINK}",)


def test_archive_of_nothing_but_what_is_not_taken_is_refused_with_reasons(tmp_path: Path) -> None:
    assert refused(zipped(tmp_path / "a.zip", {})) == "no_text"
    assert refused(zipped(tmp_path / "b.zip", {"__MACOSX/._a": "x", ".DS_Store": "x", "Thumbs.db": "x"})) == "no_text"


def test_archives_inside_archives_are_opened_as_deep_as_allowed(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"a.txt": "texte"}).read_bytes()
    middle = gzip.compress(tarred({"b/inner.zip": inner, "c.txt": b"autre"}))
    outer = zipped(tmp_path / "outer.zip", {"middle.tgz": middle})
    assert list(content(parsed(outer))) == ["middle.tgz!/b/inner.zip!/a.txt", "middle.tgz!/c.txt"]
    assert refused(outer, replace(SETTINGS, max_archive_depth=2)) == "too_large"


def test_inner_archive_that_cannot_be_opened_is_a_document_of_its_own(tmp_path: Path) -> None:
    slip = zipped(tmp_path / "slip.zip", {"../x": "x"}).read_bytes()
    outer = zipped(tmp_path / "outer.zip", {"slip.zip": slip, "broken.zip": slip[:50], "a.txt": "texte"})
    assert content(parsed(outer)) == {"slip.zip": slip, "broken.zip": slip[:50], "a.txt": b"texte"}


def test_archive_that_holds_copies_of_itself_ends(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "0.zip", {"a.txt": "texte"})
    for number in range(1, 12):
        archive = zipped(tmp_path / f"{number}.zip", {f"{copy}.zip": archive.read_bytes() for copy in range(2)})
    assert refused(archive) == "too_large"


def left_behind(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.is_file())


def test_limits_refuse_before_anything_is_taken(tmp_path: Path, temporary_folder: Path) -> None:
    many = zipped(tmp_path / "many.zip", {f"{number}.txt": "x" for number in range(11)})
    assert refused(many, replace(SETTINGS, max_archive_entries=10)) == "too_large"
    (tmp_path / "many.tar").write_bytes(tarred({f"{number}.txt": b"x" for number in range(11)}))
    assert refused(tmp_path / "many.tar", replace(SETTINGS, max_archive_entries=10)) == "too_large"
    large = {f"{number}.bin": bytes(range(256)) * 4000 for number in range(3)}
    small = replace(SETTINGS, max_archive_bytes=2_000_000)
    for path in (zipped(tmp_path / "l.zip", large), sevenzipped(tmp_path / "l.7z", large)):
        assert refused(path, small) == "too_large"
    for suffix, pack in (("tar", bytes), ("tgz", gzip.compress)):
        (tmp_path / f"l.{suffix}").write_bytes(pack(tarred(large)))
        assert refused(tmp_path / f"l.{suffix}", small) == "too_large"
    assert left_behind(temporary_folder) == 0


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "tar.gz", "xz", "7z"])
def test_bombs_are_refused(tmp_path: Path, kind: str) -> None:
    zeros = bytes(60_000_000)
    path = tmp_path / f"bomb.{kind}"
    if kind == "zip":
        zipped(path, {"zeros.txt": zeros})
    elif kind == "7z":
        sevenzipped(path, {"zeros.txt": zeros})
    else:
        pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "tar.gz": gzip.compress}[kind]
        path.write_bytes(pack(tarred({"zeros.txt": zeros}) if kind == "tar.gz" else zeros))
    assert refused(path) == "too_large"


def test_bomb_inside_an_archive_refuses_the_outer_one(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", {"zeros.txt": bytes(60_000_000)}).read_bytes()
    outer = zipped(tmp_path / "outer.zip", {"a.txt": "texte", "bomb.zip": bomb})
    assert refused(outer) == "too_large"


def test_size_that_an_archive_understates_is_not_believed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"zeros.txt": bytes(3_000_000)})
    lying = path.read_bytes().replace(struct.pack("<I", 3_000_000), struct.pack("<I", 10))
    path.write_bytes(lying)
    result = parse_here(path, replace(SETTINGS, max_archive_bytes=1_000_000))
    assert isinstance(result, Rejected)


def test_file_too_large_for_a_document_is_reported_and_the_others_are_taken(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"film.bin": bytes(range(256)) * 8192, "a.txt": "texte"})
    result = parsed(path, replace(SETTINGS, max_file_bytes=1 << 20))
    assert list(content(result)) == ["a.txt"]
    assert result.warnings == ("not taken: film.bin is larger than 1 MB",)


def test_locked_archives_ask_for_a_password_and_open_with_it(tmp_path: Path) -> None:
    path = sevenzipped(tmp_path / "a.7z", {"a.txt": b"texte"}, password="clé")
    assert refused(path) == "password_needed"
    assert refused(path, replace(SETTINGS, password="autre")) == "wrong_password"
    assert content(parsed(path, replace(SETTINGS, password="clé"))) == {"a.txt": b"texte"}
    assert refused(LOCKED_ZIP(tmp_path)) == "password_needed"
    assert refused(LOCKED_ZIP(tmp_path), replace(SETTINGS, password="autre")) == "wrong_password"
    assert content(parsed(LOCKED_ZIP(tmp_path), replace(SETTINGS, password="clé"))) == {"a.txt": b"texte secret"}


@pytest.mark.parametrize("bits", [128, 256])
def test_zip_under_aes_asks_for_its_password_and_opens_with_it(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "scellé.zip"
    with pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED) as archive:
        archive.writestr("avis.txt", "en clair")
        archive.setpassword("clé".encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=bits)
        archive.writestr("arrêtés/مرسوم.txt", "texte secret " * 500)
    assert refused(path) == "password_needed"
    assert refused(path, replace(SETTINGS, password="autre")) == "wrong_password"
    expected = {"avis.txt": b"en clair", "arrêtés/مرسوم.txt": b"texte secret " * 500}
    assert content(parsed(path, replace(SETTINGS, password="clé"))) == expected


def test_changed_bytes_in_a_zip_under_aes_are_found_out(tmp_path: Path) -> None:
    path = tmp_path / "scellé.zip"
    with pyzipper.AESZipFile(path, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"cle")
        archive.writestr("a.txt", "texte secret " * 500)
    changed = bytearray(path.read_bytes())
    changed[2000] ^= 1
    path.write_bytes(changed)
    assert refused(path, replace(SETTINGS, password="cle")) == "damaged"


def LOCKED_ZIP(folder: Path) -> Path:
    """A ZIP with the traditional cipher (APPNOTE 6.1), which the standard library reads and does not write."""
    plain, crc = b"texte secret", zlib.crc32(b"texte secret")
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = ~zlib.crc32(bytes([byte]), ~keys[0] & 0xFFFFFFFF) & 0xFFFFFFFF
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = ~zlib.crc32(bytes([keys[1] >> 24]), ~keys[2] & 0xFFFFFFFF) & 0xFFFFFFFF

    for byte in "clé".encode():
        update(byte)
    cipher = bytearray()
    for byte in bytes(11) + bytes([crc >> 24]) + plain:
        mask = keys[2] | 2
        cipher.append(byte ^ ((mask * (mask ^ 1) >> 8) & 0xFF))
        update(byte)
    path = zipped(folder / "locked.zip", {"a.txt": bytes(cipher)}, zipfile.ZIP_STORED)
    raw = path.read_bytes()
    sizes = struct.pack("<III", zlib.crc32(bytes(cipher)), len(cipher), len(cipher))
    raw = raw.replace(sizes, struct.pack("<III", crc, len(cipher), len(plain)))
    raw = raw.replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00")
    path.write_bytes(raw.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"))
    return path


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "7z", "gz", "xz"])
def test_cut_off_archives_are_refused(tmp_path: Path, suffix: str) -> None:
    files = {f"{number}.txt": f"{number} ".encode() * 500 for number in range(20)}
    whole = {
        "zip": lambda: zipped(tmp_path / "w", files).read_bytes(),
        "tar": lambda: tarred(files),
        "tar.gz": lambda: gzip.compress(tarred(files)),
        "7z": lambda: sevenzipped(tmp_path / "w", files).read_bytes(),
        "gz": lambda: gzip.compress(bytes(range(256)) * 100),
        "xz": lambda: lzma.compress(bytes(range(256)) * 100),
    }[suffix]()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    assert refused(path) == "damaged"


def test_sidecars_and_manifests_in_an_archive_speak_for_its_files(tmp_path: Path) -> None:
    files = {
        "a.txt": "un", "a.txt.toml": 'title = "Premier"\nlabel = "internal"', "b.txt": "deux", "lot/c.txt": "trois",
        "d.txt": "quatre", "d.txt.toml": "title = 3", "alone.toml": 'title = "x"',
        "lot/manifest.csv": "file;title;date\nc.txt;Troisième;2024-05-03\nz.txt;Absent;\n",
    }  # fmt: skip
    result = parsed(zipped(tmp_path / "a.zip", files))
    said = {attachment.file_name: attachment.sidecar for attachment in result.attachments}
    assert list(said) == ["a.txt", "b.txt", "lot/c.txt", "d.txt", "alone.toml"]
    assert sidecar_from(said["a.txt"], name="a") == Sidecar(title="Premier", label="internal")
    assert said["b.txt"] == ""
    assert sidecar_from(said["lot/c.txt"], name="c") == Sidecar(title="Troisième", date="2024-05-03")
    assert said["d.txt"] == "title = 3"
    assert result.warnings == ("not taken: z.txt is named in lot/manifest.csv and is not there",)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_sidecar_in_an_archive_is_read_in_the_encoding_it_has(tmp_path: Path, encoding: str) -> None:
    files = {"a.txt": b"un", "a.txt.toml": 'title = "Arrêté"'.encode(encoding)}
    (carried,) = parsed(zipped(tmp_path / "a.zip", files)).attachments
    assert sidecar_from(carried.sidecar, name="a") == Sidecar(title="Arrêté")


def test_hidden_files_of_an_archive_are_reported(tmp_path: Path) -> None:
    files = {"a.txt": "un", ".lettre.txt": "deux", "._a.txt": "Mac", "__MACOSX/a.txt": "Mac"}
    assert parsed(zipped(tmp_path / "a.zip", files)).warnings == ("not taken: .lettre.txt is hidden",)


def test_faulty_manifest_refuses_the_archive_and_says_where(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": "un", "manifest.csv": "file,date\na.txt,03/05/2024\n"})
    result = rejected(path)
    assert result.category == "sidecar"
    assert "manifest.csv: line 2, column 'date', '03/05/2024'" in result.message


def test_manifest_whose_every_column_is_misspelt_is_no_document(tmp_path: Path) -> None:
    files = {
        "lot/a.txt": "un",
        "lot/Manifest.csv": "file;titel\na.txt;Premier\n",
        "tables/sizes.csv": "file;size\na;1\n",
    }
    result = rejected(zipped(tmp_path / "a.zip", files))
    assert result.category == "sidecar"
    assert "lot/Manifest.csv: line 1, column 'titel': there is no such column" in result.message


def test_thousands_of_files_come_back_with_flat_memory(tmp_path: Path) -> None:
    block = bytes(range(256)) * 40
    files = {f"dossier {number % 50}/pièce {number}.txt": block + str(number).encode() for number in range(5000)}
    path = zipped(tmp_path / "a.zip", files, zipfile.ZIP_STORED)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with isolation.parse_isolated(
        path, file_name="a.zip", settings=replace(SETTINGS, memory_bytes=200 << 20)
    ) as result:
        assert isinstance(result, Parsed), result
        assert len(result.attachments) == 5000
        assert result.attachments[4999].path.read_bytes() == files["dossier 49/pièce 4999.txt"]
        folder = result.attachments[0].path.parent
    assert not folder.exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB; the archive is 51 MB
    isolation.close()
