"""What makes two elements of metadata the same thing, and when order has a meaning.

Salesforce's schema says which elements repeat, not how to tell the repeats apart; that
stands in the Metadata API Developer Guide, type by type. The tables here say it for
the types that are merged. Without a row an element is told by ``fullName`` or
``name``, and if it has neither, by all that it holds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar.package.lint.schema import official

Key = tuple[str, ...]

# Type of the element -> elements that name it. () : told by its place alone.
KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ActionOverride": ("actionName", "formFactor"),
        "AppActionOverride": ("actionName", "pageOrSobjectType", "formFactor"),
        "AppProfileActionOverride": (
            "actionName",
            "pageOrSobjectType",
            "formFactor",
            "profile",
            "recordType",
        ),
        "CustomMetadataValue": ("field",),
        "DuplicateRuleMatchRule": ("matchingRule", "matchRuleSObjectType"),
        "FlowInputFieldAssignment": ("field",),
        "LayoutColumn": (),
        "LayoutItem": (
            "field",
            "customLink",
            "page",
            "canvas",
            "component",
            "scontrol",
            "emptySpace",
        ),
        "LayoutSection": ("label",),
        "LayoutSectionTranslation": ("section",),
        "LayoutTranslation": ("layout",),
        "MatchingRuleItem": ("fieldName", "matchingMethod"),
        "ObjectMapping": ("inputObject", "outputObject"),
        "ObjectMappingField": ("inputField",),
        "ObjectNameCaseValue": ("article", "caseType", "plural", "possessive"),
        "PathAssistantStep": ("picklistValueName",),
        "PermissionSetApexClassAccess": ("apexClass",),
        "PermissionSetApexPageAccess": ("apexPage",),
        "PermissionSetApplicationVisibility": ("application",),
        "PermissionSetExternalCredentialPrincipalAccess": (
            "externalCredentialPrincipal",
        ),
        "PermissionSetFieldPermissions": ("field",),
        "PermissionSetFlowAccess": ("flow",),
        "PermissionSetObjectPermissions": ("object",),
        "PermissionSetRecordTypeVisibility": ("recordType",),
        "PermissionSetTabSetting": ("tab",),
        "PicklistValueTranslation": ("masterLabel",),
        "PlatformActionListItem": ("actionName", "actionType"),
        "ProfileSearchLayouts": ("profileName",),
        "QueueSobject": ("sobjectType",),
        "RecordTypePicklistValue": ("picklist",),
        "RelatedListItem": ("relatedList",),
        "ReportColumn": ("field",),
        "ReportGrouping": ("field",),
        "ReportLayoutSection": ("masterLabel",),
        "ReportTypeColumn": ("table", "field"),
        "ValueSettings": ("valueName",),
        "ValueTranslation": ("masterLabel",),
    }
)

# Types whose repeated elements form a set. In all others their order has a meaning,
# or we do not know that it has none: picklist values, sections, columns, steps.
_BAGS = frozenset(
    {
        "CustomFieldTranslation",
        "CustomLabels",
        "CustomObject",
        "CustomObjectTranslation",
        "Flow",
        "GlobalValueSetTranslation",
        "Group",
        "LayoutTranslation",
        "LeadConvertSettings",
        "MatchingRules",
        "ObjectMapping",
        "PermissionSet",
        "PermissionSetGroup",
        "Queue",
        "RecordType",
        "RecordTypePicklistValue",
        "SharingRules",
        "Translations",
        "Workflow",
        "WorkflowOutboundMessage",
    }
)
_ORDERED_IN_BAGS = frozenset({("CustomObject", "actionOverrides")})

_NO = "false"
# What Salesforce writes out on retrieve although it is what an absent element means.
# Source: "Default" or "default value" in the field tables of each type, Metadata API
# Developer Guide.
_DEFAULTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "CustomApplication": dict.fromkeys(
            (
                "isNavAutoTempTabsDisabled",
                "isNavPersonalizationDisabled",
                "isNavTabPersistenceDisabled",
                "isOmniPinnedViewEnabled",
                "isServiceCloudConsole",
            ),
            _NO,
        ),
        "CustomField": dict.fromkeys(
            (
                "deprecated",
                "externalId",
                "isFilteringDisabled",
                "isNameField",
                "isSortingDisabled",
                "reparentableMasterDetail",
                "required",
                "trackFeedHistory",
                "trackHistory",
                "trackTrending",
                "unique",
                "writeRequiresMasterRead",
            ),
            _NO,
        ),
        "CustomObject": dict.fromkeys(
            (
                "deprecated",
                "enableActivities",
                "enableDivisions",
                "enableFeeds",
                "enableHistory",
                "enableLicensing",
                "enableReports",
                "household",
                "recordTypeTrackFeedHistory",
                "recordTypeTrackHistory",
            ),
            _NO,
        ),
        "CustomValue": {"isActive": "true"},
        "Flow": dict.fromkeys(
            ("isAdditionalPermissionRequiredToRun", "isTemplate"), _NO
        ),
        "FlowStart": {"doesRequireRecordChangedToMeetCriteria": _NO},
        "Layout": dict.fromkeys(
            (
                "emailDefault",
                "runAssignmentRulesDefault",
                "showEmailCheckbox",
                "showHighlightsPanel",
                "showInteractionLogPanel",
                "showKnowledgeComponent",
                "showRunAssignmentRulesCheckbox",
                "showSolutionSection",
                "showSubmitAndAttachButton",
            ),
            _NO,
        ),
        "LayoutItem": {"emptySpace": _NO, "showScrollbars": _NO},
        "LayoutSection": dict.fromkeys(
            ("customLabel", "detailHeading", "editHeading"), _NO
        ),
        "LeadConvertSettings": {"allowOwnerChange": _NO},
        "PermissionSet": {"hasActivationRequired": _NO},
        "PermissionSetObjectPermissions": {"viewAllFields": _NO},
        "StandardValue": {"isActive": "true"},
        "WorkflowOutboundMessage": {"useDeadLetterQueue": _NO},
    }
)
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Node:
    """One element, as a value: equal nodes hold the same, white space apart."""

    tag: str
    text: str = ""
    """Of a leaf, stripped; Salesforce strips what is typed in, too."""
    children: tuple["Node", ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    raw: str = field(default="", compare=False)
    """The text as it stood, to be written back as it was."""

    def value(self, tag: str) -> str:
        """Give the text of the first child of that name, or an empty one."""
        return next((child.text for child in self.children if child.tag == tag), "")


def leaf(tag: str, text: str) -> Node:
    """Make an element that holds a text."""
    return Node(tag, text.strip(), raw=text)


def type_of(kind: str, tag: str) -> str:
    """Give the schema's type of an element inside ``kind``; empty if unknown."""
    slot = official().types.get(kind, {}).get(tag)
    return slot.type if slot else ""


