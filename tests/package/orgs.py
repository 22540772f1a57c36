"""Customer orgs for the planner: made from a seed, and a small model of an org.

The model is faithful to what the planner relies on: a deployed component replaces the
one of its name and leaves its neighbours in the file alone; a retrieve gives what was
asked for, in another order and with defaults that nobody wrote; a component that
something still names is not deleted. It knows nothing else of Salesforce.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from lxml import etree
from trees import MD, document

from sidecar.package.canonical import is_document
from sidecar.package.parts import PATCHES, Part, join, read_manifest, split
from sidecar.package.patches import Patches, read_patches

Tree = dict[str, bytes]
VERSION = "62.0"
PATCH = b"""{"layoutSections": [
 {"object": "Lead", "label": "Referral", "style": "TwoColumnsTopToBottom",
  "columns": [["Referral_Status__c", "Referrer__c"], ["Referral_Key__c"]],
  "readonly": ["Referral_Key__c"]},
 {"object": "Contact", "label": "Referral", "style": "OneColumn",
  "columns": [["Referral_Key__c"]], "readonly": ["Referral_Key__c"]}]}"""
PATCH_2 = PATCH.replace(
    b'"Referrer__c"], ["Referral_Key__c"]]',
    b'"Referral_Notes__c"], ["Referral_Key__c"]]',
)


class Refused(Exception):
    """The model's answer where Salesforce would refuse."""


# -- our package, in two versions ---------------------------------------------------


def xml(tag: str, *inner: str, **elements: str) -> str:
    texts = "".join(f"<{name}>{text}</{name}>" for name, text in elements.items())
    return f"<{tag}>{texts}{''.join(inner)}</{tag}>"


def value(name: str, label: str = "", **more: str) -> str:
    return xml(
        "customValue", fullName=name, default="false", label=label or name, **more
    )


def value_set(*values: str) -> bytes:
    return document(
        "GlobalValueSet",
        "".join(values) + "<masterLabel>S</masterLabel><sorted>false</sorted>",
    )


def custom_field(name: str, **elements: str) -> str:
    texts = {"label": name, "type": "Text", "length": "80"} | elements
    return xml("fields", fullName=name, **texts)


def message(
    name: str, *fields: str, url: str = "https://sidecar.example.com/hook"
) -> str:
    return xml(
        "outboundMessages",
        "".join(f"<fields>{item}</fields>" for item in fields),
        fullName=name,
        apiVersion=VERSION,
        endpointUrl=url,
        includeSessionId="false",
        integrationUser="sidecar@example.com",
        name=name,
        protected="false",
    )


def mapping(target: str, *pairs: tuple[str, str]) -> str:
    fields = "".join(
        xml("mappingFields", inputField=a, outputField=b) for a, b in pairs
    )
    return xml("objectMapping", fields, inputObject="Lead", outputObject=target)


def flow(name: str, label: str, *nodes: str) -> bytes:
    body = "".join(
        xml("assignments", name=node, label=node, locationX="0", locationY="0")
        for node in nodes
    )
    return document(
        "Flow",
        f"<apiVersion>{VERSION}</apiVersion>{body}<label>{label}</label>"
        "<processType>AutoLaunchedFlow</processType><status>Active</status>",
    )


def grants(*names: str, label: str = "Set") -> bytes:
    rows = "".join(
        xml("fieldPermissions", editable="true", field=name, readable="true")
        for name in names
    )
    return document(
        "PermissionSet",
        f"{rows}<hasActivationRequired>false</hasActivationRequired><label>{label}</label>",
    )


def page(*sections: str) -> bytes:
    return document("Layout", "".join(sections))


def section(label: str, *columns: tuple[str, ...], style: str = "") -> str:
    def item(name: str) -> str:
        behavior = "Required" if name == "Name" else "Edit"
        return xml("layoutItems", behavior=behavior, field=name)

    return xml(
        "layoutSections",
        "".join(xml("layoutColumns", "".join(map(item, names))) for names in columns),
        customLabel="true",
        label=label,
        style=style or ("OneColumn" if len(columns) == 1 else "TwoColumnsTopToBottom"),
    )


