"""Other people's projects: what the linter cannot know, it does not tell.

Everything here deploys; so nothing but advice may be found.
"""

import pytest
from trees import document, tree

from sidecar.package.lint.checks import lint
from sidecar.package.lint.findings import Level

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def told(files, **project):
    modules = sorted({path.partition(":")[0] for path in files})
    found = lint(tree(files, modules=modules, **project))
    return [
        (one.rule, one.file.rpartition("/")[2], one.message)
        for one in found
        if one.level is not Level.NOTE
    ]


def field(name, body):
    return document("CustomField", f"<fullName>{name}</fullName><label>X</label>{body}")


TEXT = "<length>80</length><type>Text</type>"
OBJECT = document(
    "CustomObject",
    "<deploymentStatus>Deployed</deploymentStatus><enableHistory>true</enableHistory>"
    "<label>Machine</label><nameField><displayFormat>M-{0000}</displayFormat>"
    "<label>Number</label><type>AutoNumber</type></nameField>"
    "<pluralLabel>Machines</pluralLabel><sharingModel>Private</sharingModel>",
)
ACCOUNT = (
    "<deleteConstraint>Restrict</deleteConstraint><referenceTo>Account</referenceTo>"
    "<relationshipLabel>Machines</relationshipLabel>"
    "<relationshipName>Machines</relationshipName><required>true</required>"
    "<type>Lookup</type>"
)
STATUS = (
    "<type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition>"
    "<sorted>false</sorted><value><fullName>Down</fullName><default>false</default>"
    "<label>Out of order</label></value><value><fullName>Up &amp; running</fullName>"
    "<default>true</default><label>Up &amp; running</label></value>"
    "</valueSetDefinition></valueSet>"
)
O = "app:objects/Machine__c/"  # noqa: E741
MACHINE = {
    f"{O}Machine__c.object-meta.xml": OBJECT,
    f"{O}fields/Account__c.field-meta.xml": field("Account__c", ACCOUNT),
    f"{O}fields/Status__c.field-meta.xml": field("Status__c", STATUS),
    f"{O}fields/Serial__c.field-meta.xml": field("Serial__c", TEXT),
    f"{O}fields/Place__c.field-meta.xml": field(
        "Place__c",
        "<displayLocationInDecimal>true</displayLocationInDecimal><scale>6</scale>"
        "<type>Location</type>",
    ),
    f"{O}fields/Owner_Name__c.field-meta.xml": field(
        "Owner_Name__c",
        "<formula>Account__r.Owner.FirstName &amp; &quot; &quot; &amp; "
        "CASE(Status__c, 'Down', 'down', 'Up &amp; running', 'up', '?') &amp; "
        "TEXT(Place__Latitude__s) &amp; /* who */ Owner:User.Alias &amp; "
        "$User.My_Own__c &amp; IF(-1 &lt; +2, '', BR())</formula><type>Text</type>",
    ),
    "app:permissionsets/Mechanic.permissionset-meta.xml": document(
        "PermissionSet",
        "".join(
            f"<fieldPermissions><editable>{edit}</editable><field>{name}</field>"
            "<readable>true</readable></fieldPermissions>"
            for edit, name in (
                ("true", "Machine__c.Status__c"),
                ("true", "Machine__c.Serial__c"),
                ("true", "Machine__c.Place__c"),
                ("false", "Machine__c.Owner_Name__c"),
                ("true", "Account.Parts_Discount__c"),
                ("true", "acme__Order__c.acme__Total__c"),
                ("true", "acme__Order__c.Machine__c"),
                ("true", "Account.PersonEmail"),
                ("true", "Account.Hobby__pc"),
            )
        )
        + "<label>Mechanic</label><objectPermissions><allowCreate>true</allowCreate>"
        "<allowDelete>false</allowDelete><allowEdit>true</allowEdit>"
        "<allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords>"
        "<object>Machine__c</object><viewAllRecords>false</viewAllRecords>"
        "</objectPermissions><tabSettings><tab>standard-Account</tab>"
        "<visibility>Visible</visibility></tabSettings>"
        "<applicationVisibilities><application>standard__LightningSales</application>"
        "<visible>true</visible></applicationVisibilities>",
    ),
}
FLOW_END = "<locationX>0</locationX><locationY>0</locationY>"  # what every element has
SCREEN = document(
    "Flow",
    "<actionCalls><name>Ask_Apex</name><label>Ask</label>"
    f"{FLOW_END}<actionName>acme__Lookup</actionName><actionType>apex</actionType>"
    "<connector><targetReference>Show</targetReference></connector>"
    "<flowTransactionModel>Automatic</flowTransactionModel>"
    "<storeOutputAutomatically>true</storeOutputAutomatically></actionCalls>"
    "<apiVersion>62.0</apiVersion>"
    "<choices><name>Yes</name><choiceText>Yes</choiceText><dataType>String</dataType>"
    "<value><stringValue>Yes</stringValue></value></choices>"
    "<constants><name>One</name><dataType>Number</dataType><value>"
    "<numberValue>1.0</numberValue></value></constants>"
    "<dynamicChoiceSets><name>Industries</name><dataType>Picklist</dataType>"
    '<displayField xsi:nil="true"/><object xsi:nil="true"/>'
    "<picklistField>Industry</picklistField><picklistObject>Account</picklistObject>"
    "</dynamicChoiceSets>"
    "<formulas><name>Greeting</name><dataType>String</dataType><expression>"
    "&quot;Hello &quot; &amp; {!Get_Account.Name} &amp; TEXT({!One}) &amp; "
    "{!$Label.acme.Hello} &amp; {!$Flow.FaultMessage}</expression></formulas>"
    "<label>Ask</label><loops><name>Each</name><label>Each</label>"
    f"{FLOW_END}<collectionReference>Get_All</collectionReference>"
    "<iterationOrder>Asc</iterationOrder><nextValueConnector><targetReference>Note"
    "</targetReference></nextValueConnector></loops>"
    f"<assignments><name>Note</name><label>Note</label>{FLOW_END}<assignmentItems>"
    "<assignToReference>Chosen</assignToReference><operator>Add</operator><value>"
    "<elementReference>Each.Serial__c</elementReference></value></assignmentItems>"
    "<connector><isGoTo>true</isGoTo><targetReference>Each</targetReference>"
    "</connector></assignments>"
    "<processType>Flow</processType>"
    f"<recordLookups><name>Get_Account</name><label>Get</label>{FLOW_END}"
    "<assignNullValuesIfNoRecordsFound>false</assignNullValuesIfNoRecordsFound>"
    "<connector><targetReference>Get_All</targetReference></connector>"
    "<filterLogic>and</filterLogic><filters><field>Parts_Discount__c</field>"
    "<operator>GreaterThan</operator><value><numberValue>0.0</numberValue></value>"
    "</filters><getFirstRecordOnly>true</getFirstRecordOnly><object>Account</object>"
    "<storeOutputAutomatically>true</storeOutputAutomatically></recordLookups>"
    f"<recordLookups><name>Get_All</name><label>Get</label>{FLOW_END}"
    "<connector><targetReference>Each</targetReference></connector>"
    "<filterLogic>1 OR 2</filterLogic><filters><field>Status__c</field>"
    "<operator>EqualTo</operator><value><stringValue>Down</stringValue></value>"
    "</filters><filters><field>Account__c</field><operator>EqualTo</operator><value>"
    "<elementReference>Get_Account.Id</elementReference></value></filters>"
    "<object>Machine__c</object><queriedFields>Id</queriedFields>"
    "<queriedFields>Place__Longitude__s</queriedFields>"
    "<storeOutputAutomatically>true</storeOutputAutomatically></recordLookups>"
    f"<screens><name>Show</name><label>Show</label>{FLOW_END}"
    "<connector><targetReference>Get_Account</targetReference></connector>"
    "<fields><name>Answer</name><choiceReferences>Yes</choiceReferences>"
    "<choiceReferences>Industries</choiceReferences><dataType>String</dataType>"
    "<fieldText>&lt;p&gt;{!Greeting} {!$User.FirstName} {!Ask_Apex.result}&lt;/p&gt;"
    "</fieldText><fieldType>RadioButtons</fieldType><visibilityRule>"
    "<conditionLogic>and</conditionLogic><conditions><leftValueReference>"
    "$Setup.Machine_Settings__c.On__c</leftValueReference><operator>EqualTo</operator>"
    "<rightValue><booleanValue>true</booleanValue></rightValue></conditions>"
    "</visibilityRule></fields></screens>"
    f"<start>{FLOW_END}<connector><targetReference>Ask_Apex</targetReference>"
    "</connector></start><status>Draft</status>"
    "<textTemplates><name>Body</name><text>{!Get_Account.Name}: {!Answer}</text>"
    "</textTemplates>"
    "<variables><name>Chosen</name><dataType>String</dataType>"
    "<isCollection>true</isCollection><isInput>false</isInput>"
    "<isOutput>false</isOutput></variables>",
).replace(b"<Flow ", f"<Flow {XSI} ".encode())

