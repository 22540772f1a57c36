"""The mappings of lead conversion, when fields that they name are deleted.

Source: "LeadConvertSettings", Metadata API Developer Guide.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sidecar.package.identity import Node
from sidecar.package.parts import Name, Part


def unmapped(
    restore: list[Part],
    there: Mapping[Name, Part],
    fields: Collection[str],
) -> tuple[list[Part], list[str]]:
    """
    Take every mapping out of the lead conversion that names a deleted field.

    Args:
        restore: what is put back anyway, perhaps the conversion among it.
        there: what the org holds now.
        fields: those that are deleted, as ``Lead.Referral_Key__c``.

    Returns:
        ``restore`` with the conversion in it, or without where it stays as it is; and
        what the customer loses by it.
    """
    key = "LeadConvertSettings", "LeadConvertSettings"
    now = there.get(key)
    back = next((part for part in restore if part.key == key), now)
    if now is None or back is None:
        return restore, []
    losses: list[str] = []
    children: list[Node] = []
    for node in back.node.children:
        if node.tag != "objectMapping":
            children.append(node)
            continue
        inner = tuple(c for c in node.children if not _names(c, node, fields))
        mapped = any(child.tag == "mappingFields" for child in inner)
        if mapped or inner == node.children:
            children.append(replace(node, children=inner))
        if inner != node.children and back is now:
            losses.append("LeadConvertSettings: mappings of our fields go with them")
    if tuple(children) == now.node.children:
        return [part for part in restore if part.key != key], losses
    node = replace(back.node, children=tuple(children))
    changed = replace(back, node=node, source=None)
    return [*(part for part in restore if part.key != key), changed], losses


def _mapping(node: Node) -> tuple[str, str]:
    return node.value("inputObject"), node.value("outputObject")


def _names(child: Node, mapping: Node, fields: Collection[str]) -> bool:
    source, target = _mapping(mapping)
    return child.tag == "mappingFields" and (
        f"{source}.{child.value('inputField')}" in fields
        or f"{target}.{child.value('outputField')}" in fields
    )
