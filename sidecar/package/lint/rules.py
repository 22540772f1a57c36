"""Every rule: its level, what it says of a project, and what to do about it."""

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
        _E,
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
