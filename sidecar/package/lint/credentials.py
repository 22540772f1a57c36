"""Credentials, event subscribers and channels, prompts."""

from collections.abc import Iterator

from sidecar.package.lint import references
from sidecar.package.lint.findings import Finding
from sidecar.package.lint.index import Index
from sidecar.package.lint.near import nearest
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong with what connects an org, and with prompts."""
    for source in index.of("NamedCredential"):
        yield from _named_credential(index, source)
    for source in index.of("PlatformEventSubscriberConfig"):
        yield from _subscriber(index, source)
    for source in index.of("PlatformEventChannelMember"):
        yield from _member(index, source)
    for source in index.of("Prompt"):
        for node in source.root.all("promptVersions", "customApplication"):
            if not node.text.startswith("standard__"):
                yield from references.component(
                    index, source, "application", "CustomApplication", node
                )
        for node in source.root.all("promptVersions", "isPublished"):
            if node.text == "true":
                message = f"{source.name} appears to everybody at once"
                yield finding(
                    "prompt/published", source.path, node, source.name, message
                )


def _named_credential(index: Index, source: Source) -> Iterator[Finding]:
    root = source.root
    for node in root.all("namedCredentialParameters", "externalCredential"):
        yield from references.component(
            index, source, "credential", "ExternalCredential", node
        )
    if root.get("namedCredentialType") != "SecuredEndpoint":
        return
    kinds = set(root.texts("namedCredentialParameters", "parameterType"))
    for kind in ("Url", "Authentication"):
        if kind not in kinds:
            message = f"{source.name} has no parameter of type {kind}"
            yield finding(
                "credential/incomplete", source.path, root, source.name, message
            )


def _subscriber(index: Index, source: Source) -> Iterator[Finding]:
    """The consumer is a trigger, or a flow."""
    node = source.root.one("platformEventConsumer")
    if node is None:
        return
    triggers = index.names.get("Apex.trigger", {})
    flows = index.names.get("Flow", {})
    name = index.bare(node.text).lower()
    if name not in triggers and name not in flows and not index.foreign(node.text):
        message = f"{source.name}: there is no trigger or flow {node.text}"
        near = nearest(node.text, [*triggers.values(), *flows.values()])
        yield finding("reference/apex", source.path, node, node.text, message + near)


def _member(index: Index, source: Source) -> Iterator[Finding]:
    node = source.root.one("selectedEntity")
    if node is not None and node.text.lower().endswith("__e"):
        yield from references.an_object(index, source, node)
        for field in source.root.all("enrichedFields", "name"):
            yield from references.field(index, source, node.text, field)