def package(version: int = 1) -> Tree:
    """Give our small package; version 2 adds, changes and gives up something."""
    second = version == 2
    key = {"length": "36", "externalId": "true", "unique": "true"}
    status = ["Submitted", "Contacted", "Qualified"] + (["Won"] if second else ["Lost"])
    lead_fields = ["Referral_Status__c", "Referrer__c"]
    lead_fields += ["Referral_Notes__c"] if second else []
    rows = {
        "objects/Lead.object": document(
            "CustomObject",
            custom_field("Referral_Key__c", **key)
            + "".join(custom_field(name) for name in lead_fields)
            + xml(
                "validationRules",
                fullName="Referral_Order",
                active="true",
                errorConditionFormula="ISBLANK( Referral_Key__c )" + " " * second,
                errorMessage="Not so" if second else "No",
            )
            + xml(
                "listViews",
                "<columns>Referral_Status__c</columns>",
                fullName="Referral_Open",
                filterScope="Mine",
                label="Open",
            ),
        ),
        "objects/Contact.object": document(
            "CustomObject", custom_field("Referral_Key__c", length="36")
        ),
        "objects/Referrer__c.object": document(
            "CustomObject",
            custom_field("Code__c")
            + "<deploymentStatus>Deployed</deploymentStatus><label>Referrer</label>"
            + xml("nameField", label="Name", type="Text")
            + "<pluralLabel>Referrers</pluralLabel><sharingModel>Private</sharingModel>",
        ),
        "layouts/Referrer__c-Referrer Layout.layout": page(section("Info", ("Name",))),
        "globalValueSets/Referral_Status.globalValueSet": value_set(
            *map(value, status)
        ),
        "globalValueSets/Referral_Source.globalValueSet": value_set(
            value("Link"), value("Form")
        ),
        "workflows/Lead.workflow": document(
            "Workflow",
            message("Referral_Status", "Id", "Referral_Key__c", *lead_fields[2:]),
        ),
        "flows/Referral_Lead.flow": flow(
            "Referral_Lead", "Lead", "Stamp", *(["Send_Again"] if second else ["Send"])
        ),
        "permissionsets/Referral_User.permissionset": grants(
            "Lead.Referral_Key__c", *(f"Lead.{name}" for name in lead_fields)
        ),
        "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting": document(
            "LeadConvertSettings", mapping("Contact", ("Referral_Key__c",) * 2)
        ),
        "tabs/Referrer__c.tab": document(
            "CustomTab",
            "<customObject>true</customObject><motif>Custom1: Heart</motif>",
        ),
        "labels/CustomLabels.labels": document(
            "CustomLabels",
            xml(
                "labels",
                fullName="Referral_Hello",
                language="en_US",
                protected="false",
                shortDescription="Hello",
                value="Hello again" if second else "Hello",
            ),
        ),
        "pathAssistants/Referral_Lead.pathAssistant": path("Referral_Lead"),
        "standardValueSets/LeadSource.standardValueSet": document(
            "StandardValueSet",
            "<sorted>false</sorted>"
            + value("Referral").replace("customValue", "standardValue"),
        ),
    }
    return join(split(rows).values(), api_version=VERSION)


def path(label: str) -> bytes:
    return document(
        "PathAssistant",
        "<active>true</active><entityName>Lead</entityName><fieldName>Status</fieldName>"
        f"<masterLabel>{label}</masterLabel><recordTypeName>__MASTER__</recordTypeName>",
    )


def patches(version: int = 1) -> Patches:
    return read_patches(PATCH_2 if version == 2 else PATCH)


# -- customers ------------------------------------------------------------------------


