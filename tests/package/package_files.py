"""Reading the bundled package in tests: its fields, permission sets, counts."""

import re
from collections import Counter

from lxml import etree
from trees import MD

from sidecar.package import archive, read

NS = {"m": MD}
FIELD = re.compile(r".*/objects/(\w+)/fields/(\w+)\.field-meta\.xml$")
# Types whose components carry a description, and the place of it.
DESCRIBED = {
    "CustomApplication": "m:description",
    "CustomObject": "m:description",
    "CustomPermission": "m:description",
    "CustomTab": "m:description",
    "DuplicateRule": "m:description",
    "Flow": "m:description",
    "GlobalValueSet": "m:description",
    "PermissionSet": "m:description",
    "Workflow": "m:outboundMessages/m:description",
}
_CHILDREN = ("validationRule", "recordType")


def tree(*modules):
    """The project file and the files of these modules."""
    return read.select(read.load(read.bundled()), modules)


def root(files, ending):
    """The parsed file whose path ends so; there is one."""
    (path,) = [path for path in files if path.endswith(ending)]
    return etree.fromstring(files[path])


def texts(element, path):
    return [found.text for found in element.iterfind(path, NS)]


def one(element, tag):
    """A child's text, or None."""
    return element.findtext(f"m:{tag}", namespaces=NS)


def fields(files):
    """``Lead.X__c`` -> its element."""
    return {
        f"{match[1]}.{match[2]}": etree.fromstring(content)
        for path, content in files.items()
        if (match := FIELD.match(path))
    }


def permission_sets(files):
    """Name -> element."""
    return {
        each.name: etree.fromstring(files[each.files[0]])
        for each in read.components(files)
        if each.kind.type == "PermissionSet"
    }


def granted(permission_set, access):
    """Fields with this access: ``readable`` or ``editable``."""
    return {
        one(row, "field")
        for row in permission_set.iterfind("m:fieldPermissions", NS)
        if one(row, access) == "true"
    }


def object_rights(permission_set):
    """Pairs as ``("Lead", "allowRead")``."""
    return {
        (one(row, "object"), etree.QName(each).localname)
        for row in permission_set.iterfind("m:objectPermissions", NS)
        for each in row
        if each.text == "true"
    }


def components(files):
    """Type -> how many, as package.xml names them; a file that only holds some is none."""
    manifest = etree.fromstring(archive.files(files)[archive.MANIFEST])
    found = Counter(
        {
            one(types, "name"): len(texts(types, "m:members"))
            for types in manifest.iterfind("m:types", NS)
        }
    )
    del found["Workflow"], found["MatchingRules"]
    return found


def descriptions(files):
    """Yield each component that can be described, with its description."""
    for each in read.components(files):
        for path in each.files:
            element = etree.fromstring(files[path]) if path.endswith(".xml") else None
            if path.endswith(tuple(f".{kind}-meta.xml" for kind in _CHILDREN)):
                yield path, one(element, "description")
        place = DESCRIBED.get(each.kind.type)
        own = [p for p in each.files if p.endswith(f".{each.kind.suffix}-meta.xml")]
        if place and own:
            found = etree.fromstring(files[own[0]]).findtext(place, namespaces=NS)
            yield each.name, found


def api_versions(files):
    """All that stand in any file."""
    return {
        text
        for path, content in files.items()
        if path.endswith(".xml")
        for text in texts(etree.fromstring(content), ".//m:apiVersion")
    }
