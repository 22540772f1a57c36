"""Customer orgs made from a seed: what people build before they hear of us."""

import random
from dataclasses import dataclass, field

MD = "http://soap.sforce.com/2006/04/metadata"
_NAMES = (
    "Region",
    "Segment",
    "Partner_Id",
    "Budget",
    "Priority_Group",
    "Campaign_Code",
)
_EDITIONS = (
    ("Developer Edition", False),
    ("Enterprise Edition", False),
    ("Enterprise Edition", True),
    ("Unlimited Edition", False),
    ("Performance Edition", True),
)


@dataclass
class Made:
    """One customer's org: its switches, and what is deployed into it."""

    seed: int
    switches: dict[str, object]
    files: dict[str, bytes] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)

    @property
    def archive(self) -> dict[str, bytes]:
        """The files with their package.xml."""
        return {**self.files, "package.xml": manifest(self.members)}

    @property
    def paths(self) -> list[str]:
        """Where the customer's things are."""
        return sorted(self.files)


def manifest(members: dict[str, list[str]]) -> bytes:
    rows = "".join(
        f"<types>{''.join(f'<members>{each}</members>' for each in names)}"
        f"<name>{kind}</name></types>"
        for kind, names in sorted(members.items())
    )
    return f'<Package xmlns="{MD}">{rows}<version>62.0</version></Package>'.encode()


def make(seed: int, *, admin: str, layout: bytes) -> Made:
    """
    Make a customer.

    Args:
        admin: a user name of the org, for the customer's own outbound message.
        layout: the org's lead layout, to which the customer adds things.
    """
    dice = random.Random(seed)
    edition, sandbox = dice.choice(_EDITIONS)
    made = Made(
        seed,
        {
            "edition": edition,
            "sandbox": sandbox,
            "multi_currency": dice.random() < 0.3,
            "person_accounts": dice.random() < 0.2,
            "state_country_picklists": dice.random() < 0.3,
        },
    )
    fields = dice.sample(_NAMES, dice.randint(1, 4))
    for name in ("Lead", "Contact", "Opportunity"):
        _object(made, dice, name, fields)
    if dice.random() < 0.7:
        _mapping(made, fields)
    if dice.random() < 0.7:
        _message(made, dice, admin)
    if dice.random() < 0.7:
        _layout(made, dice, fields, layout)
    if dice.random() < 0.5:
        _values(made, dice)
    if dice.random() < 0.5:
        _permissions(made, fields)
    return made


def _object(made: Made, dice: random.Random, name: str, fields: list[str]) -> None:
    body = "".join(
        f"<fields><fullName>{each}__c</fullName><label>{each.replace('_', ' ')}</label>"
        f"<length>{40 + 5 * len(each)}</length><type>Text</type></fields>"
        for each in sorted(fields)
    )
    members = [f"{name}.{each}__c" for each in fields]
    if name == "Lead" and dice.random() < 0.6:
        body += (
            "<listViews><fullName>Theirs</fullName><columns>FULL_NAME</columns>"
            "<filterScope>Everything</filterScope><label>Theirs</label></listViews>"
        )
        made.members.setdefault("ListView", []).append("Lead.Theirs")
    if dice.random() < 0.6:
        body += (
            "<validationRules><fullName>Theirs_Short</fullName><active>true</active>"
            f"<errorConditionFormula>LEN({fields[0]}__c) &gt; 30"
            "</errorConditionFormula><errorMessage>Too long.</errorMessage>"
            "</validationRules>"
        )
        made.members.setdefault("ValidationRule", []).append(f"{name}.Theirs_Short")
    made.files[f"objects/{name}.object"] = (
        f'<CustomObject xmlns="{MD}">{body}</CustomObject>'
    ).encode()
    made.members.setdefault("CustomField", []).extend(members)


def _mapping(made: Made, fields: list[str]) -> None:
    rows = "".join(
        f"<mappingFields><inputField>{each}__c</inputField>"
        f"<outputField>{each}__c</outputField></mappingFields>"
        for each in sorted(fields)
    )
    mappings = "".join(
        f"<objectMapping><inputObject>Lead</inputObject>{rows}"
        f"<outputObject>{target}</outputObject></objectMapping>"
        for target in ("Contact", "Opportunity")
    )
    made.files["LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"] = (
        f'<LeadConvertSettings xmlns="{MD}">{mappings}</LeadConvertSettings>'
    ).encode()
    made.members["LeadConvertSettings"] = ["LeadConvertSettings"]


def _message(made: Made, dice: random.Random, admin: str) -> None:
    made.files["workflows/Lead.workflow"] = (
        f'<Workflow xmlns="{MD}"><outboundMessages><fullName>Theirs</fullName>'
        "<apiVersion>60.0</apiVersion>"
        f"<endpointUrl>https://example.com/{dice.randint(1, 99)}</endpointUrl>"
        "<fields>Id</fields><includeSessionId>false</includeSessionId>"
        f"<integrationUser>{admin}</integrationUser><name>Theirs</name>"
        "<protected>false</protected><useDeadLetterQueue>false</useDeadLetterQueue>"
        "</outboundMessages></Workflow>"
    ).encode()
    made.members["WorkflowOutboundMessage"] = ["Lead.Theirs"]


def _layout(made: Made, dice: random.Random, fields: list[str], layout: bytes) -> None:
    items = "".join(
        f"<layoutItems><behavior>Edit</behavior><field>{each}__c</field></layoutItems>"
        for each in fields
    )
    section = (
        "<layoutSections><customLabel>true</customLabel><detailHeading>true"
        f"</detailHeading><editHeading>true</editHeading><label>Theirs {made.seed}"
        f"</label><layoutColumns>{items}</layoutColumns><layoutColumns/>"
        "<style>TwoColumnsTopToBottom</style></layoutSections>"
    ).encode()
    first = layout.index(b"<layoutSections>")
    at = first if dice.random() < 0.5 else layout.rindex(b"</layoutSections>") + 17
    made.files["layouts/Lead-Lead Layout.layout"] = layout[:at] + section + layout[at:]
    made.members["Layout"] = ["Lead-Lead Layout"]


def _values(made: Made, dice: random.Random) -> None:
    values = "".join(
        f"<customValue><fullName>{each}</fullName><default>false</default>"
        f"<label>{each}</label></customValue>"
        for each in dice.sample(("North", "South", "East", "West"), 3)
    )
    made.files["globalValueSets/Theirs.globalValueSet"] = (
        f'<GlobalValueSet xmlns="{MD}">{values}<masterLabel>Theirs</masterLabel>'
        "<sorted>false</sorted></GlobalValueSet>"
    ).encode()
    made.members["GlobalValueSet"] = ["Theirs"]


def _permissions(made: Made, fields: list[str]) -> None:
    rows = "".join(
        f"<fieldPermissions><editable>true</editable><field>Lead.{each}__c</field>"
        "<readable>true</readable></fieldPermissions>"
        for each in sorted(fields)
    )
    made.files["permissionsets/Theirs.permissionset"] = (
        f'<PermissionSet xmlns="{MD}">{rows}<label>Theirs</label></PermissionSet>'
    ).encode()
    made.members["PermissionSet"] = ["Theirs"]
