"""All kinds of components that this org runs, in the order in which they build up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.devorg.metadata import (
    apex,
    certificate,
    credential,
    custom_field,
    custom_object,
    dashboard,
    dependencies,
    duplicate_rule,
    email_template,
    flexipage,
    flow,
    global_value_set,
    layout,
    lead_convert,
    matching,
    navigation,
    notices,
    outbound_message,
    path,
    permission_set,
    platform_event,
    queue,
    quick_action,
    record_type,
    report,
    report_type,
    small_kinds,
    translation,
    value_set,
)
from sidecar.devorg.metadata.component import Part
from sidecar.devorg.metadata.work import Work

Apply = Callable[[Work, Part, str], object]
Remove = Callable[[Work, str], None]


@dataclass(frozen=True)
class Kind:
    """
    One metadata type.

    Attributes:
        prefix: key prefix of its components' ids.
        apply: makes the component real; gets the id, returns the value to keep.
        remove: takes it out of the org; the component itself is removed after.
        versioned: each change gets an id of its own, and ``remove`` keeps house.
    """

    type: str
    prefix: str
    apply: Apply
    remove: Remove
    versioned: bool = False


def _nothing(_work: Work, _full_name: str) -> None:
    """Nothing but the component is to be removed."""


_report_folder = dashboard.folder("ReportFolder", "Report")
_dashboard_folder = dashboard.folder("DashboardFolder", "Dashboard")
_email_folder = dashboard.folder("EmailFolder", "EmailTemplate")

ALL = (
    Kind("StandardValueSet", "0Sv", value_set.apply, value_set.remove),
    Kind("GlobalValueSet", "0Nt", global_value_set.apply, global_value_set.remove),
    Kind("CustomLabel", "101", small_kinds.custom_label, _nothing),
    Kind(
        "CustomPermission",
        "0CP",
        small_kinds.custom_permission,
        small_kinds.remove_custom_permission,
    ),
    Kind("Group", "00G", queue.group, queue.remove),
    Kind("CustomObject", "01I", custom_object.apply, dependencies.remove_object),
    Kind("CustomField", "00N", custom_field.apply, dependencies.remove_field),
    Kind("Queue", "00G", queue.queue, queue.remove),
    Kind("CompactLayout", "0AH", small_kinds.compact_layout, _nothing),
    Kind("BusinessProcess", "019", record_type.business_process, _nothing),
    Kind("RecordType", "012", record_type.record_type, record_type.remove),
    Kind("FieldSet", "0IX", small_kinds.field_set, _nothing),
    Kind("ListView", "00B", small_kinds.list_view, _nothing),
    Kind("ValidationRule", "03d", small_kinds.validation_rule, _nothing),
    Kind("WebLink", "00b", quick_action.web_link, _nothing),
    Kind("ApexClass", "01p", apex.apex_class, apex.remove_class),
    Kind("ApexTrigger", "01q", apex.apex_trigger, _nothing),
    Kind("PlatformEventSubscriberConfig", "0XN", platform_event.subscriber, _nothing),
    Kind(certificate.TYPE, certificate.PREFIX, certificate.apply, _nothing),
    Kind("ExternalCredential", "0pq", credential.external, credential.remove_external),
    Kind("NamedCredential", "0XA", credential.named, _nothing),
    Kind("RemoteSiteSetting", "0rp", credential.remote_site, _nothing),
    Kind("CustomNotificationType", "0ML", notices.notification_type, _nothing),
    Kind(
        "WorkflowOutboundMessage",
        "04k",
        outbound_message.apply,
        outbound_message.remove,
    ),
    Kind("Flow", "301", flow.apply, flow.remove, versioned=True),
    Kind("QuickAction", "09D", quick_action.apply, _nothing),
    Kind("ReportType", "070", report_type.apply, report_type.remove),
    Kind("ReportFolder", "00l", *_report_folder),
    Kind("Report", "00O", report.apply, report.remove),
    Kind("DashboardFolder", "00l", *_dashboard_folder),
    Kind("Dashboard", "01Z", dashboard.apply, _nothing),
    Kind("EmailFolder", "00l", *_email_folder),
    Kind("EmailTemplate", "00X", email_template.apply, _nothing),
    Kind("FlexiPage", "0M0", flexipage.apply, flexipage.remove),
    Kind("Layout", "00h", layout.apply, layout.remove),
    Kind("CustomTab", "01r", navigation.tab, navigation.remove_tab),
    Kind("CustomApplication", "02u", navigation.application, _nothing),
    Kind("Prompt", "0bs", notices.prompt, _nothing),
    Kind("PermissionSet", "0PS", permission_set.apply, permission_set.remove),
    Kind("PathAssistant", "0NN", path.apply, _nothing),
    Kind("LeadConvertSettings", "0Lc", lead_convert.apply, _nothing),
    Kind("MatchingRule", "0JD", matching.matching_rule, matching.remove_matching),
    Kind("DuplicateRule", "0Bm", duplicate_rule.apply, _nothing),
    Kind("GlobalValueSetTranslation", "0Nu", translation.of_value_set, _nothing),
    Kind("CustomObjectTranslation", "01h", translation.of_object, _nothing),
    Kind("Translations", "01g", translation.of_org, _nothing),
)
BY_TYPE = {kind.type: kind for kind in ALL}
ORDER = {kind.type: place for place, kind in enumerate(ALL)}
