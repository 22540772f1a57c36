"""What people look at: list views, layouts, paths, actions, apps, tabs and pages."""

import re
from collections.abc import Iterator

from sidecar.package.lint import expressions, formulas, references
from sidecar.package.lint.expressions import Scope
from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source
from sidecar.package.lint.things import Missing

# Source: "Compact Layouts", Salesforce Help.
MOST_COMPACT = 10
_FIELD = re.compile(r"\w+__c$", re.IGNORECASE)


def check(index: Index) -> Iterator[Finding]:
    """Yield what is wrong in what people look at."""
    for source in index.of("ListView"):
        yield from _list_view(index, source)
    for source in index.of("CompactLayout"):
        yield from _compact(index, source)
    for source in index.of("FieldSet"):
        for tag in ("displayedFields", "availableFields"):
            for node in source.root.all(tag, "field"):
                yield from references.field(index, source, source.owner, node)
    for source in index.of("Layout"):
        yield from _layout(index, source)
    for source in index.of("QuickAction"):
        yield from _quick_action(index, source)
    for source in index.of("CustomApplication", "CustomTab"):
        yield from _navigation(index, source)
    for source in index.of("FlexiPage"):
        yield from _page(index, source)
    for source in index.documents:
        yield from _filter_logic(source)


def _list_view(index: Index, source: Source) -> Iterator[Finding]:
    owner = source.owner
    for node in source.root.all("columns"):
        yield from _column(index, source, owner, node)
    for row in source.root.all("filters"):
        yield from _column(index, source, owner, row.one("field"))
        if row.get("operation") in {"equals", "notEqual"}:
            value, name = row.one("value"), row.get("field")
            yield from references.values(
                index, source, owner, name, value, row.get("value")
            )


def _column(
    index: Index, source: Source, owner: str, node: Node | None
) -> Iterator[Finding]:
    """Standard columns are named otherwise, as CORE.USERS.ALIAS; ours end in __c."""
    if node is None or not _FIELD.search(node.text):
        return
    head, _, name = node.text.rpartition(".")
    if head and head.lower() != owner.lower():
        return
    yield from references.field(index, source, owner, node, name)


def _compact(index: Index, source: Source) -> Iterator[Finding]:
    nodes = list(source.root.all("fields"))
    for node in nodes:
        yield from references.field(index, source, source.owner, node)
    if len(nodes) > MOST_COMPACT:
        message = f"{source.name} has {len(nodes)} fields, at most {MOST_COMPACT} fit"
        yield finding("layout/compact-limit", source.path, 1, source.name, message)


def _layout(index: Index, source: Source) -> Iterator[Finding]:
    """A layout is named ``Object-Label``."""
    owner = source.name.partition("-")[0]
    yield from _at(index.missing_object(owner), source)
    shown: set[str] = set()
    for node in source.root.all("layoutSections", "layoutColumns", "layoutItems"):
        place = node.one("field")
        if place is None:
            continue
        if place.text.lower() in shown:
            message = f"{source.name} shows {place.text} twice"
            yield finding("layout/duplicate", source.path, place, place.text, message)
        shown.add(place.text.lower())
        yield from references.field(index, source, owner, place)
        yield from _behaviour(index, source, owner, node, place.text)
    yield from _required(index, source, owner, shown)
    for row in source.root.all("relatedLists"):
        yield from _related(index, source, row)
    for path in (
        ("quickActionList", "quickActionListItems", "quickActionName"),
        ("relatedLists", "quickActions"),
    ):
        for node in source.root.all(*path):
            yield from _action(index, source, node)
    for row in source.root.all("platformActionList", "platformActionListItems"):
        if row.get("actionType") == "QuickAction":
            yield from _action(index, source, row.one("actionName"))
    thing = index.object(owner)
    if "__" not in owner or (thing and not thing.whole):
        message = f"{source.name} takes the place of the org's own layout"
        yield finding("layout/customers", source.path, 1, source.name, message)


def _at(missing: Missing | None, source: Source) -> Iterator[Finding]:
    if missing:
        yield missing.at(source.path, 1, source.name)


def _behaviour(
    index: Index, source: Source, owner: str, item: Node, name: str
) -> Iterator[Finding]:
    one = index.field(owner, name)
    behaviour = item.one("behavior")
    if one is None or behaviour is None:
        return
    computed = one.is_formula or one.type in {"Summary", "AutoNumber"}
    if computed and behaviour.text != "Readonly":
        message = f"{source.name} lets {name} be edited, which is computed"
        yield finding("layout/computed-field", source.path, behaviour, name, message)


def _required(
    index: Index, source: Source, owner: str, shown: set[str]
) -> Iterator[Finding]:
    """Whoever creates a record in this layout must be able to fill these."""
    thing = index.object(owner)
    if thing is None:
        return
    for one in thing.fields.values():
        needed = one.node.get("required") == "true" or one.type == "MasterDetail"
        ours = one.name.lower().endswith("__c") and one.type != "Checkbox"
        if needed and ours and one.name.lower() not in shown:
            message = f"{source.name} does not show {one.name}, which is required"
            level = None if thing.whole else Level.NOTE
            yield finding(
                "layout/required", source.path, 1, one.name, message, level=level
            )


def _related(index: Index, source: Source, row: Node) -> Iterator[Finding]:
    """A list of custom records is named ``Child__c.Lookup__c``."""
    node = row.one("relatedList")
    if node is None or not _FIELD.search(node.text):
        return
    yield from references.full_field(index, source, node)
    child = node.text.partition(".")[0]
    for column in row.all("fields"):
        if _FIELD.fullmatch(column.text):
            yield from references.field(index, source, child, column)


