"""Which elements a metadata type has, as Salesforce's Metadata WSDL (API 66) says.

One line or more per type: ``Type: element element …``, each element written as
``name[!][*][=kind][~]``: ``!`` required, ``*`` repeatable, ``=`` the kind of value
(``b`` boolean, ``i`` int, ``d`` double, ``a|b|c`` one of, a type's name; text when
left out), ``~`` known to Salesforce but without effect or support in this org, so
that a deployment which uses it is refused by name.

This is data: longer than a module should be, and nothing else. More of it, by what
it is about, is in ``shapes_ui``, ``shapes_analytics`` and ``shapes_rules``.
"""

from dataclasses import dataclass

from sidecar.devorg.metadata import shapes_analytics, shapes_rules, shapes_ui

_SHAPES = """
Package: fullName apiAccessLevel description namespacePrefix~ objectPermissions*=Any~
  packageType postInstallClass~ setupWeblink~ types*=PackageTypeMembers uninstallClass~
  version!
PackageTypeMembers: members* name!

CustomObject: fullName actionOverrides*=ActionOverride allowInChatterGroups=b
  articleTypeChannelDisplay=Any~ businessProcesses*=BusinessProcess
  compactLayoutAssignment compactLayouts*=CompactLayout customHelp~ customHelpPage~
  customSettingsType~ deploymentStatus=InDevelopment|Deployed deprecated=b~ description
  enableActivities=b enableBulkApi=b enableDataTranslation=b~ enableDivisions=b~
  enableEnhancedLookup=b enableFeeds=b enableHistory=b enableLicensing=b~
  enablePublishStatusTracking=b~ enableReports=b enableSearch=b enableSharing=b
  enableStreamingApi=b eventType=HighVolume|StandardVolume externalDataSource~
  externalIndexAvailable=b~ externalName~ externalRepository~
  externalSharingModel=@Sharing fieldSets*=FieldSet fields*=CustomField gender
  historyRetentionPolicy=Any~ household=b~ indexes*=Any~ label listViews*=ListView
  mktDataLakeAttributes=Any~ mktDataModelAttributes=Any~ nameField=CustomField
  pluralLabel profileSearchLayouts*=Any~
  publishBehavior=PublishAfterCommit|PublishImmediately recordTypeTrackFeedHistory=b
  recordTypeTrackHistory=b recordTypes*=RecordType searchLayouts=SearchLayouts
  sharingModel=@Sharing sharingReasons*=Any sharingRecalculations*=Any~
  startsWith=Consonant|Vowel|Special validationRules*=ValidationRule
  visibility=PackageProtected|Protected|Public webLinks*=WebLink
CustomField: fullName businessOwnerGroup~ businessOwnerUser~ businessStatus
  caseSensitive=b complianceGroup customDataType~ defaultValue
  deleteConstraint=Cascade|Restrict|SetNull deprecated=b~ description displayFormat
  displayLocationInDecimal=b~ elementType~ encryptionScheme~ escapeMarkup=b~
  externalDeveloperName~ externalId=b fieldManageability~ formula
  formulaTreatBlanksAs=BlankAsBlank|BlankAsZero inlineHelpText isAIPredictionField=b~
  isConvertLeadDisabled=b~ isFilteringDisabled=b~ isNameField=b~ isSortingDisabled=b~
  label length=i lookupFilter=Any~ maskChar~ maskType~
  metadataRelationshipControllingField~ mktDataLakeFieldAttributes=Any~
  mktDataModelFieldAttributes=Any~ picklist=Any~ populateExistingRows=b~ precision=i
  readOnlyProxy=b~ referenceTargetField~ referenceTo relationshipLabel
  relationshipName relationshipOrder=i reparentableMasterDetail=b required=b
  restrictedAdminField=b~ scale=i securityClassification startingNumber=i stripMarkup=b~
  summarizedField summaryFilterItems*=SummaryFilter summaryForeignKey
  summaryOperation=count|sum|min|max
  trackFeedHistory=b trackHistory=b trackTrending=b translateData=b~ type=@FieldType
  unique=b valueSet=ValueSet visibleLines=i writeRequiresMasterRead=b
SummaryFilter: field! operation!=@FilterOperation value valueField~
ValueSet: controllingField~ restricted=b valueSetDefinition=ValueSetValuesDefinition
  valueSetName valueSettings*=Any~
ValueSetValuesDefinition: sorted!=b value*=CustomValue
CustomValue: fullName color default!=b description isActive=b label
GlobalValueSet: fullName customValue*=CustomValue description masterLabel! sorted!=b

Workflow: fullName alerts*=Any fieldUpdates*=Any flowActions*=Any flowAutomation*=Any
  knowledgePublishes*=Any outboundMessages*=WorkflowOutboundMessage rules*=Any
  send*=Any tasks*=Any
WorkflowOutboundMessage: fullName apiVersion!=d description endpointUrl! fields*
  includeSessionId!=b integrationUser! name! protected!=b useDeadLetterQueue=b~

PermissionSet: fullName agentAccesses*=Any~
  applicationVisibilities*=PermissionSetApplicationVisibility
  classAccesses*=PermissionSetApexClassAccess customMetadataTypeAccesses*=Any~
  customPermissions*=PermissionSetCustomPermissions customSettingAccesses*=Any~
  dataspaceScopes*=Any~ description emailRoutingAddressAccesses*=Any~
  externalCredentialPrincipalAccesses*=PermissionSetExternalCredentialPrincipalAccess
  externalDataSourceAccesses*=Any~ fieldPermissions*=PermissionSetFieldPermissions
  flowAccesses*=PermissionSetFlowAccess genComputingSummaryDefAccesses*=Any~
  hasActivationRequired=b label! license
  objectPermissions*=PermissionSetObjectPermissions pageAccesses*=Any~
  recordTypeVisibilities*=PermissionSetRecordTypeVisibility
  servicePresenceStatusAccesses*=Any~ tabSettings*=PermissionSetTabSetting
  userPermissions*=PermissionSetUserPermission
PermissionSetApplicationVisibility: application! visible!=b
PermissionSetCustomPermissions: enabled!=b name!
PermissionSetFieldPermissions: editable!=b field! readable=b
PermissionSetObjectPermissions: allowCreate!=b allowDelete!=b allowEdit!=b
  allowRead!=b customizeSetup=b~ deleteSetup=b~ modifyAllRecords!=b object!
  viewAllFields=b viewAllRecords!=b viewSetup=b~
PermissionSetTabSetting: tab! visibility!=None|Available|Visible
PermissionSetUserPermission: enabled!=b name!
CustomPermission: fullName connectedApp~ description externalClientApplication~
  isLicensed!=b label! requiredPermission*=Any~
CustomLabels: fullName labels*=CustomLabel
CustomLabel: fullName categories language! protected!=b shortDescription! value!

ListView: fullName booleanFilter columns* division~ filterScope!=@FilterScope
  filters*=ListViewFilter label! language queue sharedTo=SharedTo
ListViewFilter: field! operation!=@FilterOperation value
CompactLayout: fullName fields* label!
ValidationRule: fullName active!=b description errorConditionFormula!
  errorDisplayField errorMessage! shouldEvaluateOnClient=b

Flow: fullName actionCalls*=FlowActionCall apexPluginCalls*=Any~ apiVersion=d
  areMetricsLoggedToDataCloud=b~ assignments*=FlowAssignment choices*=Any~
  collectionFilterCriteria*=Any~ collectionProcessors*=Any~ constants*=FlowConstant
  customErrors*=FlowCustomError customProperties*=Any~ dataSpace~
  decisions*=FlowDecision description dynamicChoiceSets*=Any~ environments*
  exitRules*=Any~ experiments*=Any~ formulas*=FlowFormula groups*=Any~ interviewLabel
  isAdditionalPermissionRequiredToRun=b~ isOverridable=b~ isTemplate=b~ label!
  loops*=FlowLoop migratedFromWorkflowRuleName~ orchestratedStages*=Any~ overriddenFlow~
  processMetadataValues*=Any processType recordCreates*=FlowRecordCreate
  recordDeletes*=FlowRecordDelete recordLookups*=FlowRecordLookup recordRollbacks*=Any~
  recordUpdates*=FlowRecordUpdate runInMode screens*=Any~ sourceTemplate~ stages*=Any~
  start=FlowStart startElementReference~
  status=Active|Draft|Obsolete|InvalidDraft|UnderReview steps*=Any~ subflows*=Any~
  textTemplates*=FlowTextTemplate timeZoneSidKey~ transforms*=Any~ triggerOrder=i
  variables*=FlowVariable waits*=Any~
FlowNode: processMetadataValues*=Any description name elementSubtype~ group~ label
  locationX!=i locationY!=i
FlowStart: +FlowNode activation~ activationTemplate~ capabilityTypes*=Any~
  conditionLogic~ conditions*=Any~ connector=FlowConnector dataGraph~
  dataTypeMappings*=Any~ doesRequireRecordChangedToMeetCriteria=b entryType~ eventName~
  eventType~ fanOutAction=Any~ filterFormula filterLogic filters*=FlowRecordFilter
  flowRunAsUser=TriggeringUser|DefaultWorkflowUser form~ individualObjectRelatedField~
  inputs*=Any~ isAsync=b~ object objectContainer~ prioritizedContactPointsList~
  publishSegment=b~ recordTriggerType=@RecordTrigger schedule=FlowSchedule
  scheduledPaths*=FlowScheduledPath
  segment~ sendMsgToOneContactPtPerIndv=b~ triggerType triggeringDataGraph~
  triggeringDataModelObjectPath~ versionString~
FlowSchedule: dayOfMonthToRun~ daysOfWeekToRun~ endDate~ endTime~
  frequency=@Frequency frequencyNumber~ startDate startTime
FlowScheduledPath: processMetadataValues*=Any description name connector=FlowConnector
  label maxBatchSize=i offsetNumber=i offsetUnit=Hours|Days|Minutes|Months|Weeks
  pathType=AsyncAfterCommit|ApprovalRecall recordField
  timeSource=RecordTriggerEvent|RecordField
FlowActionCall: +FlowNode actionCallPaths*=Any~ actionName actionType
  connector=FlowConnector dataTypeMappings*=Any~ faultConnector=FlowConnector
  flowTransactionModel=Automatic|NewTransaction|CurrentTransaction
  inputParameters*=FlowInputParameter isWaitUntilCompleted=b~ nameSegment offset=i
  offsetUnit~ outputParameters*=Any~ storeOutputAutomatically=b
  timeoutConnector=Any~ timeoutPathUsage~ versionString
FlowInputParameter: processMetadataValues*=Any name! value=FlowValue
FlowAssignment: +FlowNode assignmentItems*=FlowAssignmentItem connector=FlowConnector
FlowAssignmentItem: processMetadataValues*=Any assignToReference
  operator=@AssignmentOperator value=FlowValue
FlowDecision: +FlowNode attributes*=Any~ defaultConnector=FlowConnector
  defaultConnectorLabel rules*=FlowRule
FlowRule: processMetadataValues*=Any description name attributes*=Any~
  conditionLogic! conditions*=FlowCondition connector=FlowConnector
  doesRequireRecordChangedToMeetCriteria=b label!
FlowCondition: processMetadataValues*=Any aggregationOperator~ conditionLogic~
  conditionType~ conditions*=Any~ leftValueReference operator!=@ComparisonOperator
  rightValue=FlowValue
FlowRecordFilter: processMetadataValues*=Any field operator=@FilterOperator
  value=FlowValue
FlowRecordUpdate: +FlowNode connector=FlowConnector faultConnector=FlowConnector
  filterLogic filters*=FlowRecordFilter inputAssignments*=FlowFieldAssignment
  inputReference object
FlowRecordCreate: +FlowNode assignRecordIdToReference connector=FlowConnector
  doesUpsert=b~ doesUpsertAllOrNone=b~ faultConnector=FlowConnector filterLogic~
  filters*=Any~ inputAssignments*=FlowFieldAssignment inputReference object
  operationMultMatchingRecords~ operationOneMatchingRecord~
  operationZeroMatchingRecords~ storeOutputAutomatically=b upsertExternalIdField~
  upsertStandardIdField~
FlowRecordLookup: +FlowNode assignNullValuesIfNoRecordsFound=b connector=FlowConnector
  faultConnector=FlowConnector filterLogic filters*=FlowRecordFilter
  getFirstRecordOnly=b limit=FlowValue object outputAssignments*=FlowOutputAssignment
  outputReference queriedFields* relatedRecords*=Any~ sortField sortOrder=Asc|Desc
  storeOutputAutomatically=b
FlowRecordDelete: +FlowNode connector=FlowConnector faultConnector=FlowConnector
  filterLogic filters*=FlowRecordFilter inputReference object
FlowLoop: +FlowNode assignNextValueToReference collectionReference
  iterationOrder=Asc|Desc nextValueConnector=FlowConnector
  noMoreValuesConnector=FlowConnector
FlowCustomError: +FlowNode connector=FlowConnector
  customErrorMessages*=FlowCustomErrorMessage
FlowCustomErrorMessage: processMetadataValues*=Any errorMessage! fieldSelection
  isFieldError!=b
FlowFieldAssignment: processMetadataValues*=Any field value=FlowValue
FlowOutputAssignment: processMetadataValues*=Any assignToReference! field!
FlowConnector: processMetadataValues*=Any isGoTo=b targetReference!
FlowFormula: processMetadataValues*=Any description name dataType=@FlowDataType
  expression! scale=i
FlowVariable: processMetadataValues*=Any description name apexClass~
  dataType!=@FlowDataType isCollection=b isInput=b isOutput=b objectType scale=i
  value=FlowValue
FlowConstant: processMetadataValues*=Any description name dataType!=@FlowDataType
  value=FlowValue
FlowTextTemplate: processMetadataValues*=Any description name isViewedAsPlainText=b
  text!
FlowValue: apexValue~ booleanValue=b collectionElements*=Any~ complexValue~
  complexValueType~ dateTimeValue dateValue elementReference formulaDataType~
  formulaExpression~ inputConfiguratorMode~ isReverseValueMapping=b~ numberValue=d
  setupReference~ setupReferenceType~ sobjectValue~ stringValue timeValue~
  transform=Any~ transformValueReference~ valueMapName~
"""

