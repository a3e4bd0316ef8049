"""Zip archives and XML from anywhere: with limits, without entities, nothing written to disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from mlindex.base.errors import MlindexError
from mlindex.files.source import MAX_BYTES, Source

_MAX_MEMBERS = 10_000
#: Marks and attributes in XML; each takes some hundred bytes once read.
_MAX_MARKS = 1_000_000


class Archive:
    """The members of a zip file; all that is unpacked counts against one limit."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source.data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise MlindexError(
                f"{self.name}: is a damaged or truncated zip archive ({str(error)[:120]}); copy it "
                "again"
            ) from error
        if len(self._zip.infolist()) > _MAX_MEMBERS:
            raise MlindexError(f"{self.name}: holds more than {_MAX_MEMBERS} files")
        self._left = MAX_BYTES

    def names(self) -> list[str]:
        """Names of the members, only ever looked up in the archive itself."""
        return self._zip.namelist()

    def read(self, member: str) -> bytes:
        """The bytes of one member.

        Raises:
            MlindexError: if it is damaged or unpacks to too much.
        """
        try:
            with self._zip.open(member) as file:
                data = file.read(self._left + 1)
        except Exception as error:
            # Damaged archives raise errors of zipfile, zlib, lzma and bz2, and plain ones too.
            raise MlindexError(
                f"{self.name}: {member[:120]} in it can't be unpacked ({str(error)[:120]}); "
                "copy the file again"
            ) from error
        self._left -= len(data)
        if self._left < 0:
            raise MlindexError(
                f"{self.name}: unpacks to more than {MAX_BYTES // 10**6} MB, which no pattern does"
            )
        return data


def xml(name: str, data: bytes) -> Element:
    """The root of an XML document, its tags without their namespaces.

    Raises:
        MlindexError: if it is no XML, or has a document type (which could hold entities).
    """
    for element in elements(name, data):
        root = element
    return root


def elements(name: str, data: bytes) -> Iterator[Element]:
    """The elements of an XML document, each as soon as it is complete, the root last.

    Tags have no namespaces. Whoever clears an element after use keeps the memory small.

    Raises:
        MlindexError: as :func:`xml`.
    """
    if max(data.count(mark) for mark in (b"<", b"=")) > _MAX_MARKS:
        raise MlindexError(f"{name}: holds more XML elements than any pattern does")
    try:
        for _, element in iterparse(io.BytesIO(data), forbid_dtd=True):
            element.tag = str(element.tag).rpartition("}")[2]
            yield element
    except DefusedXmlException as error:
        raise MlindexError(
            f"{name}: has a document type or entities, which no instrument writes; not read"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise MlindexError(
            f"{name}: is damaged or truncated XML ({str(error)[:120]}); copy or export it again"
        ) from error


def text_of(element: Element | None) -> str:
    """The text of an element, nothing if there is none."""
    return (element.text or "").strip() if element is not None else ""


def number_of(text: str | None) -> float | None:
    """A number written in XML or a header; None if it is none."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
