"""CustomTab and CustomApplication: how people get to the objects.

Source: "CustomTab" and "CustomApplication", Metadata API Developer Guide.
"""

from __future__ import annotations

from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.element import (
    Problem,
    check,
    child,
    children,
    flag,
    line_of,
    text,
    texts,
)
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing

_STANDARD_TABS_TEXT = """
home account contact lead opportunity campaign case task event report dashboard feed
contract document file forecastenhanced forecasts forecasting3 collaborationgroup
calendar product2 pricebook2 quote order asset solution contentnote recycleitem
appointmentinvitation advforecast people usersettings chatter console recordhome
dashboardsnapshot workspace contentsearch contentsubscriptions duplicaterecordset
emailtemplate listemail appquickactions setupoverview notificationsettings
"""
_STANDARD_TABS = frozenset("standard-" + name for name in _STANDARD_TABS_TEXT.split())
_STANDARD_APPS_TEXT = """
Sales Service Marketing LightningSales LightningSalesConsole LightningService
AppLauncher Community Chatterdesktop Content Platform SalesConsole ServiceConsole
DigitalExperience LightningBolt Optimizer QueueManagement Insights
"""
_STANDARD_APPS = frozenset("standard__" + name for name in _STANDARD_APPS_TEXT.split())
# What a tab shows: exactly one of these.
_CONTENTS = {
    "customObject": "",
    "flexiPage": "FlexiPage",
    "url": "",
    "page": "ApexPage",
    "lwcComponent": "LightningComponentBundle",
    "auraComponent": "AuraDefinitionBundle",
    "scontrol": "Scontrol",
}


def need_tab(work: Work, element: str, name: str) -> None:
    """
    Check that a tab exists.

    Raises:
        Problem: "In field: … - no CustomTab named … found".
    """
    if name.lower() in _STANDARD_TABS or work.has("CustomTab", name):
        return
    raise missing(element, "CustomTab", name)


def need_app(work: Work, element: str, name: str) -> None:
    """
    Check that an app exists.

    Raises:
        Problem: "In field: … - no CustomApplication named … found".
    """
    if name not in _STANDARD_APPS and not work.has("CustomApplication", name):
        raise missing(element, "CustomApplication", name)


def tab(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep a tab.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "CustomTab")
    given = [
        name
        for name in _CONTENTS
        if child(element, name) is not None
        and (name != "customObject" or flag(element, name))
    ]
    if len(given) != 1:
        raise Problem(
            "A tab must have exactly one of: customObject, flexiPage, url, page, "
            "lwcComponent, auraComponent"
        )
    if not text(element, "motif"):
        raise Problem("Required field is missing: motif")
    if given == ["customObject"]:
        type_ = work.org.schema.get(part.full_name)
        if type_ is None or not type_.custom:
            raise missing("customObject", "CustomObject", part.full_name)
        return
    check_name(part.full_name)
    if not text(element, "label"):
        raise Problem("Required field is missing: label")
    check_length("MasterLabel", text(element, "label"), 80)
    if needed := _CONTENTS[given[0]]:
        work.need(given[0], needed, text(element, given[0]) or "")


def application(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep an app.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "CustomApplication")
    check_name(part.full_name)
    if not text(element, "label") and part.full_name not in _STANDARD_APPS:
        raise Problem("Required field is missing: label")
    check_length("MasterLabel", text(element, "label"), 80)
    check_length("Description", text(element, "description"), 1000)
    tabs = children(element, "tabs")
    seen: set[str] = set()
    for each in tabs:
        name = (each.text or "").strip()
        need_tab(work, "tabs", name)
        if name.lower() in seen:
            raise Problem(f"Duplicate tab: {name}", line=line_of(each))
        seen.add(name.lower())
    if text(element, "uiType") == "Lightning" and not texts(element, "formFactors"):
        raise Problem("Required field is missing: formFactors")
    if bar := text(element, "utilityBar"):
        work.need("utilityBar", "FlexiPage", bar)
    for each in (
        *children(element, "actionOverrides"),
        *children(element, "profileActionOverrides"),
    ):
        if text(each, "type") == "Flexipage":
            work.need("content", "FlexiPage", text(each, "content") or "")
        if profile := text(each, "profile"):
            _need_profile(work, profile)


def _need_profile(work: Work, name: str) -> None:
    rows = work.org.records.table("Profile").rows.values()
    known = {str(row["Name"]) for row in rows}
    shown = "System Administrator" if name == "Admin" else name
    if shown not in known:
        raise missing("profile", "Profile", name)


def remove_tab(work: Work, full_name: str) -> None:
    """
    Delete a tab.

    Raises:
        Problem: an app opens with it.
    """
    for each in work.components.of_type("CustomApplication"):
        if text(each.element, "defaultLandingTab") == full_name:
            raise Problem(
                "This tab is referenced elsewhere in salesforce.com."
                f" : Custom App - {each.full_name}"
            )
