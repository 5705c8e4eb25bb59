"""How the names of files of each media type end, for files that nobody has read.

A file's type is found from its content (`ingest.parsing`). One that waits, or that could not be read, is listed and found by its
name alone: as what its name says that it is.
"""

from __future__ import annotations

from ingest import parsing as types

SUFFIXES: dict[str, tuple[str, ...]] = {
    types.PDF: (".pdf",),
    types.DOCX: (".docx", ".docm", ".dotx"),
    "application/msword": (".doc", ".dot"),
    types.RTF: (".rtf",),
    types.ODT: (".odt", ".ott"),
    types.XLSX: (".xlsx", ".xlsm", ".xltx"),
    "application/vnd.ms-excel": (".xls",),
    types.ODS: (".ods", ".ots"),
    types.CSV: (".csv", ".tsv"),
    types.PPTX: (".pptx", ".pptm", ".ppsx"),
    "application/vnd.ms-powerpoint": (".ppt", ".pps"),
    types.ODP: (".odp", ".otp"),
    types.HTML: (".html", ".htm", ".xhtml"),
    types.MHTML: (".mhtml", ".mht"),
    types.TEXT: (".txt",),
    types.MARKDOWN: (".md", ".markdown"),
    types.EMAIL: (".eml",),
    "application/vnd.ms-outlook": (".msg",),
    types.MBOX: (".mbox",),
    types.PNG: (".png",),
    types.JPEG: (".jpg", ".jpeg"),
    types.TIFF: (".tif", ".tiff"),
    types.ZIP: (".zip",),
    types.TAR: (".tar", ".tgz", ".tar.gz"),
    types.GZIP: (".gz",),
    types.SEVEN_ZIP: (".7z",),
    types.BZIP2: (".bz2",),
    types.XZ: (".xz",),
    types.EPUB: (".epub",),
    types.XML: (".xml",),
}