def repeats(kind: str, tag: str) -> bool:
    """Say whether the schema allows more than one such element inside ``kind``."""
    slot = official().types.get(kind, {}).get(tag)
    return bool(slot and slot.repeats)


def ordered(kind: str, tag: str) -> bool:
    """Say whether the order of such elements inside ``kind`` has a meaning."""
    return kind not in _BAGS or (kind, tag) in _ORDERED_IN_BAGS


def defaults(kind: str) -> Mapping[str, str]:
    """Give what absent elements of ``kind`` mean, where it is documented."""
    return _DEFAULTS.get(kind, _NONE)


def key(node: Node, kind: str) -> Key:
    """Give what tells this element of type ``kind`` from its like."""
    tags = KEYS.get(kind)
    if tags is not None:
        return tuple(node.value(tag) for tag in tags)
    if not node.children:
        return (node.text,)
    for tag in ("fullName", "name", "developerName"):
        if value := node.value(tag):
            return (value,)
    return tuple(flat(node))


def keyed(nodes: Iterable[Node], kind: str) -> dict[Key, Node]:
    """Index elements in their order; repeats of a key get a number appended."""
    found: dict[Key, Node] = {}
    seen: Counter[Key] = Counter()
    for node in nodes:
        plain = key(node, kind)
        seen[plain] += 1
        found[(*plain, str(seen[plain]))] = node
    return found


def flat(node: Node) -> Iterable[str]:
    """Yield all that an element holds."""
    for child in node.children:
        yield child.tag
        yield child.text
        yield from flat(child)
