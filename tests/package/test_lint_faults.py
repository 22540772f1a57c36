"""One fault at a time, put into the bundled package: its rule tells it, and no other.

Each row: the rule, and what is done to the project's files.
"""

import json
import re
from functools import cache

import pytest
from trees import document

from sidecar.package import bundle, read
from sidecar.package.lint import nodes, sources
from sidecar.package.lint.checks import lint
from sidecar.package.lint.rules import RULES
from sidecar.package.lint.sections import load

READ = cache(nodes.parse)


@pytest.fixture(autouse=True)
def _read_each_file_once(monkeypatch):
    """The files are the same in every test, but for one."""
    monkeypatch.setattr(sources, "parse", READ)


@cache
def bundled():
    return load(read.bundled())


@cache
def usual():
    """What the package has anyway; nothing, unless it is being worked on."""
    return frozenset(identity(found) for found in lint(bundled()))


def identity(found):
    return found.rule, found.file, found.name, found.message


def only(tree, ending):
    """Give the path that ends so."""
    (path,) = [path for path in tree if path.endswith(ending)]
    return path


def swap(ending, old, new, *, times=1):
    """Write something else in a file."""

    def seed(tree):
        path = only(tree, ending)
        assert old.encode() in tree[path], f"{path} does not hold {old}"
        tree[path] = tree[path].replace(old.encode(), new.encode(), times)

    return seed


def cut(ending, pattern):
    """Take out the first place that matches a regular expression."""

    def seed(tree):
        path = only(tree, ending)
        text, count = re.subn(pattern, "", tree[path].decode(), count=1, flags=re.S)
        assert count, f"{path} does not hold {pattern}"
        tree[path] = text.encode()

    return seed


def grow(ending, more, *, before=None):
    """Write something more into a file: at its end, or before a text."""

    def seed(tree):
        path = only(tree, ending)
        head, found, tail = tree[path].decode().rpartition(before or "</")
        assert found, f"{path} does not hold {before}"
        tree[path] = f"{head}{more}{found}{tail}".encode()

    return seed


def add(path, kind, body, **more):
    """Add a document, given in part of ``core`` unless the path says otherwise."""

    def seed(tree):
        tree[f"core/main/default/{path}-meta.xml"] = document(kind, body)
        for other, content in more.items():
            tree[f"core/main/default/{other}"] = content

    return seed


def drop(ending):
    """Remove a file."""

    def seed(tree):
        del tree[only(tree, ending)]

    return seed


def rename(ending, new):
    """Give a file another ending."""

    def seed(tree):
        path = only(tree, ending)
        tree[path.removesuffix(ending) + new] = tree.pop(path)

    return seed


def both(*seeds):
    """Do several things, where one alone would break something else too."""

    def seed(tree):
        for one in seeds:
            one(tree)

    return seed


def project(change):
    """Change the project file."""

    def seed(tree):
        content = json.loads(tree["sfdx-project.json"])
        change(content)
        tree["sfdx-project.json"] = json.dumps(content, indent=2).encode()

    return seed


def stated(**what):
    def change(content):
        content["plugins"]["sidecar-lint"].update(what)

    return project(change)


FLOW = "/Referral_Lead_Status_Changed.flow-meta.xml"
BEFORE = "/Referral_Lead_Milestones.flow-meta.xml"
STATUS = "/Lead/fields/Referral_Status__c.field-meta.xml"
CODE = "/Lead/fields/Referral_Code__c.field-meta.xml"
NOTES = "/Lead/fields/Referral_Notes__c.field-meta.xml"
MONEY = "/Lead/fields/Potential_Commission__c.field-meta.xml"
LOOKUP = "/Lead/fields/Referrer__c.field-meta.xml"
TIER = "/Referrer__c/fields/Tier__c.field-meta.xml"
DAYS = "/Opportunity/fields/Referral_Days_To_Convert__c.field-meta.xml"
SUM = "/Referrer__c/fields/Rewards_Paid__c.field-meta.xml"
REFERRER = "/Referrer__c.object-meta.xml"
REWARD = "/Referral_Reward__c.object-meta.xml"
SET = "/Referral_Status.globalValueSet-meta.xml"
SOURCES = "/Referral_Source.globalValueSet-meta.xml"
MESSAGE = "/Lead.workflow-meta.xml"
VIEWER = "/Referral_Viewer.permissionset-meta.xml"
MANAGER = "/Referral_Manager.permissionset-meta.xml"
SIGNED = "/Referral_Signed_Events.permissionset-meta.xml"
ORDER = "/Lead/validationRules/Referral_Status_Order.validationRule-meta.xml"
REQUIRED = "/Lead/validationRules/Referral_Referrer_Required.validationRule-meta.xml"
VIEW = "/Lead/listViews/Referral_Overdue.listView-meta.xml"
COMPACT = "/Lead/compactLayouts/Referral_Compact.compactLayout-meta.xml"
LAYOUT = "/Referrer__c-Referrer Layout.layout-meta.xml"
PATH = "/Referral_Lead_Path.pathAssistant-meta.xml"
CONVERT = ".LeadConvertSetting-meta.xml"
APP = "/Referral_Tracking.app-meta.xml"
REFER = "/Contact.Refer_Someone.quickAction-meta.xml"
TYPE = "/Referrers_with_Leads.reportType-meta.xml"
FUNNEL = "/Referral_Funnel.report-meta.xml"
BOARD = "/Referral_Performance.dashboard-meta.xml"
DUPLICATE = ".duplicateRule-meta.xml"
MATCHING = "/Referrer__c.matchingRule-meta.xml"
NAMED = "/Referral_Sidecar.namedCredential-meta.xml"
CONSUMER = "/Referral_Status_Change.platformEventSubscriberConfig-meta.xml"
HANDLER = "/ReferralStatusChangeHandler.cls"
TRIGGER = "/ReferralStatusChangeTrigger.trigger"
PROMPT = "/Referral_Welcome.prompt-meta.xml"
GERMAN = "/Referral_Status-de.globalValueSetTranslation-meta.xml"
LEAD_DE = "/Lead-de/Referral_Code__c.fieldTranslation-meta.xml"
LABEL = (
    "<labels><fullName>{}</fullName><language>en_US</language>"
    "<protected>false</protected><shortDescription>x</shortDescription>"
    "<value>x</value></labels>"
)
FIELD = (
    "<fullName>{}</fullName><description>x</description>"
    "<inlineHelpText>x</inlineHelpText><label>X</label>"
)
GRANT = (
    "<fieldPermissions><editable>{}</editable><field>{}</field>"
    "<readable>true</readable></fieldPermissions>"
)