OTHERS = {
    "app:flows/Ask_About_Machine.flow-meta.xml": SCREEN,
    "app:lwc/machine/machine.js": b"export default class Machine {}",
    "app:lwc/machine/__tests__/machine.test.js": b"// user@acme-corp.com",
    "app:lwc/machine/machine.js-meta.xml": document(
        "LightningComponentBundle",
        "<apiVersion>58.0</apiVersion><isExposed>true</isExposed><targets>"
        "<target>lightning__RecordPage</target></targets><targetConfigs>"
        '<targetConfig targets="lightning__RecordPage"><objects><object>Machine__c'
        "</object></objects></targetConfig></targetConfigs>",
    ),
    "app:aura/Shell/Shell.app": b"<aura:application/>",
    "app:aura/Shell/Shell.app-meta.xml": document(
        "AuraDefinitionBundle",
        "<apiVersion>50.0</apiVersion><description>x</description>",
    ),
    "app:staticresources/Map.resource-meta.xml": document(
        "StaticResource",
        "<cacheControl>Public</cacheControl><contentType>application/zip</contentType>",
    ),
    "app:staticresources/Map/flows/readme.md": b"# Map",
    "app:staticresources/Map/labels/de.json": b"{}",
    "app:settings/Account.settings-meta.xml": document(
        "AccountSettings", "<enableAccountTeams>true</enableAccountTeams>"
    ),
    "app:documents/Pictures-meta.xml": document(
        "DocumentFolder",
        "<accessType>Public</accessType><name>Pictures</name>"
        "<publicFolderAccess>ReadOnly</publicFolderAccess>",
    ),
    "app:reports/Machines-meta.xml": document(
        "ReportFolder",
        "<accessType>Public</accessType><name>Machines</name>"
        "<publicFolderAccess>ReadOnly</publicFolderAccess>",
    ),
    "app:reports/Machines/Down.report-meta.xml": document(
        "Report",
        "<columns><field>CUST_NAME</field></columns>"
        "<columns><field>Machine__c.Serial__c</field></columns>"
        "<columns><field>Machine__c.Account__c.Parts_Discount__c</field></columns>"
        "<columns><aggregateTypes>Sum</aggregateTypes>"
        "<field>acme__Order__c.acme__Total__c.CONVERT</field></columns>"
        "<filter><booleanFilter>1 AND 2</booleanFilter><criteriaItems>"
        "<column>Machine__c.Status__c</column><columnToColumn>false</columnToColumn>"
        "<isUnlocked>true</isUnlocked><operator>equals</operator>"
        "<value>Out of order</value></criteriaItems><criteriaItems>"
        "<column>CUST_OWNER_NAME</column><columnToColumn>false</columnToColumn>"
        "<isUnlocked>true</isUnlocked><operator>contains</operator><value>a,b</value>"
        "</criteriaItems></filter><format>Tabular</format><name>Down</name>"
        "<reportType>CustomEntity$Machine__c</reportType><scope>organization</scope>"
        "<showDetails>true</showDetails><sortColumn>CUST_NAME</sortColumn>"
        "<sortOrder>Asc</sortOrder><timeFrameFilter><dateColumn>CUST_CREATED_DATE"
        "</dateColumn><interval>INTERVAL_CUSTOM</interval></timeFrameFilter>",
    ),
    "app:reports/Machines/By_Account.report-meta.xml": document(
        "Report",
        "<aggregates><calculatedFormula>RowCount/2</calculatedFormula>"
        "<datatype>number</datatype><developerName>FORMULA1</developerName>"
        "<isActive>true</isActive><isCrossBlock>false</isCrossBlock>"
        "<masterLabel>Half</masterLabel><scale>1</scale></aggregates>"
        "<buckets><bucketType>text</bucketType><developerName>BucketField_1"
        "</developerName><masterLabel>B</masterLabel><nullTreatment>n</nullTreatment>"
        "<sourceColumnName>Account.Name</sourceColumnName><useOther>false</useOther>"
        "</buckets><chart><backgroundColor1>#FFFFFF</backgroundColor1>"
        "<chartSummaries><axisBinding>y</axisBinding><column>FORMULA1</column>"
        "</chartSummaries><chartType>HorizontalBar</chartType>"
        "<groupingColumn>BucketField_1</groupingColumn></chart>"
        "<format>Summary</format><groupingsDown><dateGranularity>Day</dateGranularity>"
        "<field>BucketField_1</field><sortOrder>Asc</sortOrder></groupingsDown>"
        "<name>By Account</name><reportType>Acme_Orders__c</reportType>"
        "<showDetails>false</showDetails>",
    ),
    "app:layouts/Machine__c-Machine Layout %28new%29.layout-meta.xml": document(
        "Layout",
        "<layoutSections><customLabel>false</customLabel><layoutColumns><layoutItems>"
        "<behavior>Required</behavior><field>Account__c</field></layoutItems>"
        "<layoutItems><emptySpace>true</emptySpace></layoutItems>"
        "<layoutItems><behavior>Readonly</behavior><field>Owner_Name__c</field>"
        "</layoutItems><layoutItems><behavior>Readonly</behavior>"
        "<field>CreatedById</field></layoutItems></layoutColumns>"
        "<style>TwoColumnsTopToBottom</style></layoutSections><platformActionList>"
        "<actionListContext>Record</actionListContext><platformActionListItems>"
        "<actionName>Edit</actionName><actionType>StandardButton</actionType>"
        "<sortOrder>0</sortOrder></platformActionListItems><platformActionListItems>"
        "<actionName>FeedItem.TextPost</actionName><actionType>QuickAction</actionType>"
        "<sortOrder>1</sortOrder></platformActionListItems></platformActionList>"
        "<relatedLists><fields>NAME</fields><relatedList>RelatedNoteList</relatedList>"
        "</relatedLists><relatedLists><fields>acme__Total__c</fields>"
        "<relatedList>acme__Order__c.acme__Machine__c</relatedList></relatedLists>",
    ),
    "app:layouts/Account-Sales Layout.layout-meta.xml": document(
        "Layout",
        "<layoutSections><layoutColumns><layoutItems><field>Parts_Discount__c</field>"
        "</layoutItems><layoutItems><field>ParentId</field></layoutItems>"
        "</layoutColumns><style>OneColumn</style></layoutSections>"
        "<relatedLists><fields>Status__c</fields><relatedList>Machine__c.Account__c"
        "</relatedList></relatedLists>",
    ),
    "app:objects/Account/listViews/Big.listView-meta.xml": document(
        "ListView",
        "<fullName>Big</fullName><columns>ACCOUNT.NAME</columns>"
        "<columns>Parts_Discount__c</columns><filterScope>Everything</filterScope>"
        "<label>Big</label>",
    ),
    "app:objects/acme__Order__c/acme__Order__c.object-meta.xml": document(
        "CustomObject", "<enableFeeds>true</enableFeeds>"
    ),
    "app:objects/acme__Order__c/fields/Machine__c.field-meta.xml": field(
        "Machine__c",
        "<referenceTo>Machine__c</referenceTo><relationshipName>Orders"
        "</relationshipName><type>Lookup</type>",
    ),
    "app:objects/acme__Order__c/fields/acme__Total__c.field-meta.xml": document(
        "CustomField",
        "<fullName>acme__Total__c</fullName><inlineHelpText>x</inlineHelpText>",
    ),
    "app:objects/acme__Order__c/validationRules/Total.validationRule-meta.xml": document(
        "ValidationRule",
        "<fullName>Total</fullName><active>true</active><errorConditionFormula>"
        "acme__Total__c &lt; 0 &amp;&amp; Machine__r.Serial__c = 'x' || "
        "NOT acme__Machine__r.acme__Broken__c</errorConditionFormula>"
        "<errorMessage>x</errorMessage>".replace(
            "NOT acme__Machine__r", "acme__Mach__r"
        ),
    ),
    "app:objects/Contact/fields/Email.field-meta.xml": document(
        "CustomField", "<fullName>Email</fullName><trackHistory>true</trackHistory>"
    ),
    "app:flexipages/Machine_Page.flexipage-meta.xml": document(
        "FlexiPage",
        "<flexiPageRegions><itemInstances><fieldInstance><fieldInstanceProperties>"
        "<name>uiBehavior</name><value>none</value></fieldInstanceProperties>"
        "<fieldItem>Record.Serial__c</fieldItem><identifier>a</identifier>"
        "<visibilityRule><booleanFilter>1 AND 2</booleanFilter><criteria>"
        "<leftValue>{!Record.Account__r.Name}</leftValue><operator>CONTAINS</operator>"
        "<rightValue>x</rightValue></criteria><criteria><leftValue>"
        "{!$Permission.CustomPermission.Drive}</leftValue><operator>EQUAL</operator>"
        "<rightValue>true</rightValue></criteria></visibilityRule>"
        "</fieldInstance></itemInstances><itemInstances><componentInstance>"
        "<componentName>c:machine</componentName><identifier>b</identifier>"
        "</componentInstance></itemInstances><name>main</name><type>Region</type>"
        "</flexiPageRegions><masterLabel>Machine Page</masterLabel>"
        "<sobjectType>Machine__c</sobjectType><template>"
        "<name>flexipage:recordHomeTemplateDesktop</name></template>"
        "<type>RecordPage</type>",
    ),
    "app:classes/Machines.cls": b"public class Machines { @AuraEnabled public static "
    b"void go() { Other__c o = [SELECT Serial__c, Serials__c FROM Machine__c]; } }",
    "app:classes/Machines.cls-meta.xml": document(
        "ApexClass", "<apiVersion>55.0</apiVersion><status>Active</status>"
    ),
    "app:classes/MachinesTest.cls": b"@isTest class MachinesTest { String a = "
    b"'user@test.com'; Id b = '005B0000001aBcDIAU'; String c = 'Serials__c'; }",
    "app:classes/MachinesTest.cls-meta.xml": document(
        "ApexClass", "<apiVersion>55.0</apiVersion>"
    ),
    "app:customMetadata/Machine_Type.Big.md-meta.xml": document(
        "CustomMetadata",
        "<label>Big</label><protected>false</protected><values><field>Size__c</field>"
        '<value xsi:type="xsd:double">3.0</value></values>',
    ).replace(b"<CustomMetadata ", f"<CustomMetadata {XSI} ".encode()),
    "app:objects/Machine_Type__mdt/Machine_Type__mdt.object-meta.xml": document(
        "CustomObject",
        "<label>Machine Type</label><pluralLabel>Machine Types</pluralLabel>"
        "<visibility>Public</visibility>",
    ),
    "app:objects/Machine_Type__mdt/fields/Size__c.field-meta.xml": field(
        "Size__c",
        "<fieldManageability>DeveloperControlled</fieldManageability>"
        "<precision>4</precision><scale>1</scale><type>Number</type>",
    ),
    "app:objects/Machine_Type__mdt/fields/Object__c.field-meta.xml": field(
        "Object__c",
        "<referenceTo>EntityDefinition</referenceTo><relationshipName>Types"
        "</relationshipName><type>MetadataRelationship</type>",
    ),
    "app:objects/Machine_Settings__c/Machine_Settings__c.object-meta.xml": document(
        "CustomObject",
        "<customSettingsType>Hierarchy</customSettingsType><label>Settings</label>",
    ),
    "app:objects/Machine_Settings__c/fields/On__c.field-meta.xml": field(
        "On__c", "<defaultValue>false</defaultValue><type>Checkbox</type>"
    ),
    "app:quickActions/Account.New_Machine.quickAction-meta.xml": document(
        "QuickAction",
        "<fieldOverrides><field>Serial__c</field><formula>Account.Parts_Code__c &amp; "
        "TEXT(TODAY())</formula></fieldOverrides><label>New</label>"
        "<optionsCreateFeedItem>true</optionsCreateFeedItem><quickActionLayout>"
        "<layoutSectionStyle>TwoColumnsLeftToRight</layoutSectionStyle>"
        "<quickActionLayoutColumns><quickActionLayoutItems><emptySpace>false"
        "</emptySpace><field>Status__c</field><uiBehavior>Edit</uiBehavior>"
        "</quickActionLayoutItems></quickActionLayoutColumns></quickActionLayout>"
        "<targetObject>Machine__c</targetObject><targetParentField>Account__c"
        "</targetParentField><type>Create</type>",
    ),
    "app:applications/standard__LightningSales.app-meta.xml": document(
        "CustomApplication", "<defaultLandingTab>standard-home</defaultLandingTab>"
    ),
    "app:workflows/Case.workflow-meta.xml": document(
        "Workflow",
        "<alerts><fullName>Tell</fullName><description>x</description>"
        "<protected>false</protected><recipients><type>owner</type></recipients>"
        "<senderType>CurrentUser</senderType><template>unfiled$public/Tell</template>"
        "</alerts><rules><fullName>When</fullName><actions><name>Tell</name>"
        "<type>Alert</type></actions><active>true</active><criteriaItems>"
        "<field>Case.Origin</field><operation>equals</operation><value>Web</value>"
        "</criteriaItems><criteriaItems><field>User.Department__c</field>"
        "<operation>equals</operation><value>x</value></criteriaItems>"
        "<triggerType>onCreateOnly</triggerType></rules>",
    ),
    "app:sharingRules/Machine__c.sharingRules-meta.xml": document(
        "SharingRules",
        "<sharingOwnerRules><fullName>All</fullName><accessLevel>Read</accessLevel>"
        "<label>All</label><sharedTo><allInternalUsers></allInternalUsers></sharedTo>"
        "<sharedFrom><role>Boss</role></sharedFrom></sharingOwnerRules>",
    ),
    "app:translations/de.translation-meta.xml": document(
        "Translations",
        "<customLabels><label>Hallo</label><name>Hello</name></customLabels>"
        "<customTabs><label>Ort</label><name>acme__Place</name></customTabs>",
    ),
}


