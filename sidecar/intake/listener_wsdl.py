"""The listener WSDL of an outbound message: which fields does it send?

Salesforce writes one for each action, and omits from its messages whatever is null:
only the WSDL tells a cleared field from one that was never selected. Its structure:
"Outbound Messaging WSDL", SOAP API Developer Guide.
"""

from collections.abc import Iterator

from lxml import etree

from sidecar.errors import Unreadable
from sidecar.intake import outbound_message

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_SOBJECT = "urn:sobject.enterprise.soap.sforce.com"
_OUTBOUND = "http://soap.sforce.com/2005/09/outbound"


def read(wsdl: bytes) -> tuple[str, dict[str, str]]:
    """
    Give the object's API name, and its fields with their types, ``Id`` first.

    Returns:
        Names of fields to types without prefix, such as ``double`` or ``ID``; see
        ``declared.typed``.

    Raises:
        Unreadable: the file is not a listener WSDL.
    """
    root = outbound_message.parse(wsdl)
    schemas = {
        schema.get("targetNamespace"): schema for schema in root.iter(f"{_XSD}schema")
    }
    if _SOBJECT not in schemas or _OUTBOUND not in schemas:
        raise Unreadable("this is not the WSDL of an outbound message")
    object_type = _object_type(schemas[_OUTBOUND])
    for declared in schemas[_SOBJECT].iterchildren(f"{_XSD}complexType"):
        if declared.get("name") == object_type:
            return object_type, {"Id": "ID"} | dict(_fields(declared))
    raise Unreadable(f"the WSDL does not say which fields {object_type} sends")


def _object_type(schema: etree._Element) -> str:
    """``<Object>Notification`` holds an ``sObject`` of the object's own type."""
    for declared in schema.iterchildren(f"{_XSD}complexType"):
        for element in declared.iter(f"{_XSD}element"):
            if element.get("name") == "sObject" and (name := _type(element)):
                return name
    raise Unreadable("the WSDL names no object")


def _fields(declared: etree._Element) -> Iterator[tuple[str, str]]:
    for element in declared.iter(f"{_XSD}element"):
        if name := element.get("name"):
            yield name, _type(element)


def _type(element: etree._Element) -> str:
    """The type's name; which of the WSDL's namespaces it is in tells nothing more."""
    return element.get("type", "").rpartition(":")[2]