_TEXTS = (_SHAPES, shapes_ui.TEXT, shapes_analytics.TEXT, shapes_rules.TEXT)

_ENUMS = {
    **{
        name: f"{name}: {words}"
        for each in (shapes_ui.ENUMS, shapes_analytics.ENUMS, shapes_rules.ENUMS)
        for name, words in each.items()
    },
    "Sharing": "SharingModel: Private Read ReadSelect ReadWrite ReadWriteTransfer "
    "FullAccess ControlledByParent ControlledByLeadOrContact ControlledByCampaign",
    "FieldType": "FieldType: AutoNumber Lookup MasterDetail Checkbox Currency Date "
    "DateTime Email Number Percent Phone Picklist MultiselectPicklist Text TextArea "
    "LongTextArea Html Url EncryptedText Summary Hierarchy File MetadataRelationship "
    "Location ExternalLookup IndirectLookup CustomDataType Time Address Array Integer "
    "Long",
    "FilterScope": "FilterScope: Everything Mine Queue Delegated MyTerritory "
    "MyTeamTerritory Team SalesTeam AssignedToMe MineAndMyGroups ScopingRule",
    "FilterOperation": "FilterOperation: equals notEqual lessThan greaterThan "
    "lessOrEqual greaterOrEqual contains notContain startsWith includes excludes "
    "within",
    "RecordTrigger": "RecordTriggerType: Update Create CreateAndUpdate Delete None",
    "Frequency": "FlowStartFrequency: OnActivate Once Daily Weekly Monthly Yearly "
    "Hourly Weekdays",
    "FlowDataType": "FlowDataType: Currency Date Number String Boolean SObject "
    "DateTime Time Picklist Multipicklist Apex",
    "AssignmentOperator": "FlowAssignmentOperator: None Assign Add Subtract AddItem "
    "RemoveFirst RemoveBeforeFirst RemoveAfterFirst RemoveAll AddAtStart "
    "RemoveUncommon AssignCount RemovePosition",
    "ComparisonOperator": "FlowComparisonOperator: None EqualTo NotEqualTo GreaterThan "
    "LessThan GreaterThanOrEqualTo LessThanOrEqualTo StartsWith EndsWith Contains "
    "IsNull IsChanged WasSet WasSelected WasVisited In NotIn IsBlank IsEmpty HasError",
    "FilterOperator": "FlowRecordFilterOperator: EqualTo NotEqualTo GreaterThan "
    "LessThan GreaterThanOrEqualTo LessThanOrEqualTo StartsWith EndsWith Contains "
    "IsNull IsChanged In NotIn",
}