def test_nothing_is_told_of_a_sound_project():
    assert told(MACHINE | OTHERS) == []


def test_nothing_is_told_of_a_project_that_holds_a_part_alone():
    """As a repository of pages or flows beside an org that has the fields."""
    parts = {
        path: content
        for path, content in (MACHINE | OTHERS).items()
        if "/objects/" not in path and ":objects/" not in path
    }

    assert told(parts) == []


def test_a_namespace_of_its_own_may_be_written_or_left_out():
    files = MACHINE | {
        f"{O}validationRules/X.validationRule-meta.xml": document(
            "ValidationRule",
            "<fullName>X</fullName><active>true</active><errorConditionFormula>"
            "shop__Serial__c = '' || ISPICKVAL(Status__c, 'Down') || "
            "shop__Account__r.Name = ''</errorConditionFormula>"
            "<errorMessage>x</errorMessage>",
        )
    }

    assert told(files, namespace="shop") == []


def test_an_older_project_may_use_what_the_schema_has_dropped():
    page = document(
        "FlexiPage",
        "<flexiPageRegions><componentInstances><componentName>x:y</componentName>"
        "</componentInstances><name>main</name><type>Region</type></flexiPageRegions>"
        "<masterLabel>P</masterLabel><template><name>x:y</name></template>"
        "<type>AppPage</type>",
    )
    files = {"app:flexipages/P.flexipage-meta.xml": page}

    found = lint(tree(files, modules=["app"], sourceApiVersion="48.0"))

    assert {one.level for one in found} <= {Level.WARNING, Level.NOTE}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_unknown_fields_beside_many_known_ones_are_told(count):
    known = {
        f"app:objects/Lead/fields/F{n}__c.field-meta.xml": field(f"F{n}__c", TEXT)
        for n in range(20)
    }
    view = document(
        "ListView",
        "<fullName>V</fullName>"
        + "".join(f"<columns>Unknown_{n}__c</columns>" for n in range(count))
        + "<filterScope>Mine</filterScope><label>V</label>",
    )

    found = told(known | {"app:objects/Lead/listViews/V.listView-meta.xml": view})

    assert [rule for rule, *_ in found] == ["reference/field"] * count