def customer(seed: int) -> Tree:
    """Give an org as its customer made it; equal seeds give equal orgs."""
    r = random.Random(seed)
    files: Tree = {
        "standardValueSets/LeadSource.standardValueSet": document(
            "StandardValueSet",
            "<sorted>false</sorted>"
            + "".join(
                value(name).replace("customValue", "standardValue")
                for name in some(r, ["Web", "Phone", "Fair", "Partner", "Other"], 1)
            ),
        ),
        "objects/Lead.object": document(
            "CustomObject",
            "".join(custom_field(f"Own_{n}__c") for n in range(r.randint(0, 5)))
            + "".join(
                xml("listViews", fullName=name, filterScope="Mine", label=name)
                for name in some(r, ["Mine", "Hot", "Referral"])
            ),
        ),
    }
    for owner in ("Lead", "Contact", "Account"):
        for name in some(r, ["Layout", "Sales %26 Co", "Partner"], owner == "Lead"):
            files[f"layouts/{owner}-{owner} {name}.layout"] = customer_page(r)
    if r.random() < 0.7:
        pairs = [(f"Own_{n}__c", f"Own_{n}__c") for n in range(r.randint(0, 3))]
        targets = some(r, ["Account", "Contact", "Opportunity"])
        files["LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"] = document(
            "LeadConvertSettings",
            "<allowOwnerChange>true</allowOwnerChange>"
            + "".join(mapping(target, *pairs) for target in targets),
        )
    if r.random() < 0.7:
        files["workflows/Lead.workflow"] = document(
            "Workflow",
            "".join(
                message(name, "Id", "Name") for name in some(r, ["Own_A", "Own_B"], 1)
            )
            + xml("fieldUpdates", fullName="Own_Update", field="Own_0__c", name="Own"),
        )
    if r.random() < 0.4:  # a value set of our name that they made themselves
        files["globalValueSets/Referral_Source.globalValueSet"] = value_set(
            *map(value, some(r, ["Fair", "Link", "Radio"], 1))
        )
    if r.random() < 0.3:
        files["pathAssistants/Own_Lead.pathAssistant"] = path("Own_Lead")
    if r.random() < 0.5:
        files["labels/CustomLabels.labels"] = document(
            "CustomLabels",
            xml(
                "labels",
                fullName="Own",
                language="en_US",
                protected="false",
                shortDescription="Own",
                value="Own",
            ),
        )
    files["permissionsets/Own.permissionset"] = grants("Lead.Own_0__c", label="Own")
    files["flows/Own.flow"] = flow("Own", "Own", "One", "Two")
    return files


def customer_page(r: random.Random) -> bytes:
    labels = some(r, ["Details", "Address", "Referral", "System", "Referral"], 0)
    sections = [section("Information", ("Name",), ("Phone", "Email"))]
    for number, label in enumerate(labels):
        columns = [
            tuple(f"Own_{number}_{column}_{n}__c" for n in range(r.randint(0, 3)))
            for column in range(r.randint(1, 2))
        ]
        sections.append(section(label, *columns))
    if r.random() < 0.5:
        sections.append(
            xml(
                "relatedLists",
                "<fields>SUBJECT</fields>",
                relatedList="RelatedActivityList",
            )
        )
    return page(*sections)


def some(r: random.Random, of: list[str], least: int = 0) -> list[str]:
    unique = list(dict.fromkeys(of))
    return r.sample(unique, r.randint(least, len(unique)))


def live(files: Tree, seed: int) -> Tree:
    """
    Let the customer go on with what is the customer's own.

    The same seed does the same to an org with and without our package in it.
    """
    changed = dict(files)
    for place in sorted(path for path in files if path.startswith("layouts/")):
        r = random.Random(f"{seed} {place}")
        if place.startswith("layouts/Referrer__c") or r.random() < 0.4:
            continue
        root = etree.fromstring(changed[place])
        new = etree.fromstring(section("Added later", (f"Later_{r.random()}__c",)))
        for element in new.iter():
            element.tag = f"{{{MD}}}{element.tag}"
        places = root.findall(f"{{{MD}}}layoutSections")
        places[-1].addnext(new)
        changed[place] = etree.tostring(root)
    for place, kind, piece in (
        (
            "workflows/Lead.workflow",
            "Workflow",
            xml("alerts", fullName="Later", description="Later"),
        ),
        ("objects/Lead.object", "CustomObject", custom_field("Later__c")),
    ):
        if random.Random(f"{seed} {place}").random() < 0.7:
            there = files.get(place, document(kind, ""))
            end = there.rindex(b"</")
            changed[place] = there[:end] + piece.encode() + there[end:]
    changed["permissionsets/Own.permissionset"] = grants("Lead.Later__c", label="Own")
    return changed


# -- the model of an org --------------------------------------------------------------


