"""ZIP, TAR, 7z and compressed files: what lies in them, as files, and nothing else.

Each reader announces a member to `take`, which answers where to write it, or None to pass it over, and counts every byte that
it writes. No name of an archive ever becomes a name on disk; links and devices are announced with the reason they are not taken.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from assistant.errors import DocumentRejected
from ingest.names import name_encoding
from ingest.parsing import BZIP2, GZIP, SEVEN_ZIP, TAR, XZ, ZIP, ParsingSettings, RejectionCategory

ARCHIVE_TYPES = frozenset({ZIP, TAR, SEVEN_ZIP, GZIP, BZIP2, XZ})
LINK = "is a link, which is not followed; hand in the file it leads to"
DEVICE = "is a device, pipe or socket, not a file"
_PIECE = 1 << 20
_AES = 99
"""The compression type of a member under WinZip's AES; what it is packed with stands in an extra field."""
_RATIO_COUNTS_FROM = 10_000_000
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, struct.error, ArithmeticError, AttributeError, EOFError,
    LookupError, RecursionError, TypeError, UnicodeError, ValueError,
)  # fmt: skip
"""What the readers raise for an archive that is not what it should be; they promise nothing narrower."""


@dataclass(frozen=True, slots=True)
class Member:
    """Something in an archive. `size` is what the archive says, None when it does not say."""

    name: str
    size: int | None
    refusal: str = ""
    """Why it is not taken; empty for a regular file."""


Take = Callable[[Member], Path | None]


class Open(Protocol):
    """`ZipFile.open`, for reading."""

    def __call__(self, name: zipfile.ZipInfo, *, pwd: bytes | None) -> IO[bytes]:
        """The member's bytes. Raises RuntimeError when the password is missing or wrong."""
        ...


@dataclass(slots=True)
class Allowance:
    """How much may still be unpacked, for an archive and all archives inside it together."""

    settings: ParsingSettings
    entries: int = 0
    size: int = 0

    def enter(self, entries: int = 1) -> None:
        """Count entries. Raises DocumentRejected when there are more than the limit."""
        self.entries += entries
        if self.entries > self.settings.max_archive_entries:
            raise _too_large(f"more than {self.settings.max_archive_entries} entries")

    def unpack(self, size: int) -> None:
        """Count bytes. Raises DocumentRejected when there are more than the limit."""
        self.size += size
        self.foresee(0)

    def foresee(self, size: int) -> None:
        """Raise DocumentRejected when so many bytes more would pass the limit."""
        if self.size + size > self.settings.max_archive_bytes:
            raise _too_large(f"more than {self.settings.max_archive_bytes // 2**20} MB once unpacked")

    def weigh(self, packed: int, unpacked: int) -> None:
        """Raise DocumentRejected when something packed this small and unpacked this large must be a bomb."""
        if unpacked > _RATIO_COUNTS_FROM and unpacked > self.settings.max_archive_ratio * max(1, packed):
            raise _too_large(f"something that unpacks to more than {self.settings.max_archive_ratio} times its size")


def unpack(path: Path, media_type: str, take: Take, allowance: Allowance) -> None:
    """Write every regular file of the archive where `take` says. Raises DocumentRejected, having written what it had."""
    readers = {ZIP: _unpack_zip, SEVEN_ZIP: _unpack_7z, TAR: _unpack_tar}
    try:
        readers.get(media_type, _unpack_compressed)(path, take, allowance)
    except DocumentRejected:
        raise
    except NotImplementedError as error:
        reason = "the archive is packed in a way that is not read yet; unpack it and hand in its files"
        raise DocumentRejected(RejectionCategory.UNSUPPORTED_TYPE, reason) from error
    except _BROKEN as error:
        raise _damaged(error) from error
    except OSError as error:
        if error.errno is not None:
            raise  # the disk, not the archive
        raise _damaged(error) from error


# --- ZIP ---------------------------------------------------------------------------------------------------------


def _unpack_zip(path: Path, take: Take, allowance: Allowance) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        allowance.enter(len(members))
        allowance.foresee(sum(member.file_size for member in members))
        for member in members:
            allowance.weigh(member.compress_size, member.file_size)
        password = _zip_password(members, allowance.settings)
        with _under_aes(path, members) as sealed:
            for member, name in zip(members, _zip_names(members), strict=True):
                if member.is_dir() or name.endswith("\\"):
                    continue
                target = take(Member(name, member.file_size, _zip_refusal(member)))
                if target is not None:
                    opens = sealed.get(member.header_offset, archive.open)
                    with _opened(opens, member, password) as source:
                        _copy(source, target, allowance)


