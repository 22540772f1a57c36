"""The files of a project, read and named: what every check looks at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote

from sidecar.errors import Unreadable
from sidecar.package.kinds import KINDS, META, Kind, kind_of
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.nodes import Broken, Node, parse
from sidecar.package.lint.rules import finding
from sidecar.package.read import Module, Tree, modules

_KINDS: Mapping[str, Kind] = MappingProxyType({kind.suffix: kind for kind in KINDS})
_CHILDREN: Mapping[str, str] = MappingProxyType(
    {
        child.suffix: child.type
        for kind in KINDS
        for child in kind.children
        if child.suffix
    }
)
_DIRECTORIES = frozenset(kind.directory for kind in KINDS)
# Types outside the installer's table whose names include their folder.
_FOLDERED = frozenset({"documents", "reports", "dashboards", "email"})
# Code that may name users, orgs and addresses.
_CODE = (".cls", ".trigger", ".email", ".page", ".component", ".cmp")
# Folders whose content is laid out in ways of its own.
_BUNDLES = frozenset(
    {
        *("lwc", "aura", "staticresources", "experiences", "digitalExperiences"),
        *("waveTemplates", "documents", "__tests__", "bots", "siteDotComSites"),
    }
)
# Files of other tools that Salesforce's own tool passes over as well.
_PASSED_OVER = frozenset({"README.md", "jsconfig.json", "package.xml", "tsconfig.json"})


@dataclass(frozen=True, slots=True)
class Source:
    """One metadata document."""

    path: str
    module: str
    type: str
    """By its name; the root says the same, or there is a finding."""
    name: str
    """Full name: ``Lead.Referral_Key__c``, ``Referral_Tracking/Funnel``."""
    root: Node

    @property
    def owner(self) -> str:
        """The object of a child: ``Lead``; '' where the name has none."""
        return self.name.rpartition(".")[0]

    @property
    def own_name(self) -> str:
        """The name without its object: ``Referral_Key__c``."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that could be read, and what could not."""

    documents: list[Source] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)
    """Path -> text of files that are no metadata documents."""
    findings: list[Finding] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    """Type and full name of documents that are broken."""


def read(tree: Tree) -> Sources:
    """
    Read a project's files; whatever is wrong with one of them is a finding.

    Raises:
        Unreadable: the project file itself cannot be understood.
    """
    sources = Sources()
    seen: dict[tuple[str, str], Source] = {}
    for path, module in _placed(tree):
        sources.findings.extend(_place(path, tree))
        if path.endswith(META):
            source = _document(path, module.name, tree[path], sources)
            if source is None:
                continue
            sources.documents.append(source)
            other = seen.setdefault((source.type, source.name), source)
            if other is not source:
                message = f"{source.type} {source.name} is also in {other.path}"
                # Of two modules an org may get one or the other.
                level = None if other.module == source.module else Level.WARNING
                sources.findings.append(
                    finding(
                        "source/duplicate", path, 1, source.name, message, level=level
                    )
                )
        elif path.endswith(_CODE):
            sources.code[path] = tree[path].decode("utf-8", "replace")
    return sources


def _placed(tree: Tree) -> Iterator[tuple[str, Module]]:
    placed = modules(tree)
    for path in sorted(tree):
        if path.rpartition("/")[2] in _PASSED_OVER:
            continue
        for module in placed:
            if path.startswith(f"{module.path}/"):
                yield path, module
                break


def _place(path: str, tree: Tree) -> Iterator[Finding]:
    """Is the file where its type belongs, and is there all that belongs to it?"""
    *folders, file_name = path.split("/")
    if _BUNDLES.intersection(folders):
        return
    described = file_name.endswith(META)
    stem, _, suffix = file_name.removesuffix(META).rpartition(".")
    if suffix in _KINDS or suffix in _CHILDREN:
        try:
            kind, _ = kind_of(path)
        except Unreadable as exc:
            # Some names of other tools end like ours: an Aura .app, a data .md.
            if described:
                yield finding("source/misplaced", path, 1, file_name, _said(path, exc))
            return
        twin = path.removesuffix(META) if described else path + META
        if kind.has_content and twin not in tree:
            message = f"{kind.type} {stem} needs {twin.rpartition('/')[2]} beside it"
            yield finding("source/half", path, 1, stem, message)
    elif not described and folders and folders[-1] in _DIRECTORIES:
        message = f"no metadata type claims {file_name}: it would not be deployed"
        yield finding("source/unclaimed", path, 1, file_name, message)


def _said(path: str, exc: Unreadable) -> str:
    return str(exc).removeprefix(f"{path}: ")


def _document(
    path: str, module: str, content: bytes, sources: Sources
) -> Source | None:
    try:
        root = parse(content)
    except Broken as exc:
        sources.findings.append(
            finding(exc.rule, path, exc.line, path.rpartition("/")[2], str(exc))
        )
        sources.unread.append(_named(path, ""))
        return None
    expected, name = _named(path, root.name)
    if expected != root.name:
        message = f"holds a {root.name}, but is named as a {expected}"
        sources.findings.append(
            finding("source/wrong-root", path, root.line, name, message)
        )
    return Source(path, module, expected, name, root)


def _named(path: str, root: str) -> tuple[str, str]:
    """Give the type and the full name that a file's path says."""
    *folders, file_name = path.split("/")
    stem, dot, suffix = file_name.removesuffix(META).rpartition(".")
    if not dot:  # Folder-meta.xml, as older tools wrote it
        stem, suffix = suffix, ""
    if "lwc" in folders or "aura" in folders:
        return root, folders[-1]
    if suffix in _CHILDREN and len(folders) > 1:
        inside = folders[:-1] if folders[-1] in _CHILD_FOLDERS else folders
        return _CHILDREN[suffix], f"{inside[-1]}.{stem}"
    kind = _KINDS.get(suffix)
    if kind is not None and kind.decomposed and folders:
        return kind.type, folders[-1]
    for directory in _FOLDERED:
        if directory in folders:
            last = len(folders) - 1 - folders[::-1].index(directory)
            stem = "/".join((*folders[last + 1 :], stem))
            break
    if kind is None or (kind.type == "Settings" and root.endswith("Settings")):
        return root, stem
    return kind.type, unquote(stem)


_CHILD_FOLDERS = frozenset(
    child.tag for kind in KINDS for child in kind.children if child.suffix
)