@dataclass
class Org:
    """An org that knows its metadata and nothing else."""

    files: Tree
    assigned: set[str] = field(default_factory=set)
    """Permission sets that somebody has; those are not deleted."""
    active: set[str] = field(default_factory=set)
    """Flows with an active version."""

    def layouts(self) -> list[str]:
        names = (name.removeprefix("layouts/") for name in self.files)
        return sorted(n.removesuffix(".layout") for n in names if n.endswith(".layout"))

    def retrieve(self, members: Mapping[str, set[str]], seed: int = 0) -> Tree:
        """Give what is asked for, as untidily as Salesforce does."""
        wanted = {(kind, name) for kind, names in members.items() for name in names}
        found = []
        for (kind, name), part in split(self.files).items():
            parent = part.file.rpartition("/")[2].partition(".")[0]
            if (
                wanted & {(kind, name), (kind, name.rstrip("/")), (kind, "*")}
                or (
                    part.file.startswith("workflows/")
                    and ("Workflow", parent) in wanted
                )
                or (
                    part.file.startswith("objects/")
                    and ("CustomObject", parent) in wanted
                )
            ):
                found.append(part)
        tree = join(found, api_version=VERSION)
        r = random.Random(seed)
        return {
            path: content
            if path == "package.xml" or not is_document(path)
            else untidy(content, r)
            for path, content in tree.items()
        }

    def deploy(self, archive: Mapping[str, bytes]) -> None:
        """Apply a package: all of it, or nothing and ``Refused``."""
        rows, version = read_manifest(archive["package.xml"])
        assert version == VERSION
        incoming = split(dict(archive))
        assert all(
            part.key in rows or part.file.startswith("workflows/")
            for part in incoming.values()
        ), "a component that package.xml does not name"
        incoming = {key: own(part) for key, part in incoming.items()}
        now = {**split(self.files), **incoming}
        if "destructiveChanges.xml" in archive:
            gone, _ = read_manifest(archive["destructiveChanges.xml"])
            now = self._without(now, gone)
        self.files = join(now.values(), api_version=VERSION)
        self.active |= {name for kind, name in incoming if kind == "Flow"}
        self.assigned |= {n for k, n in incoming if k == "PermissionSet"}

    def deactivate(self, flows: tuple[str, ...]) -> None:
        self.active -= set(flows)

    def delete_flows(self, flows: tuple[str, ...]) -> None:
        if both := self.active & set(flows):
            raise Refused(f"active: {both}")
        for name in flows:
            self.files.pop(f"flows/{name}.flow")

    def unassign(self, names: tuple[str, ...]) -> None:
        self.assigned -= set(names)

    def by_hand(self, names: tuple[str, ...]) -> None:
        gone = {tuple(name.split(" ", 1)) for name in names}
        left = {k: part for k, part in split(self.files).items() if k not in gone}
        left = _without_translations(left, gone)
        self.files = join(left.values(), api_version=VERSION)

    def _without(self, now, gone):
        objects = {name for kind, name in gone if kind == "CustomObject"}
        left = {}
        for key, part in now.items():
            owner = part.file.rpartition("/")[2].partition(".")[0].partition("-")[0]
            inside = owner in objects and part.file.split("/")[0] in {
                "objects",
                "layouts",
            }
            plain = key[0], key[1].rstrip("/")
            if plain not in gone and not inside:
                left[key] = part
        left = _without_translations(left, gone)
        for kind, name in gone:
            if kind == "Flow":
                raise Refused("a flow goes by its versions")
            if not {(kind, name), (kind, f"{name}/")} & now.keys():
                raise Refused(f"{kind} {name} is not there")
            if any(k == kind and n.startswith(f"{name}/") for k, n in left):
                raise Refused(f"folder {name} is not empty")
            if kind == "MatchingRule" and b"Active" in text_of(now[kind, name]):
                raise Refused(f"{name} is active")
            if kind == "PermissionSet" and name in self.assigned:
                raise Refused(f"{name} is assigned")
            if kind in {"LeadConvertSettings", "StandardValueSet", "RecordType"}:
                raise Refused(f"{kind} cannot be deleted")
            short = name.rpartition(".")[2]
            if kind not in {"CustomField", "CustomObject"}:
                continue
            scope = "" if kind == "CustomObject" else name.partition(".")[0]
            for part in left.values():
                folder, _, file = part.file.partition("/")
                if folder in {"permissionsets", "pathAssistants"}:
                    continue  # Salesforce takes it out of those by itself
                of_one = folder in {"objects", "layouts", "workflows"}
                if scope and of_one and file.replace("-", ".").split(".")[0] != scope:
                    continue
                if f">{short}<" in "".join(part.text()):
                    raise Refused(f"{name} is still named in {part.file}")
        return left


def text_of(part: Part) -> bytes:
    return "".join(part.text()).encode()


def _without_translations(left, gone):
    """Take out what translates a component that goes."""
    names = {name for _, name in gone}
    kept = {}
    for key, part in left.items():
        of = part.name.rpartition("-")[0]
        if part.type.endswith("Translation"):
            nodes = tuple(
                n for n in part.node.children if f"{of}.{n.value('name')}" not in names
            )
            if of in names or not nodes:
                continue
            if nodes != part.node.children:
                node = replace(part.node, children=nodes)
                part = replace(part, node=node, source=None)
        kept[key] = part
    return kept