def _zip_password(members: Iterable[zipfile.ZipInfo], settings: ParsingSettings) -> bytes | None:
    if not any(member.flag_bits & 1 for member in members):
        return None
    if settings.password is None:
        raise _locked()
    return settings.password.encode("utf-8")


@contextmanager
def _under_aes(path: Path, members: Iterable[zipfile.ZipInfo]) -> Iterator[dict[int, Open]]:
    """Where a member under AES begins → what opens it; `zipfile` knows only the old cipher."""
    if all(member.compress_type != _AES for member in members):
        yield {}
        return
    import pyzipper

    def opens(info: Any) -> Open:
        return lambda name, *, pwd: archive.open(info, pwd=pwd)  # noqa: ARG005 - a protocol's name

    try:
        with pyzipper.AESZipFile(path) as archive:
            yield {info.header_offset: opens(info) for info in archive.infolist() if info.wz_aes_version is not None}
    except pyzipper.BadZipFile as error:  # its own, and no relation of zipfile's
        raise zipfile.BadZipFile(str(error)) from error


def _opened(opens: Open, member: zipfile.ZipInfo, password: bytes | None) -> IO[bytes]:
    try:
        return opens(member, pwd=password)
    except RuntimeError as error:  # NotImplementedError is one too
        if "password" not in str(error).lower():
            raise
        raise _wrong_password() from error


def _zip_refusal(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if member.create_system != 3 or not stat.S_IFMT(mode) or stat.S_ISREG(mode):
        return ""
    return LINK if stat.S_ISLNK(mode) else DEVICE


def _zip_names(members: list[zipfile.ZipInfo]) -> Iterator[str]:
    """The names; those without a mark of their encoding are decoded by what makes most sense of all of them together."""
    raw = [None if member.flag_bits & 0x800 else member.orig_filename.encode("cp437") for member in members]
    encoding = name_encoding(b"\n".join(name for name in raw if name is not None))
    for member, name in zip(members, raw, strict=True):
        if name is None:
            yield member.orig_filename
        else:
            yield _unicode_path(member.extra, name) or _decoded_name(name, encoding)


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in the Info-ZIP Unicode Path field (APPNOTE 4.6.9), which holds when its checksum is that of `raw`."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if (
            kind == 0x7075
            and len(body) > 5
            and body[0] == 1
            and struct.unpack_from("<I", body, 1)[0] == zlib.crc32(raw)
        ):
            return body[5:].decode("utf-8", "replace")
    return None