@dataclass(frozen=True)
class Slot:
    """
    One element that a type may have.

    Attributes:
        kind: ``b``, ``i``, ``d``, the name of a type, ``Any`` for a subtree that is
            not looked into, or "" for text.
        choices: the allowed texts, and ``enum``, what Salesforce calls their type.
        supported: False when only a deployment without it can be carried out.
    """

    name: str
    required: bool
    repeatable: bool
    kind: str
    choices: frozenset[str]
    enum: str
    supported: bool


def _slot(text: str) -> Slot:
    text, supported = text.removesuffix("~"), not text.endswith("~")
    text, _, kind = text.partition("=")
    enum, choices = "", frozenset[str]()
    if kind.startswith("@"):
        enum, _, words = _ENUMS[kind[1:]].partition(": ")
        choices, kind = frozenset(words.split()), ""
    elif "|" in kind:
        choices, kind = frozenset(kind.split("|")), ""
    name = text.strip("!*")
    return Slot(name, "!" in text, "*" in text, kind, choices, enum or name, supported)


def _read() -> dict[str, dict[str, Slot]]:
    shapes: dict[str, dict[str, Slot]] = {}
    current: dict[str, Slot] = {}
    for word in "".join(_TEXTS).split():
        if word.endswith(":"):
            current = shapes[word[:-1]] = {}
        elif word.startswith("+"):
            current.update(shapes[word[1:]])
        else:
            slot = _slot(word)
            current[slot.name] = slot
    return shapes


SHAPES = _read()