def _action(index: Index, source: Source, node: Node | None) -> Iterator[Finding]:
    """Standard actions, as FeedItem.TextPost or NewTask, are no files."""
    if node is None:
        return
    own = node.text.rpartition(".")[2]
    standard = node.text.startswith("FeedItem.") or own in _STANDARD_ACTIONS
    if not standard:
        yield from references.component(
            index, source, "quick-action", "QuickAction", node
        )


_STANDARD_ACTIONS = frozenset(
    {
        *("NewTask", "NewEvent", "NewCase", "NewLead", "NewContact", "NewAccount"),
        *("NewOpportunity", "NewNote", "NewGroup", "NewGroupMember", "LogACall"),
        *("SendEmail", "Email", "Call", "UpdateStatus", "EditDescription", "Follow"),
        *("NewChildCase", "UpdateCase", "CloseCase", "NewCampaign", "Edit", "Delete"),
        *("Defer", "Complete", "UpdatePriority", "UpdateDueDate", "NewFollowUpTask"),
    }
)


def _quick_action(index: Index, source: Source) -> Iterator[Finding]:
    """An action of an object is named ``Object.Action``; a global one ``Action``."""
    root, owner = source.root, source.owner
    yield from _at(index.missing_object(owner), source)
    target_node = root.one("targetObject")
    yield from references.an_object(index, source, target_node)
    target = target_node.text if target_node is not None else ""
    parent = root.one("targetParentField")
    if parent is not None and _FIELD.fullmatch(parent.text):
        yield from references.field(index, source, target, parent)
    items = root.all(
        "quickActionLayout",
        "quickActionLayoutColumns",
        "quickActionLayoutItems",
        "field",
    )
    shown = set()
    for node in items:
        shown.add(node.text.lower())
        yield from references.field(index, source, target, node)
    for row in root.all("fieldOverrides"):
        name = row.get("field")
        shown.add(name.lower())
        yield from references.field(index, source, target, row.one("field"))
        if formula := row.one("formula"):
            scope = Scope(index, source.path, formula, source.name, "", on_save=False)
            yield from expressions.syntax(formulas.read(formula.text), scope)
        if literal := row.one("literalValue"):
            scope = Scope(index, source.path, literal, source.name, target)
            yield from expressions.value_of(target, name, literal.text, scope)
    yield from references.component(
        index, source, "flow", "Flow", root.one("flowDefinition")
    )
    if kind := root.one("targetRecordType"):
        yield from references.component(
            index, source, "record-type", "RecordType", kind
        )
    if root.get("type") == "Create" and root.one("quickActionLayout"):
        parent_name = parent.text.lower() if parent is not None else ""
        yield from _creatable(index, source, target, shown | {parent_name})


def _creatable(
    index: Index, source: Source, target: str, shown: set[str]
) -> Iterator[Finding]:
    thing = index.object(target)
    for one in thing.fields.values() if thing else ():
        needed = one.node.get("required") == "true" or one.type == "MasterDetail"
        if needed and one.type != "Checkbox" and one.name.lower() not in shown:
            if one.node.get("defaultValue") or index.has_default(one):
                continue
            message = f"{source.name} creates a {target} without {one.name}"
            yield finding("quick-action/required", source.path, 1, source.name, message)


def _navigation(index: Index, source: Source) -> Iterator[Finding]:
    root = source.root
    if source.type == "CustomTab":
        if root.get("customObject") == "true":
            yield from _at(index.missing_object(source.name), source)
        yield from references.component(
            index, source, "page", "FlexiPage", root.one("flexiPage")
        )
        return
    for node in root.all("tabs"):
        if not node.text.startswith("standard-"):
            yield from references.component(index, source, "tab", "CustomTab", node)
    yield from references.component(
        index, source, "page", "FlexiPage", root.one("utilityBar")
    )
    for override in root.all("actionOverrides"):
        if override.get("type").lower() == "flexipage":
            page = override.one("content")
            yield from references.component(index, source, "page", "FlexiPage", page)


def _page(index: Index, source: Source) -> Iterator[Finding]:
    owner_node = source.root.one("sobjectType")
    yield from references.an_object(index, source, owner_node)
    owner = owner_node.text if owner_node is not None else ""
    for node in source.root.walk():
        if node.name == "fieldItem":
            head, _, name = node.text.partition(".")
            if head == "Record" and name:
                yield from references.field(index, source, owner, node, name)
        elif node.name == "leftValue":
            for merged in formulas.merged(node.text):
                head, _, name = merged.partition(".")
                if head == "Record" and name:
                    yield from references.field(index, source, owner, node, name)


def _filter_logic(source: Source) -> Iterator[Finding]:
    """``1 AND (2 OR 3)`` must name filters that are there."""
    for node in source.root.walk():
        for logic in node.kids:
            if logic.name not in _LOGICS or logic.nil:
                continue
            numbers = [int(found) for found in re.findall(r"\b\d{1,4}\b", logic.text)]
            rows = sum(kid.name in _FILTERS for kid in node.kids)
            if numbers and max(numbers) > rows:
                message = (
                    f"{source.name}: {logic.text!r} names more than {rows} filters"
                )
                yield finding("filter/logic", source.path, logic, source.name, message)


_LOGICS = frozenset({"booleanFilter", "filterLogic", "conditionLogic"})
_FILTERS = frozenset(
    {
        *("filters", "criteriaItems", "filterItems", "matchingRuleItems"),
        *("duplicateRuleFilterItems", "conditions", "criteria", "rules"),
    }
)