def test_many_unknown_fields_are_the_org_s_and_advice_at_most():
    known = {"app:objects/Lead/fields/F__c.field-meta.xml": field("F__c", TEXT)}
    view = document(
        "ListView",
        "<fullName>V</fullName>"
        + "".join(f"<columns>Own_{n}__c</columns>" for n in range(12))
        + "<filterScope>Mine</filterScope><label>V</label>",
    )

    files = known | {"app:objects/Lead/listViews/V.listView-meta.xml": view}

    assert told(files) == []


def test_what_another_package_brings_is_advice_where_the_project_builds_on_one():
    flow = document(
        "Flow",
        f"<label>F</label><start>{FLOW_END}<connector><targetReference>G"
        "</targetReference></connector></start><status>Active</status>"
        f"<subflows><name>G</name><label>G</label>{FLOW_END}"
        "<flowName>Elsewhere</flowName></subflows>",
    )
    files = tree({"app:flows/F.flow-meta.xml": flow}, modules=["app"])
    more = {
        "packageDirectories": [
            {"path": "app", "dependencies": [{"package": "Base", "versionNumber": "1"}]}
        ]
    }
    builds_on_base = tree({"app:flows/F.flow-meta.xml": flow}, modules=["app"], **more)

    for project, level in ((files, Level.WARNING), (builds_on_base, Level.NOTE)):
        found = [one for one in lint(project) if one.rule == "reference/flow"]
        assert [one.level for one in found] == [level]