def _decoded_name(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(encoding, "replace")


# --- TAR and compressed files ------------------------------------------------------------------------------------


def _unpack_tar(path: Path, take: Take, allowance: Allowance) -> None:
    with path.open("rb") as stream:
        _unpack_tar_stream(stream, take, allowance)


def _unpack_tar_stream(stream: Any, take: Take, allowance: Allowance) -> None:
    with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            allowance.enter()
            if member.isdir():
                continue
            raw = member.name.encode("utf-8", "surrogateescape")
            name = _decoded_name(raw, name_encoding(raw))
            target = take(Member(name, member.size, _tar_refusal(member)))
            source = archive.extractfile(member) if target is not None else None
            if source is not None and target is not None:
                allowance.foresee(member.size)
                _copy(source, target, allowance)


def _tar_refusal(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return LINK
    return "" if member.isreg() else DEVICE


class _Measured:
    """A stream that stops when it has given more than is allowed, as bombs do before any file of theirs begins."""

    def __init__(self, stream: Any, packed: int, allowance: Allowance) -> None:
        self._stream = stream
        self._packed = packed
        self._allowance = allowance
        self._head = b""
        self._given = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, which will be read again."""
        self._head = self.read(size)
        self._given -= len(self._head)
        return self._head

    def read(self, size: int = _PIECE) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        piece = head + bytes(self._stream.read(size - len(head)))
        self._given += len(piece)
        self._allowance.weigh(self._packed, self._given)
        self._allowance.foresee(self._given - self._allowance.size)
        return piece


def _unpack_compressed(path: Path, take: Take, allowance: Allowance) -> None:
    """A compressed TAR, or else one compressed file, named after its archive or as the archive says."""
    with path.open("rb") as packed:
        head = packed.read(6)
        packed.seek(0)
        stream = _Measured(_decompressed(packed, head), path.stat().st_size, allowance)
        if is_tar(stream.peek(512)):
            _unpack_tar_stream(stream, take, allowance)
            return
        allowance.enter()
        target = take(Member(_name_inside(path, head), None))
        if target is not None:
            _copy(stream, target, allowance)


def _decompressed(packed: IO[bytes], head: bytes) -> Any:
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=packed)
    return bz2.BZ2File(packed) if head.startswith(b"BZh") else lzma.LZMAFile(packed)


def _name_inside(path: Path, head: bytes) -> str:
    """The original name in a GZ header (RFC 1952, 2.3.1); empty when there is none."""
    if head[:2] != b"\x1f\x8b" or not head[3] & 8 or head[3] & 4:
        return ""
    with path.open("rb") as file:
        raw = file.read(10 + 512)[10:].partition(b"\0")[0]
    return _decoded_name(raw, "cp1252").replace("\\", "/").rpartition("/")[2]


def is_tar(head: bytes) -> bool:
    """True when these 512 bytes are a TAR header: its checksum tells, also where the magic word is missing."""
    if len(head) < 512:
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


# --- 7z ----------------------------------------------------------------------------------------------------------


def _unpack_7z(path: Path, take: Take, allowance: Allowance) -> None:
    import py7zr

    password = allowance.settings.password
    try:
        with (
            ExitStack() as opened,  # py7zr leaves a file open where it fails
            path.open("rb") as file,
            py7zr.SevenZipFile(file, password=password) as archive,
        ):
            members = archive.list()
            allowance.enter(len(members))
            total = sum(member.uncompressed for member in members)
            allowance.foresee(total)
            allowance.weigh(path.stat().st_size, total)
            archive.extractall(factory=_seven_zip_writers(members, take, allowance, opened))  # noqa: S202 - py7zr's, to writers
    except DocumentRejected:
        raise
    except py7zr.PasswordRequired as error:
        raise _locked() from error
    except (py7zr.exceptions.ArchiveError, py7zr.exceptions.AbsolutePathError, *_BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if password is not None:
            raise _wrong_password() from error
        if isinstance(error, py7zr.UnsupportedCompressionMethodError):
            raise NotImplementedError from error
        raise _damaged(error) from error


def _seven_zip_writers(members: list[Any], take: Take, allowance: Allowance, opened: ExitStack) -> Any:
    from py7zr.helpers import get_sanitized_output_path

    targets: dict[str, Path | None] = {}
    seen: dict[str, int] = {}
    for member in members:
        # How py7zr tells members of one name apart.
        count = seen.get(member.filename)
        seen[member.filename] = 0 if count is None else count + 1
        if not member.is_directory:
            refusal = "" if member.is_file else LINK if member.is_symlink else DEVICE
            target = take(Member(member.filename, member.uncompressed, refusal))
            unique = member.filename if count is None else f"{member.filename}_{count}"
            targets[get_sanitized_output_path(unique, None).as_posix()] = target
    return _writers(targets, allowance, opened)


def _writers(targets: dict[str, Path | None], allowance: Allowance, opened: ExitStack) -> Any:
    from py7zr.io import Py7zIO, WriterFactory

    class Writer(Py7zIO):
        def __init__(self, target: Path | None) -> None:
            self._file = target.open("wb") if target is not None else None
            self._size = 0

        def write(self, s: bytes | bytearray) -> int:
            allowance.unpack(len(s))
            self._size += len(s)
            return self._file.write(s) if self._file is not None else len(s)

        def read(self, size: int | None = None) -> bytes:  # noqa: ARG002 - the signature is py7zr's
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:  # noqa: ARG002 - the signature is py7zr's
            return 0

        def flush(self) -> None:
            pass

        def size(self) -> int:
            return self._size

        def close(self) -> None:
            if self._file is not None:
                self._file.close()

    class Writers(WriterFactory):
        def create(self, filename: str) -> Py7zIO:
            writer = Writer(targets.pop(filename, None))
            opened.callback(writer.close)
            return writer

    return Writers()


# --- shared ------------------------------------------------------------------------------------------------------


def _copy(source: Any, target: Path, allowance: Allowance) -> None:
    with target.open("wb") as file:
        while piece := source.read(_PIECE):
            allowance.unpack(len(piece))
            file.write(piece)


def _too_large(what: str) -> DocumentRejected:
    reason = f"the archive holds {what}, over the limit; nothing of it was taken: unpack it and hand in its files"
    return DocumentRejected(RejectionCategory.TOO_LARGE, reason)


def _damaged(error: Exception) -> DocumentRejected:
    reason = f"the archive is damaged and cannot be unpacked ({type(error).__name__})"
    return DocumentRejected(RejectionCategory.DAMAGED, reason)


def _locked() -> DocumentRejected:
    return DocumentRejected(RejectionCategory.PASSWORD_NEEDED, "the archive needs a password; give it, then retry")


def _wrong_password() -> DocumentRejected:
    return DocumentRejected(RejectionCategory.WRONG_PASSWORD, "the password does not open the archive; give another")