def ungranted(body, name="Extra__c", owner="Referrer__c"):
    """Add a field that is granted and translated nowhere."""
    return add(
        f"objects/{owner}/fields/{name}.field", "CustomField", FIELD.format(name) + body
    )


def extra(body, owner="Referrer__c", name="Extra__c", grant=True):
    """Add a field, granted and translated, so that only its own fault is left."""

    def seed(tree):
        ungranted(body, name, owner)(tree)
        if grant:
            grow(VIEWER, GRANT.format("false", f"{owner}.{name}"), before="<hasAct")(
                tree
            )
        for language in ("de", "fr"):
            folder = f"translations/main/default/objectTranslations/{owner}-{language}"
            tree[f"{folder}/{name}.fieldTranslation-meta.xml"] = document(
                "CustomFieldTranslation",
                f"<help>x</help><label>x</label><name>{name}</name>",
            )

    return seed


TO_USER = (
    "<referenceTo>User</referenceTo><relationshipName>Extras</relationshipName>"
    "<type>Lookup</type>"
)


def leave_translations(content):
    levels = content["plugins"]["sidecar-lint"]["levels"]
    levels["translation/incomplete"] = "off"


# What is added in one language alone is told too; here that is beside the point.
UNTRANSLATED = project(leave_translations)

FAULTS = {
    # --- the files ---
    "xml/broken: an end tag": swap(STATUS, "</label>", "</lable>"),
    "xml/broken: cut off in the middle": cut(PATH, r"</PathAssistant>\s*$"),
    "xml/doctype": swap(PATH, "<PathAssistant", "<!DOCTYPE x>\n<PathAssistant"),
    "source/misplaced": rename(
        "/tabs/Referrer__c.tab-meta.xml", "/tab/Referrer__c.tab-meta.xml"
    ),
    "source/half": drop("/ReferralEventSenderTest.cls"),
    "source/unclaimed": lambda tree: tree.update(
        {"core/main/default/flows/notes.txt": b"x"}
    ),
    "source/wrong-root": swap(
        "/Referral_Tracking.reportFolder-meta.xml",
        "ReportFolder",
        "DashboardFolder",
        times=2,
    ),
    "source/duplicate: in two modules": lambda tree: tree.update(
        {
            "guidance/main/default/customPermissions/Referral_Bypass_Validation.customPermission-meta.xml": tree[
                only(tree, "/Referral_Bypass_Validation.customPermission-meta.xml")
            ]
        }
    ),
    # --- the schema ---
    "schema/namespace": swap(PATH, "2006/04/metadata", "2006/08/metadata"),
    "schema/unknown-type": add("moods/Blue.mood", "Mood", "<label>Blue</label>"),
    "schema/unknown-element: misspelt": swap(
        STATUS, "externalId>", "externalid>", times=2
    ),
    "schema/unknown-element: of another type": grow(
        SET, "<trackHistory>true</trackHistory>"
    ),
    "schema/unknown-element: below a value": swap(
        PATH, "<active>true</active>", "<active><b>true</b></active>"
    ),
    "schema/enum": swap(VIEW, "Everything", "Everyone"),
    "schema/enum: in another case": swap(FLOW, "RecordAfterSave", "recordAfterSave"),
    "schema/required": cut(PATH, r"<masterLabel>.*?</masterLabel>"),
    "schema/required: deep inside": cut(VIEWER, r"<editable>false</editable>"),
    "schema/repeated": grow(PATH, "<active>true</active>"),
    "schema/scattered": grow(VIEWER, GRANT.format("false", "Lead.Website")),
    "schema/value: no boolean": swap(
        MESSAGE, "<includeSessionId>false", "<includeSessionId>no"
    ),
    "schema/value: no number": swap(
        PROMPT, "<timesToDisplay>1", "<timesToDisplay>once"
    ),
    "schema/value: no date": grow(
        PROMPT, "<startDate>31.01.2026</startDate>", before="</promptVersions>"
    ),
    "schema/stray-text": swap(PATH, "<active>", "hello<active>"),
    # --- references ---
    "reference/object: of a flow": swap(
        "/Referral_Lead_Status_Changed.flow-meta.xml",
        "<object>Referrer__c</object>",
        "<object>Referer__c</object>",
    ),
    "reference/object: without its suffix": swap(
        FLOW, "<object>Referrer__c</object>", "<object>Referrer</object>"
    ),
    "reference/object: of a lookup": extra(
        "<referenceTo>Refferer__c</referenceTo>"
        "<relationshipName>Extras</relationshipName><type>Lookup</type>"
    ),
    "reference/object: of a permission": swap(
        MANAGER, "<object>Referrer__c", "<object>Referrers__c"
    ),
    "reference/object: of a trigger": swap(
        TRIGGER, "on Referral_Status_Change__e", "on Referral_Status_Changes__e"
    ),
    "reference/field: in a flow's filter": swap(
        FLOW, "<field>Last_Referral_At__c</field>", "<field>Last_Referral_On__c</field>"
    ),
    "reference/field: in an entry formula": swap(
        FLOW,
        "ISCHANGED({!$Record.Referral_Status__c})",
        "ISCHANGED({!$Record.Referral_State__c})",
    ),
    "reference/field: in an assignment": swap(
        BEFORE,
        "<assignToReference>$Record.Referral_Lost_At__c",
        "<assignToReference>$Record.Referral_Lost_On__c",
    ),
    "reference/field: in a validation rule": swap(
        REQUIRED, "ISBLANK(Referrer_Name__c)", "ISBLANK(Referer_Name__c)"
    ),
    "reference/field: where the error is shown": swap(
        REQUIRED,
        "<errorDisplayField>Referrer_Name__c",
        "<errorDisplayField>Referrer_Nam__c",
    ),
    "reference/field: in a formula field": swap(
        DAYS, "Referral_Submitted_At__c", "Referral_Submited_At__c"
    ),
    "reference/field: in an outbound message": swap(
        MESSAGE, "<fields>Referral_Code__c", "<fields>Referral_Codes__c"
    ),
    "reference/field: a standard one misspelt": swap(
        MESSAGE, "<fields>LastModifiedDate", "<fields>LastModifedDate"
    ),
    "reference/field: in a list view": swap(
        VIEW, "<columns>Referrer_Name__c", "<columns>Referrers_Name__c"
    ),
    "reference/field: in a compact layout": swap(
        COMPACT, "<fields>Referral_Status__c", "<fields>Referral_Stages__c"
    ),
    "reference/field: in a layout": swap(LAYOUT, "<field>Tier__c", "<field>Tiers__c"),
    "reference/field: in a path": swap(
        PATH, "<fieldNames>Referral_Notes__c", "<fieldNames>Referral_Note__c"
    ),
    "reference/field: in a permission set": swap(
        VIEWER, "<field>Lead.Referral_Unowned__c", "<field>Lead.Referral_Unowed__c"
    ),
    "reference/field: in a lead conversion": swap(
        CONVERT, "<outputField>Referral_Code__c", "<outputField>Referral_Codex__c"
    ),
    "reference/field: in a quick action": swap(
        REFER, "<field>Referral_Consent__c", "<field>Referral_Consents__c"
    ),
    "reference/field: in a matching rule": swap(
        MATCHING, "<fieldName>Email__c", "<fieldName>EMail_Address__c"
    ),
    "reference/field: in a report type": swap(
        TYPE, "<field>Code__c</field>", "<field>Codes__c</field>"
    ),
    "reference/field: of a roll-up": swap(
        SUM,
        "<summarizedField>Referral_Reward__c.Amount__c",
        "<summarizedField>Referral_Reward__c.Amounts__c",
    ),
    "reference/field: in a section": swap(
        "patches/core.json", '"Referral_Type__c"', '"Referral_Types__c"'
    ),
    "reference/outbound-message": swap(
        FLOW,
        "<actionName>Lead.Referral_Status_Changed",
        "<actionName>Lead.Referral_Status_Change",
    ),
    "reference/email-alert": swap(
        FLOW, "<actionType>outboundMessage", "<actionType>emailAlert"
    ),
    "reference/flow": swap(FLOW, "<actionType>outboundMessage", "<actionType>flow"),
    "reference/flow-element: a connector": swap(
        FLOW,
        "<targetReference>Stamp_Referral_Key",
        "<targetReference>Stamp_Referal_Key",
    ),
    "reference/flow-element: a resource": swap(
        BEFORE, "<elementReference>First_Lost", "<elementReference>First_Loss"
    ),
    "reference/picklist-value: in a flow": swap(
        BEFORE, "<stringValue>Contacted", "<stringValue>Contact"
    ),
    "reference/picklist-value: in a validation rule": swap(
        ORDER, "&quot;Qualified&quot;", "&quot;Qualfied&quot;"
    ),
    "reference/picklist-value: in a list view": swap(
        VIEW, "<value>Submitted", "<value>Submited"
    ),
    "reference/picklist-value: in a path": swap(
        PATH, "<picklistValueName>Won", "<picklistValueName>Gained"
    ),
    "reference/picklist-value: in a report": both(
        swap(FUNNEL, "<value></value>", "<value>Open</value>")
    ),
    "reference/picklist-value: in a quick action": swap(
        REFER, "<literalValue>Submitted", "<literalValue>Submittd"
    ),
    "reference/value-set": extra(
        "<type>Picklist</type><valueSet><valueSetName>Referral_Kind</valueSetName>"
        "</valueSet>"
    ),
    "reference/label": both(
        add("labels/CustomLabels.labels", "CustomLabels", LABEL.format("Hello")),
        swap(REQUIRED, "ISBLANK(Referrer_Name__c)", "ISBLANK($Label.Hallo)"),
        UNTRANSLATED,
    ),
    "reference/custom-permission: in a formula": swap(
        REQUIRED,
        "$Permission.Referral_Bypass_Validation",
        "$Permission.Referral_Bypas_Validation",
    ),
    "reference/custom-permission: in a permission set": swap(
        MANAGER, "<name>Referral_Bypass_Validation", "<name>Referral_Bypass"
    ),
    "reference/permission-set": add(
        "permissionsetgroups/All.permissionsetgroup",
        "PermissionSetGroup",
        "<label>All</label><permissionSets>Referral_Views</permissionSets>",
    ),
    "reference/record-type": grow(
        VIEWER,
        "<recordTypeVisibilities><recordType>Campaign.Referral</recordType><visible>true</visible></recordTypeVisibilities>",
    ),
    "reference/compact-layout": swap(
        REFERRER,
        "<compactLayoutAssignment>Referrer_Compact",
        "<compactLayoutAssignment>Compact_Referrer",
    ),
    "reference/apex: in a permission set": swap(
        SIGNED, "<apexClass>ReferralEventSender<", "<apexClass>ReferralEventsSender<"
    ),
    "reference/apex: of a subscription": swap(
        CONSUMER,
        "<platformEventConsumer>ReferralStatusChangeTrigger",
        "<platformEventConsumer>ReferralStatusTrigger",
    ),
    "reference/tab: of an app": swap(APP, "<tabs>Referrer__c", "<tabs>Referrers"),
    "reference/tab: of a permission set": swap(
        MANAGER, "<tab>Referrer__c", "<tab>Referrers"
    ),
    "reference/application": swap(
        PROMPT,
        "<customApplication>Referral_Tracking",
        "<customApplication>Referrals_Tracking",
    ),
    "reference/page": both(
        add(
            "flexipages/Bar.flexipage",
            "FlexiPage",
            "<masterLabel>Bar</masterLabel><template><name>one:utilityBarTemplateDesktop</name></template><type>UtilityBar</type>",
        ),
        grow(APP, "<utilityBar>Bars</utilityBar>"),
    ),
    "reference/quick-action": grow(
        LAYOUT,
        "<quickActionList><quickActionListItems><quickActionName>New_Refferer</quickActionName></quickActionListItems></quickActionList>",
    ),
    "reference/report": swap(
        BOARD,
        "<report>Referral_Tracking/Overdue_Referrals",
        "<report>Referral_Tracking/Overdue_Referral",
    ),
    "reference/report-type": both(
        swap(FUNNEL, "<reportType>Referral_Leads__c", "<reportType>Referral_Lead__c")
    ),
    "reference/report-column": swap(
        FUNNEL, "<field>Lead$Company", "<field>Lead$Website"
    ),
    "reference/report-column: of a dashboard": swap(
        BOARD,
        "<decimalPrecision>",
        "<groupingColumn>Lead$Company</groupingColumn><decimalPrecision>",
    ),
    "reference/folder": drop("/Referral_Tracking.reportFolder-meta.xml"),
    "reference/relationship": swap(
        TYPE, "<relationship>Referred_Leads__r", "<relationship>Referrred_Leads__r"
    ),
    "reference/relationship: in a formula": swap(
        REQUIRED, "ISBLANK(Referrer_Name__c)", "ISBLANK(Referer__r.Name)"
    ),
    "reference/matching-rule": swap(
        DUPLICATE, "<matchingRule>Referral_Same_Referrer", "<matchingRule>Same_Referrer"
    ),
    "reference/credential: of an endpoint": swap(
        NAMED,
        "<externalCredential>Referral_Sidecar",
        "<externalCredential>Referral_Sidecars",
    ),
    "reference/credential: a principal": swap(
        SIGNED, "Referral_Sidecar-Referral_Events", "Referral_Sidecar-Referral_Event"
    ),
    "reference/email-template": grow(
        MESSAGE,
        "<alerts><fullName>Tell</fullName><description>Tell</description><protected>false</protected><senderType>CurrentUser</senderType><template>Referral_Tracking/Referral_Hello</template></alerts>",
    ),
    "reference/workflow-action": grow(
        MESSAGE,
        "<rules><fullName>Tell</fullName><actions><name>Referral_Status_Chanced</name><type>OutboundMessage</type></actions><active>true</active><formula>true</formula><triggerType>onAllChanges</triggerType></rules>",
    ),
    "reference/code-name": swap(
        HANDLER, "{", "{ Object x = new Map<String, Referral_Status_Chance__e>();"
    ),
    "reference/translated: a field": lambda tree: tree.update(
        {
            "translations/main/default/objectTranslations/Lead-de/Codex__c"
            ".fieldTranslation-meta.xml": document(
                "CustomFieldTranslation", "<label>x</label><name>Codex__c</name>"
            )
        }
    ),
    "reference/translated: a value": grow(
        GERMAN,
        "<valueTranslation><masterLabel>Winning</masterLabel>"
        "<translation>x</translation></valueTranslation>",
    ),
    # --- formulas ---
    "formula/syntax: a bracket": swap(
        REQUIRED, "ISBLANK(Referrer_Name__c)", "ISBLANK(Referrer_Name__c"
    ),
    "formula/syntax: a quote": swap(ORDER, "&quot;Lost&quot;, 6", "&quot;Lost, 6"),
    "formula/function": swap(
        REQUIRED, "ISBLANK(Referrer_Name__c)", "ISBLAMK(Referrer_Name__c)"
    ),
    "formula/arguments": swap(
        REQUIRED, "ISBLANK(Referrer_Name__c)", "ISBLANK(Referrer_Name__c, 1)"
    ),
    "formula/context": swap(DAYS, "<formula>", "<formula>IF(ISNEW(), 0, 1) * "),
    # --- flows ---
    "flow/api-version": both(
        swap(FLOW, "<apiVersion>62.0", "<apiVersion>52.0"),
        stated(levels={"version/differs": "off"}),
    ),
    "flow/transaction-model": cut(
        FLOW, r"<flowTransactionModel>.*?</flowTransactionModel>"
    ),
    "flow/polymorphic-entry": swap(
        FLOW,
        "ISCHANGED({!$Record.Referral_Status__c})",
        "ISCHANGED({!$Record.OwnerId})",
    ),
    "flow/delete-outbound-message": swap(
        FLOW, "<recordTriggerType>CreateAndUpdate", "<recordTriggerType>Delete"
    ),
    "flow/other-object": swap(
        FLOW, "<actionName>Lead.Referral", "<actionName>Contact.Referral"
    ),
    "flow/inactive": swap(FLOW, "<status>Active", "<status>Draft"),
    "flow/before-save": swap(
        BEFORE,
        "</decisions>",
        "<defaultConnector><targetReference>Upd</targetReference></defaultConnector></decisions><recordUpdates><name>Upd</name><label>Upd</label><locationX>0</locationX><locationY>0</locationY><inputReference>$Record</inputReference></recordUpdates>",
    ),
    "flow/unreached": swap(
        "/Referral_Contact_Milestones.flow-meta.xml",
        "<targetReference>Stamp_Lost",
        "<targetReference>Stamp_Contacted",
    ),
    "flow/duplicate-name": swap(
        BEFORE,
        "<formulas>",
        "<formulas><name>First_Lost</name><dataType>String</dataType>"
        "<expression>1</expression></formulas><formulas>",
    ),
    # --- fields, picklists, objects ---
    "field/label": cut(STATUS, r"<label>.*?</label>"),
    "field/help": cut(STATUS, r"<inlineHelpText>.*?</inlineHelpText>"),
    "field/description": cut(STATUS, r"<description>.*?</description>"),
    "field/incomplete": cut(
        "/Referrer__c/fields/Code__c.field-meta.xml", r"<length>.*?</length>"
    ),
    "field/range: too long a text": extra("<length>300</length><type>Text</type>"),
    "field/range: more decimals than digits": extra(
        "<precision>4</precision><scale>6</scale><type>Number</type>"
    ),
    "field/relationship-name": extra(
        "<referenceTo>User</referenceTo><type>Lookup</type>"
    ),
    "field/relationship-duplicate": both(
        extra(TO_USER),
        extra(TO_USER, name="Other__c"),
    ),
    "field/set-null-required": both(
        extra(
            "<deleteConstraint>SetNull</deleteConstraint><referenceTo>User</referenceTo><relationshipName>Extras</relationshipName><required>true</required><type>Lookup</type>",
            grant=False,
        ),
        swap(
            LAYOUT,
            "<field>User__c</field>",
            "<field>User__c</field></layoutItems><layoutItems><field>Extra__c</field>",
        ),
        swap("/New_Referrer.quickAction-meta.xml", "<field>Type__c", "<field>Extra__c"),
        swap(
            "/Contact.Make_Referrer.quickAction-meta.xml",
            "<field>Type__c",
            "<field>Extra__c",
        ),
    ),
    "field/key-type": extra("<externalId>true</externalId><type>Date</type>"),
    "field/summary": swap(
        SUM,
        "<summaryForeignKey>Referral_Reward__c.Referrer__c",
        "<summaryForeignKey>Referral_Reward__c.Opportunity__c",
    ),
    "picklist/two-sets": both(
        UNTRANSLATED,
        extra(
            "<type>Picklist</type><valueSet><valueSetDefinition><sorted>false</sorted>"
            "<value><fullName>A</fullName><default>false</default><label>A</label>"
            "</value></valueSetDefinition><valueSetName>Referral_Type</valueSetName>"
            "</valueSet>"
        ),
    ),
    "picklist/duplicate": both(
        swap(
            "/Referral_Type.globalValueSet-meta.xml",
            "<fullName>Employee",
            "<fullName>Partner",
        )
    ),
    "picklist/defaults": both(
        swap(SOURCES, "<default>false", "<default>true", times=2)
    ),
    "picklist/empty": both(
        UNTRANSLATED,
        add(
            "globalValueSets/None.globalValueSet",
            "GlobalValueSet",
            "<masterLabel>None</masterLabel><sorted>false</sorted>",
        ),
    ),
    "picklist/milestones": stated(milestones="Referral_Consent"),
    "path/steps": cut(
        PATH,
        r"<pathAssistantSteps>(?:(?!</pathAssistantSteps>).)*Contacted</picklistValueName>\s*</pathAssistantSteps>",
    ),
    "object/incomplete": cut(REFERRER, r"<pluralLabel>.*?</pluralLabel>"),
    "object/sharing: nothing to be controlled by": swap(
        REFERRER, "<sharingModel>ReadWrite", "<sharingModel>ControlledByParent"
    ),
    "object/sharing: of a detail": swap(
        REWARD, "<sharingModel>ControlledByParent", "<sharingModel>Private"
    ),
    "object/history-limit": lambda tree: [
        extra(
            "<trackHistory>true</trackHistory><type>Date</type>", name=f"Extra{n}__c"
        )(tree)
        for n in range(21)
    ],
    "object/history-off": swap(REFERRER, "<enableHistory>true", "<enableHistory>false"),
    "validation/no-bypass": swap(
        REQUIRED, "NOT($Permission.Referral_Bypass_Validation),", ""
    ),
    "record-type/no-process": both(
        UNTRANSLATED,
        add(
            "objects/Lead/recordTypes/Referral.recordType",
            "RecordType",
            "<fullName>Referral</fullName><active>true</active><label>Referral</label>",
        ),
        grow(
            VIEWER,
            "<recordTypeVisibilities><recordType>Lead.Referral</recordType><visible>true</visible></recordTypeVisibilities>",
        ),
    ),
    # --- permissions ---
    "permission/uncovered": both(extra("<type>Date</type>", grant=False)),
    "permission/record-type": both(
        add(
            "objects/Referrer__c/recordTypes/Referral.recordType",
            "RecordType",
            "<fullName>Referral</fullName><active>true</active><label>Referral</label>",
        ),
        UNTRANSLATED,
    ),
    "permission/required-field": grow(
        MANAGER,
        GRANT.format("true", "Referral_Reward__c.Referrer__c"),
        before="<hasAct",
    ),
    "permission/computed-field": grow(
        "/Referral_Signed_Events.permissionset-meta.xml",
        GRANT.format("true", "Opportunity.Referral_Days_To_Convert__c"),
        before="<hasAct",
    ),
    "permission/unreadable": swap(
        MANAGER,
        "<field>Referrer__c.User__c</field>\n        <readable>true",
        "<field>Referrer__c.User__c</field>\n        <readable>false",
    ),
    "permission/incomplete": swap(
        MANAGER,
        "<allowEdit>true</allowEdit>\n        <allowRead>true</allowRead>\n        <modifyAllRecords>false</modifyAllRecords>\n        <object>Referrer__c",
        "<allowEdit>false</allowEdit>\n        <allowRead>true</allowRead>\n        <modifyAllRecords>false</modifyAllRecords>\n        <object>Referrer__c",
    ),
    "permission/duplicate": grow(
        MANAGER,
        "<customPermissions><enabled>true</enabled><name>Referral_Bypass_Validation</name></customPermissions>",
        before="<description>",
    ),
    # --- what people look at ---
    "layout/required": cut(
        "/Referral_Reward__c-Referral Reward Layout.layout-meta.xml",
        r"<layoutItems>\s*<behavior>\w+</behavior>\s*<field>Referrer__c</field>\s*</layoutItems>",
    ),
    "layout/duplicate": swap(LAYOUT, "<field>Tier__c", "<field>Code__c"),
    "layout/computed-field": both(
        extra(
            "<formula>1</formula><precision>18</precision><scale>0</scale><type>Number</type>"
        ),
        swap(LAYOUT, "<field>Tier__c", "<field>Extra__c"),
    ),
    "layout/compact-limit": grow(
        COMPACT, "<fields>Title</fields>" * 8, before="<label>"
    ),
    "layout/customers": add(
        "layouts/Case-Case Layout.layout",
        "Layout",
        "<emailDefault>false</emailDefault>",
    ),
    "quick-action/required": cut(
        "/Opportunity.Referral_Add_Reward.quickAction-meta.xml",
        r"<quickActionLayoutItems>\s*<emptySpace>false</emptySpace>\s*<field>Referrer__c</field>\s*<uiBehavior>\w+</uiBehavior>\s*</quickActionLayoutItems>",
    ),
    "filter/logic": swap(
        MATCHING, "<booleanFilter>1 OR (2 AND 3)", "<booleanFilter>1 OR (2 AND 4)"
    ),
    # --- analytics ---
    "report/shape": swap(FUNNEL, "<format>Summary", "<format>Matrix"),
    "report/chart": swap(
        FUNNEL,
        "<groupingColumn>Lead$Referral_Status__c",
        "<groupingColumn>Lead$Company",
    ),
    "report/duplicate": swap(TYPE, "<field>Tier__c", "<field>Type__c"),
    "dashboard/specified-user": swap(
        BOARD, "<dashboardType>LoggedInUser", "<dashboardType>SpecifiedUser"
    ),
    "dashboard/grid: beyond the edge": swap(BOARD, "<columnIndex>8", "<columnIndex>9"),
    "dashboard/grid: on another": swap(BOARD, "<columnIndex>4", "<columnIndex>3"),
    # --- conversion, duplicates, messages, credentials, prompts ---
    "lead-convert/unmapped": lambda tree: tree.update(
        {
            only(tree, CONVERT): re.sub(
                rb"\s*<mappingFields>\s*<inputField>Referral_Notes__c.*?</mappingFields>",
                b"",
                tree[only(tree, CONVERT)],
                flags=re.S,
            )
        }
    ),
    "lead-convert/mismatch: another length": swap(CODE, "<length>32", "<length>48"),
    "lead-convert/mismatch: another type": swap(
        CONVERT,
        "<outputField>Referral_Lost_At__c",
        "<outputField>Referral_Unlost_At__c",
    )
    and both(
        extra("<length>32</length><type>Text</type>", owner="Contact"),
        swap(CONVERT, "<outputField>Referral_Lost_At__c", "<outputField>Extra__c"),
    ),
    "lead-convert/several": swap(
        CONVERT,
        "<outputField>Referral_Submitted_At__c",
        "<outputField>Referral_Lost_At__c",
    ),
    "lead-convert/object": swap(CONVERT, "<inputObject>Lead", "<inputObject>Contact"),
    "duplicate/operations": both(
        swap(DUPLICATE, "<actionOnInsert>Allow", "<actionOnInsert>Block")
    ),
    "duplicate/matching-inactive": both(
        swap(MATCHING, "<ruleStatus>Active", "<ruleStatus>Inactive"),
        swap(DUPLICATE, "<isActive>false", "<isActive>true"),
    ),
    "workflow/plain-http": both(
        swap(
            MESSAGE,
            "https://placeholder.invalid/referral-endpoint-url",
            "http://placeholder.invalid/referral-endpoint-url",
        ),
        project(
            lambda content: content["replacements"].append(
                dict(
                    content["replacements"][0],
                    filename=only(bundled(), MESSAGE),
                    stringToReplace="http://placeholder.invalid/referral-endpoint-url",
                )
            )
        ),
        project(
            lambda content: content.update(
                replacements=[
                    row
                    for row in content["replacements"]
                    if not (
                        row["filename"].endswith(MESSAGE)
                        and row["stringToReplace"].startswith("https")
                    )
                ]
            )
        ),
    ),
    "workflow/duplicate": swap(MESSAGE, "<fields>Company", "<fields>CreatedDate"),
    "credential/incomplete": swap(
        NAMED, "<parameterType>Url", "<parameterType>HttpHeader"
    ),
    "prompt/published": swap(PROMPT, "<isPublished>false", "<isPublished>true"),
    # --- translations, names, texts ---
    "translation/incomplete: a field": drop(LEAD_DE),
    "translation/incomplete: a value": cut(
        GERMAN, r"<translation>Gewonnen</translation>"
    ),
    "translation/incomplete: a label": cut(LEAD_DE, r"<label>.*?</label>"),
    "name/length": both(
        add(
            "objects/Case/validationRules/A_rule_whose_name_is_much_longer_than_forty.validationRule",
            "ValidationRule",
            "<active>true</active><errorConditionFormula>NOT($Permission.Referral_Bypass_Validation)</errorConditionFormula><errorMessage>x</errorMessage>",
        )
    ),
    "name/long": add(
        "customPermissions/A_permission_with_more_than_forty_letters_in_it.customPermission",
        "CustomPermission",
        "<isLicensed>false</isLicensed><label>x</label>",
    ),
    "name/double-underscore: of a permission": add(
        "customPermissions/Two__Lines.customPermission",
        "CustomPermission",
        "<isLicensed>false</isLicensed><label>x</label>",
    ),
    "name/double-underscore: of a field": extra(
        "<type>Date</type>", name="Two__Lines__c"
    ),
    "formula/syntax: a comma": swap(
        REQUIRED, "ISBLANK(Referrer_Name__c),", "ISBLANK(Referrer_Name__c)"
    ),
    "name/characters": add(
        "customPermissions/9_Lives.customPermission",
        "CustomPermission",
        "<isLicensed>false</isLicensed><label>x</label>",
    ),
    "name/differs": swap(
        STATUS, "<fullName>Referral_Status__c", "<fullName>Referral_State__c"
    ),
    "text/length: a label": swap(STATUS, "<label>", f"<label>{'x' * 41}"),
    "text/length: an error message": swap(
        REQUIRED, "<errorMessage>", f"<errorMessage>{'x' * 255}"
    ),
    "version/differs": swap(BEFORE, "<apiVersion>62.0", "<apiVersion>61.0"),
    # --- the project file ---
    "project/api-version": project(lambda content: content.pop("sourceApiVersion")),
    "project/unused-exemption": project(
        lambda content: content["plugins"]["sidecar-lint"]["exempt"].append(
            {"rule": "field/help", "name": "Lead.X__c", "reason": "x"}
        )
    ),
    "project/statement": stated(levels={"field/halp": "error"}),
    "project/placeholder: not in its file": project(
        lambda content: content["replacements"][0].update(stringToReplace="nowhere")
    ),
    # --- layout sections ---
    "section/unreadable": lambda tree: tree.update({"patches/core.json": b"{"}),
    # --- forbidden content ---
    "content/session: included": swap(
        MESSAGE, "<includeSessionId>false", "<includeSessionId>true"
    ),
    "content/session: of a user, in code": swap(
        HANDLER, "{", "{ String s = UserInfo.getSessionId();"
    ),
    "content/session: itself": swap(
        HANDLER, "{", "{ // 00D000000000062EAA!AQoAQPlaceholder.placeholder_placeholder"
    ),
    "content/user-name": swap(
        BOARD, "<dashboardType>", "<runningUser>amina</runningUser><dashboardType>"
    ),
    "content/email: in a description": swap(
        STATUS, "<description>", "<description>Ask amina@acme-corp.com. "
    ),
    "content/email: in code": swap(HANDLER, "{", "{ // amina@acme-corp.com"),
    "content/record-id": swap(
        STATUS, "<description>", "<description>Owned by 005B0000001aBcDIAU. "
    ),
    "content/secret: a key": swap(HANDLER, "{", "{ // -----BEGIN RSA PRIVATE KEY-----"),
    "content/secret: a password": swap(
        NAMED, "<label>", "<password>hunter2</password><label>"
    ),
    "content/profile": add(
        "profiles/Admin.profile", "Profile", "<custom>false</custom>"
    ),
    "content/standard-value-set": add(
        "standardValueSets/LeadSource.standardValueSet",
        "StandardValueSet",
        "<sorted>false</sorted><standardValue><fullName>Referral</fullName><default>false</default><label>Referral</label></standardValue>",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_own_rule_and_by_no_other(fault):
    tree = dict(bundled())
    FAULTS[fault](tree)

    new = {identity(found) for found in lint(tree)} - usual()

    assert {rule for rule, *_ in new} == {fault.partition(":")[0]}, new


def test_each_rule_has_a_fault_that_it_tells():
    assert {fault.partition(":")[0] for fault in FAULTS} == set(RULES)


def test_the_bundled_package_has_no_fault():
    assert lint(bundled()) == []


@pytest.mark.parametrize("module", [module.name for module in read.modules(bundled())])
def test_no_module_names_what_may_not_be_installed(module):
    whole = bundle.load(read.bundled(), version="1")
    chosen = bundle.with_needed(whole, [module])

    found = lint(read.select(bundled(), chosen))

    # One language may be in two modules, of which this is one.
    assert [one for one in found if one.rule != "translation/incomplete"] == []


@pytest.mark.parametrize(
    ("ending", "text", "rule"),
    [
        (STATUS, "<type>Picklist</type>", "schema/enum"),
        (FLOW, "<status>Active</status>", "schema/enum"),
        (MESSAGE, "<includeSessionId>false</includeSessionId>", "schema/value"),
    ],
)
def test_a_finding_says_the_line(ending, text, rule):
    tree = dict(bundled())
    path = only(tree, ending)
    line = tree[path][: tree[path].index(text.encode())].count(b"\n") + 1
    tag = text.partition(">")[0]
    swap(ending, text, f"{tag}>?{tag.replace('<', '</')}>")(tree)

    assert (path, line, rule) in {(one.file, one.line, one.rule) for one in lint(tree)}
