"""The listener WSDL of an outbound message: which fields does it send?

Salesforce writes one for each action, and omits from its messages whatever is null:
only the WSDL tells a cleared field from one that was never selected. Its structure:
"Outbound Messaging WSDL", SOAP API Developer Guide.
"""

from lxml import etree

from sidecar.errors import Unreadable
from sidecar.intake import outbound_message

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_SOBJECT = "urn:sobject.enterprise.soap.sforce.com"
_OUTBOUND = "http://soap.sforce.com/2005/09/outbound"


def read(wsdl: bytes) -> tuple[str, list[str]]:
    """
    Give the object's API name and its fields, ``Id`` first.

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
            fields = [
                str(element.get("name")) for element in declared.iter(f"{_XSD}element")
            ]
            return object_type, ["Id", *(name for name in fields if name != "Id")]
    raise Unreadable(f"the WSDL does not say which fields {object_type} sends")


def _object_type(schema: etree._Element) -> str:
    """``<Object>Notification`` holds an ``sObject`` of the object's own type."""
    for declared in schema.iterchildren(f"{_XSD}complexType"):
        for element in declared.iter(f"{_XSD}element"):
            if element.get("name") == "sObject":
                return str(element.get("type", "")).rpartition(":")[2]
    raise Unreadable("the WSDL names no object")