def own(part: Part) -> Part:
    """Forget what the org writes into a flow by itself."""
    if part.type != "Flow":
        return part
    nodes = (n for n in part.node.children if n.tag != "processMetadataValues")
    return replace(part, node=replace(part.node, children=tuple(nodes)), source=None)


def untidy(content: bytes, r: random.Random) -> bytes:
    """Turn the elements over, and write out defaults of fields and flows."""
    root = etree.fromstring(content)
    for element in root.iter(f"{{{MD}}}fields"):
        if element.find(f"{{{MD}}}type") is not None:
            for tag in ("externalId", "trackTrending", "required"):
                if element.find(f"{{{MD}}}{tag}") is None:
                    etree.SubElement(element, f"{{{MD}}}{tag}").text = "false"
    if etree.QName(root).localname == "Flow":
        root.append(
            etree.fromstring(
                f'<processMetadataValues xmlns="{MD}"><name>BuilderType</name>'
                "<value><stringValue>Lightning</stringValue></value>"
                "</processMetadataValues>"
            )
        )
    tags = sorted({child.tag for child in root})
    r.shuffle(tags)
    root[:] = [child for tag in tags for child in root if child.tag == tag]
    return etree.tostring(root, pretty_print=r.random() < 0.5)


def leaves(tree: Mapping[str, bytes]) -> Counter[tuple[str, ...]]:
    """Count every text with the elements around it: compared without our own code."""
    found: Counter[tuple[str, ...]] = Counter()
    for place, content in tree.items():
        if place in {"package.xml", PATCHES} or not is_document(place):
            continue
        for element in etree.fromstring(content).iter():
            if not len(element):
                around = [etree.QName(e).localname for e in element.iterancestors()]
                text = (element.text or "").strip()
                tag = etree.QName(element).localname
                if text:
                    found[place, *around[::-1], tag, text] += 1
    return found


def copied(files: Mapping[str, bytes]) -> Org:
    return Org(copy.deepcopy(dict(files)))


# -- strategies -----------------------------------------------------------------------

_names = st.lists(st.sampled_from("ABCDEFGH"), unique=True, max_size=6)


@st.composite
def value_sets(draw: st.DrawFn) -> bytes:
    return value_set(
        *(
            value(
                name,
                draw(st.sampled_from([name, f"{name} renamed", f"Other {name}"])),
                **draw(
                    st.sampled_from([{}, {"isActive": "false"}, {"color": "#00FF00"}])
                ),
            )
            for name in draw(_names)
        )
    )


@st.composite
def layouts(draw: st.DrawFn) -> bytes:
    return page(
        *(
            section(
                label, *(tuple(draw(_names)) for _ in range(draw(st.integers(0, 2))))
            )
            for label in draw(_names)
        ),
        draw(st.sampled_from(["", "<showEmailCheckbox>true</showEmailCheckbox>"])),
    )


@st.composite
def conversions(draw: st.DrawFn) -> bytes:
    """Each target once in each mapping, as Salesforce demands."""
    body = ""
    for target in draw(st.sets(st.sampled_from(["Account", "Contact"]))):
        sources = draw(_names)
        targets = draw(st.permutations(sources))
        body += mapping(target, *zip(sources, targets, strict=True))
    body += draw(st.sampled_from(["", "<allowOwnerChange>true</allowOwnerChange>"]))
    return document("LeadConvertSettings", body)


@st.composite
def permission_sets(draw: st.DrawFn) -> bytes:
    return grants(*draw(_names), label=draw(st.sampled_from("XY")))


@st.composite
def workflows(draw: st.DrawFn) -> bytes:
    return document(
        "Workflow", "".join(message(name, *draw(_names)) for name in draw(_names))
    )


FILES: Mapping[str, st.SearchStrategy[bytes]] = {
    "globalValueSets/S.globalValueSet": value_sets(),
    "layouts/Lead-L.layout": layouts(),
    "LeadConvertSettings/LeadConvertSettings.LeadConvertSetting": conversions(),
    "permissionsets/P.permissionset": permission_sets(),
    "workflows/Lead.workflow": workflows(),
}


@st.composite
def versions(draw: st.DrawFn) -> tuple[str, bytes, bytes, bytes]:
    """Draw a path and three versions of that file: base, theirs, ours."""
    place = draw(st.sampled_from(sorted(FILES)))
    one, two, three = (draw(FILES[place]) for _ in range(3))
    return place, one, two, three
