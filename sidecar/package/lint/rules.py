"""Every rule: its level, what it says of a project, and what to do about it.

One long table: whoever looks for a rule finds all of them here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.nodes import Node


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that the linter looks for."""

    id: str
    level: Level
    title: str
    """What is wrong when it fires, in a few words."""
    remedy: str


_E, _W, _N = Level.ERROR, Level.WARNING, Level.NOTE

_ROWS: tuple[tuple[str, Level, str, str], ...] = (
    # --- the files ---
    ("xml/broken", _E, "not well-formed XML", "Mend the XML."),
    ("xml/doctype", _E, "a document type", "Take the document type out."),
    (
        "source/misplaced",
        _E,
        "a file where its type does not belong",
        "Move or rename the file as the source format wants it.",
    ),
    (
        "source/half",
        _E,
        "one of two files is missing",
        "Add the file that belongs beside it, or remove this one.",
    ),
    (
        "source/unclaimed",
        _W,
        "a file that is not deployed",
        "Rename it, or move it out of the package directory.",
    ),
    (
        "source/wrong-root",
        _E,
        "another type than the name says",
        "Rename the file, or mend its root element.",
    ),
    (
        "source/duplicate",
        _E,
        "one component twice",
        "Keep one of the two files.",
    ),
    # --- the schema ---
    (
        "schema/namespace",
        _E,
        "not in the metadata namespace",
        'Write xmlns="http://soap.sforce.com/2006/04/metadata" on the root.',
    ),
    (
        "schema/unknown-type",
        _W,
        "a type that the schema does not know",
        "Mend the name of the root element.",
    ),
    (
        "schema/unknown-element",
        _E,
        "an element that the schema does not know",
        "Mend the element's name, or take it out.",
    ),
    (
        "schema/enum",
        _E,
        "a value that the schema does not know",
        "Take one of the values that the schema names.",
    ),
    (
        "schema/required",
        _E,
        "a required element is missing",
        "Add the element.",
    ),
    (
        "schema/repeated",
        _E,
        "an element that may stand only once",
        "Keep one of them.",
    ),
    (
        "schema/scattered",
        _E,
        "repeats that do not stand together",
        "Put the elements of this name beside each other.",
    ),
    ("schema/value", _E, "a value of the wrong type", "Write it as its type wants."),
    (
        "schema/stray-text",
        _E,
        "text between elements",
        "Take the text out, or put it into an element.",
    ),
    # --- references ---
    (
        "reference/object",
        _W,
        "an object that is not there",
        "Mend the name, or add the object to the project.",
    ),
    (
        "reference/field",
        _E,
        "a field that is not there",
        "Mend the name, or add the field to the project.",
    ),
    (
        "reference/outbound-message",
        _E,
        "an outbound message that is not there",
        "Add it to the object's workflow file, or mend the name.",
    ),
    (
        "reference/email-alert",
        _E,
        "an e-mail alert that is not there",
        "Add it to the object's workflow file, or mend the name.",
    ),
    (
        "reference/flow",
        _W,
        "a flow that is not there",
        "Add the flow, or mend the name.",
    ),
    (
        "reference/flow-element",
        _E,
        "an element or resource that the flow does not have",
        "Mend the name, or add the element to the flow.",
    ),
    (
        "reference/picklist-value",
        _E,
        "a value that the picklist does not have",
        "Take one of the picklist's values, by API name.",
    ),
    (
        "reference/value-set",
        _W,
        "a global value set that is not there",
        "Add the global value set, or mend the name.",
    ),
    (
        "reference/label",
        _W,
        "a custom label that is not there",
        "Add the label, or mend the name.",
    ),
    (
        "reference/custom-permission",
        _W,
        "a custom permission that is not there",
        "Add the custom permission, or mend the name.",
    ),
    (
        "reference/permission-set",
        _W,
        "a permission set that is not there",
        "Add the permission set, or mend the name.",
    ),
    (
        "reference/record-type",
        _W,
        "a record type that is not there",
        "Add the record type, or mend the name.",
    ),
    (
        "reference/compact-layout",
        _W,
        "a compact layout that is not there",
        "Add the compact layout, or mend the name.",
    ),
    (
        "reference/apex",
        _W,
        "an Apex class, trigger or page that is not there",
        "Add it, or mend the name.",
    ),
    ("reference/tab", _W, "a tab that is not there", "Add the tab, or mend the name."),
    (
        "reference/application",
        _W,
        "an app that is not there",
        "Add the app, or mend the name.",
    ),
    (
        "reference/page",
        _W,
        "a Lightning page that is not there",
        "Add the page, or mend the name.",
    ),
    (
        "reference/quick-action",
        _W,
        "a quick action that is not there",
        "Add the quick action, or mend the name.",
    ),
    (
        "reference/report",
        _E,
        "a report that is not there",
        "Add the report, or mend the folder and name.",
    ),
    (
        "reference/report-type",
        _W,
        "a report type that is not there",
        "Add the report type, or mend the name.",
    ),
    (
        "reference/report-column",
        _E,
        "a column that the report or its type does not have",
        "Add the column to the report type, or mend the name.",
    ),
    (
        "reference/folder",
        _W,
        "a folder that is not there",
        "Add the folder's -meta.xml file.",
    ),
    (
        "reference/relationship",
        _E,
        "a relationship that is not there",
        "Take the relationship name of the lookup field, followed by __r.",
    ),
    (
        "reference/matching-rule",
        _W,
        "a matching rule that is not there",
        "Add the matching rule, or mend the name.",
    ),
    (
        "reference/credential",
        _W,
        "an external credential or principal that is not there",
        "Add the external credential, or mend the name.",
    ),
    (
        "reference/email-template",
        _W,
        "an e-mail template that is not there",
        "Add the template, or mend the folder and name.",
    ),
    (
        "reference/translated",
        _E,
        "a translation of something that is not there",
        "Mend the name, or take the translation out.",
    ),
    # --- formulas ---
    (
        "formula/syntax",
        _E,
        "a formula that cannot be read",
        "Mend the brackets, quotes or operators.",
    ),
    (
        "formula/function",
        _W,
        "a function that is not known",
        "Mend the function's name.",
    ),
    (
        "formula/arguments",
        _E,
        "a function with the wrong number of arguments",
        "Give the function the arguments that it takes.",
    ),
    (
        "formula/context",
        _E,
        "a function that does not work here",
        "Use it in a validation rule or a flow instead.",
    ),
    # --- flows ---
    (
        "flow/api-version",
        _E,
        "an API version in which the flow cannot do this",
        "Set the flow's apiVersion to 53.0 or later.",
    ),
    (
        "flow/transaction-model",
        _E,
        "an action in the wrong transaction",
        "Write <flowTransactionModel>CurrentTransaction</flowTransactionModel>.",
    ),
    (
        "flow/polymorphic-entry",
        _E,
        "an entry formula on a field that points to several objects",
        "Use filters instead of a formula, or decide inside the flow.",
    ),
    (
        "flow/delete-outbound-message",
        _E,
        "an outbound message of a deleted record",
        "Send the message from a flow on create and update.",
    ),
    (
        "flow/other-object",
        _E,
        "an outbound message of another object",
        "Send a message that belongs to the object the flow runs on.",
    ),
    (
        "flow/inactive",
        _N,
        "a flow that does nothing",
        "Set its status to Active, or state why it ships inactive.",
    ),
    (
        "flow/before-save",
        _E,
        "something that a flow before the save cannot do",
        "Do it in a flow that runs after the save.",
    ),
    (
        "flow/unreached",
        _W,
        "an element that nothing leads to",
        "Connect the element, or remove it.",
    ),
    (
        "flow/duplicate-name",
        _E,
        "two elements of one name",
        "Rename one of them.",
    ),
    # --- permissions ---
    (
        "permission/uncovered",
        _W,
        "a field that nobody is given",
        "Grant it in a permission set: a new field is visible to nobody, "
        "administrators included.",
    ),
    (
        "permission/required-field",
        _E,
        "a field that cannot be granted",
        "Take it out: whoever sees the record sees it, and the API refuses to list it.",
    ),
    (
        "permission/computed-field",
        _E,
        "a computed field that may be edited",
        "Write <editable>false</editable>.",
    ),
    (
        "permission/unreadable",
        _E,
        "a field that may be edited but not read",
        "Write <readable>true</readable>.",
    ),
    (
        "permission/incomplete",
        _E,
        "a right without the right that it needs",
        "Grant both, or neither.",
    ),
    (
        "permission/duplicate",
        _E,
        "one thing granted twice",
        "Keep one of the two.",
    ),
    (
        "reference/workflow-action",
        _E,
        "an action that the workflow file does not hold",
        "Add the action to the file, or mend the name.",
    ),
    (
        "reference/code-name",
        _W,
        "a name in code that is almost one of the project's",
        "Mend the name, or add the field or object to the project.",
    ),
    (
        "field/label",
        _E,
        "a field without a label",
        "Write a <label> of at most 40 characters.",
    ),
    (
        "field/help",
        _N,
        "a field without help",
        "Write an <inlineHelpText> for the people who fill it in.",
    ),
    (
        "field/description",
        _N,
        "a field without a description",
        "Write a <description> for administrators.",
    ),
    (
        "field/incomplete",
        _E,
        "a field that lacks what its type needs",
        "Add the element.",
    ),
    (
        "field/range",
        _E,
        "a size that the type does not allow",
        "Take a size that Salesforce allows.",
    ),
    (
        "field/relationship-name",
        _W,
        "a lookup without a relationship name",
        "Write a <relationshipName>, by which the target lists its records.",
    ),
    (
        "field/relationship-duplicate",
        _E,
        "two relationships of one name at one object",
        "Rename one of them.",
    ),
    (
        "field/set-null-required",
        _E,
        "a required lookup that may be cleared",
        "Write <deleteConstraint>Restrict</deleteConstraint>, or do not require it.",
    ),
    (
        "field/key-type",
        _E,
        "a key of a type that cannot be one",
        "Take another type, or write false.",
    ),
    (
        "field/summary",
        _E,
        "a roll-up over something else than its details",
        "Name the master-detail field of the child object.",
    ),
    (
        "picklist/two-sets",
        _E,
        "two sources of values",
        "Keep the global value set or the own values.",
    ),
    (
        "picklist/duplicate",
        _E,
        "one value twice",
        "Keep one of them.",
    ),
    (
        "picklist/defaults",
        _E,
        "more than one default",
        "Keep one default.",
    ),
    (
        "picklist/empty",
        _E,
        "a picklist without values",
        "Add at least one value.",
    ),
    (
        "picklist/milestones",
        _E,
        "other values than the milestones",
        "Let the value set hold the milestones in their order.",
    ),
    (
        "path/steps",
        _W,
        "a path that leaves out values of its picklist",
        "Give each value a step, in the picklist's order.",
    ),
    (
        "object/incomplete",
        _E,
        "an object that lacks what every object needs",
        "Add the element.",
    ),
    (
        "object/sharing",
        _E,
        "a sharing model that does not fit the fields",
        "ControlledByParent goes with a master-detail field, and only with one.",
    ),
    (
        "object/history-limit",
        _E,
        "too many fields with history",
        "Track the history of at most 20 fields.",
    ),
    (
        "object/history-off",
        _W,
        "history of a field without history of its object",
        "Write <enableHistory>true</enableHistory> in the object.",
    ),
    (
        "validation/no-bypass",
        _N,
        "a validation rule that nobody can pass",
        "Add NOT($Permission.Name) with a custom permission, for integrations.",
    ),
    (
        "record-type/no-process",
        _E,
        "a record type without its process",
        "Name a <businessProcess>: this object's record types need one.",
    ),
    (
        "permission/record-type",
        _N,
        "a record type that nobody is given",
        "Make it visible in a permission set.",
    ),
    (
        "layout/required",
        _E,
        "a layout without a required field",
        "Add the field to the layout.",
    ),
    (
        "layout/duplicate",
        _E,
        "a field that a layout shows twice",
        "Keep one of the two.",
    ),
    (
        "layout/computed-field",
        _E,
        "a computed field that a layout lets edit",
        "Write <behavior>Readonly</behavior>.",
    ),
    (
        "layout/compact-limit",
        _E,
        "too many fields in a compact layout",
        "Keep at most 10.",
    ),
    (
        "layout/customers",
        _N,
        "a layout of an object that the org has already",
        "Insert a section into the org's own layout instead.",
    ),
    (
        "quick-action/required",
        _W,
        "an action that cannot fill a required field",
        "Add the field to the action's layout, or preset it.",
    ),
    (
        "filter/logic",
        _E,
        "filter logic over filters that are not there",
        "Name the filters by their numbers, from 1.",
    ),
    (
        "report/shape",
        _E,
        "a format that does not fit the groupings",
        "Take another format, or mend the groupings.",
    ),
    (
        "report/chart",
        _E,
        "a chart that groups by something else than its report",
        "Name a grouping of the report.",
    ),
    (
        "report/duplicate",
        _E,
        "one column twice",
        "Keep one of them.",
    ),
    (
        "dashboard/specified-user",
        _W,
        "a dashboard that runs as one named user",
        "Write <dashboardType>LoggedInUser</dashboardType>.",
    ),
    (
        "dashboard/grid",
        _E,
        "components that do not fit the grid",
        "Move or shrink the component.",
    ),
    (
        "lead-convert/unmapped",
        _W,
        "a lead field that conversion loses",
        "Map it in LeadConvertSettings, or state an exemption in the project file.",
    ),
    (
        "lead-convert/mismatch",
        _E,
        "two fields that do not fit each other",
        "Give both the same type, size and values.",
    ),
    (
        "lead-convert/several",
        _E,
        "a field that is mapped twice",
        "Keep one mapping: a field has one source and one target.",
    ),
    (
        "lead-convert/object",
        _E,
        "an object that has no part in lead conversion",
        "Map from Lead to Account, Contact or Opportunity.",
    ),
    (
        "duplicate/operations",
        _E,
        "operations of a rule that blocks",
        "Take them out, or write Allow as the action.",
    ),
    (
        "duplicate/matching-inactive",
        _W,
        "an active rule that uses an inactive one",
        "Set the matching rule's status to Active.",
    ),
    (
        "workflow/plain-http",
        _W,
        "a message that is sent unencrypted",
        "Use https.",
    ),
    (
        "workflow/duplicate",
        _E,
        "a field that a message sends twice",
        "Keep one of them.",
    ),
    (
        "credential/incomplete",
        _E,
        "a named credential that cannot be used",
        "Add the parameter.",
    ),
    (
        "prompt/published",
        _W,
        "a prompt that appears at once",
        "Write <isPublished>false</isPublished>; an administrator publishes it.",
    ),
    (
        "translation/incomplete",
        _N,
        "something that is not translated",
        "Translate it, or take the language out.",
    ),
    (
        "name/length",
        _E,
        "a name that is too long",
        "Shorten the name.",
    ),
    (
        "name/long",
        _N,
        "a name that some types would refuse",
        "Keep names to 40 characters.",
    ),
    (
        "name/double-underscore",
        _W,
        "two underscores together in a name",
        "Use single underscores.",
    ),
    (
        "name/characters",
        _E,
        "a name that Salesforce does not allow",
        "Use letters, digits and single underscores, and begin with a letter.",
    ),
    (
        "name/differs",
        _E,
        "another name in the file than of the file",
        "Give both the same name.",
    ),
    (
        "text/length",
        _E,
        "a text that is too long",
        "Shorten it.",
    ),
    (
        "version/differs",
        _N,
        "another API version than the project's",
        "Write the project's sourceApiVersion.",
    ),
    (
        "project/api-version",
        _W,
        "a project without its API version",
        "Write a sourceApiVersion into sfdx-project.json.",
    ),
    (
        "project/unused-exemption",
        _W,
        "an exemption that meets nothing",
        "Take it out of the project file.",
    ),
    (
        "project/statement",
        _W,
        "a statement to the linter that is not understood",
        "Mend plugins.sidecar-lint in the project file.",
    ),
    (
        "project/placeholder",
        _E,
        "a placeholder that is not in its file",
        "Mend the replacement in the project file, or the text.",
    ),
    (
        "content/user-name",
        _E,
        "a named user",
        "Take it out, or declare it as a replacement in the project file.",
    ),
    (
        "content/email",
        _W,
        "an e-mail address",
        "Use an address of example.com, or a replacement.",
    ),
    (
        "content/record-id",
        _W,
        "an id of one org",
        "Refer to it by its API name.",
    ),
    (
        "content/secret",
        _E,
        "a secret",
        "Take it out and revoke it: whoever reads the project has it.",
    ),
    (
        "content/profile",
        _W,
        "a profile",
        "Grant by permission sets: a profile replaces the org's own settings.",
    ),
    (
        "content/standard-value-set",
        _W,
        "a standard value set",
        "It replaces the org's whole list: use a global value set instead.",
    ),
    # --- sections for the customer's layouts ---
    (
        "section/unreadable",
        _E,
        "layout sections that cannot be read",
        "Write them as the package's README says.",
    ),
    # --- forbidden content ---
    (
        "content/session",
        _E,
        "a session that is handed out",
        "Take it out: whoever receives it acts as that user.",
    ),
)

RULES: Mapping[str, Rule] = MappingProxyType({row[0]: Rule(*row) for row in _ROWS})


def finding(
    rule: str,
    path: str,
    where: Node | int,
    name: str,
    message: str,
    *,
    level: Level | None = None,
    doubtful: str = "",
) -> Finding:
    """
    Make a finding of a rule, with its remedy.

    Args:
        where: the element, or the line.
        name: the thing that is wrong; exemptions are stated by it.
        level: in place of the rule's own.
        doubtful: see Finding.

    Raises:
        KeyError: no such rule.
    """
    row = RULES[rule]
    line = where if isinstance(where, int) else where.line
    return Finding(
        file=path,
        line=line,
        rule=rule,
        name=name,
        message=message,
        level=level or row.level,
        remedy=row.remedy,
        doubtful=doubtful,
    )
