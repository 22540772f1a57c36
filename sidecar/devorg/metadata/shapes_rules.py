"""Shapes of rules, value sets, translations, credentials, code and people's queues.

In the notation of ``shapes``; this is data and nothing else.
"""

TEXT = """
RecordType: fullName active!=b businessProcess compactLayoutAssignment description
  label! picklistValues*=RecordTypePicklistValue
BusinessProcess: fullName description isActive=b values*=PicklistValue
MatchingRules: fullName matchingRules*=MatchingRule
DuplicateRule: fullName actionOnInsert!=Allow|Block actionOnUpdate!=Allow|Block
  alertText! description! duplicateRuleFilter!=DuplicateRuleFilter
  duplicateRuleMatchRules*=DuplicateRuleMatchRule isActive!=b masterLabel!
  operationsOnInsert* operationsOnUpdate*
  securityOption!=EnforceSharingRules|BypassSharingRules sortOrder!=i
Queue: fullName description doesSendEmailToMembers=b email name!
  queueMembers=QueueMembers queueRoutingConfig queueSobject*=QueueSobject
Group: fullName description doesIncludeBosses=b name!
LeadConvertSettings: fullName allowOwnerChange=b objectMapping*=ObjectMapping
  opportunityCreationOptions=VisibleOptional|VisibleRequired|NotVisible
StandardValueSet: fullName groupingStringEnum sorted!=b standardValue*=StandardValue
GlobalValueSetTranslation: fullName valueTranslation*=ValueTranslation
CustomObjectTranslation: fullName caseValues*=ObjectNameCaseValue
  fieldSets*=FieldSetTranslation fields*=CustomFieldTranslation gender=@Gender
  layouts*=LayoutTranslation nameFieldLabel quickActions*=QuickActionTranslation
  recordTypes*=RecordTypeTranslation sharingReasons*=SharingReasonTranslation
  standardFields*=StandardFieldTranslation startsWith=Consonant|Vowel|Special
  validationRules*=ValidationRuleTranslation webLinks*=WebLinkTranslation
  workflowTasks*=WorkflowTaskTranslation
Translations: fullName botBlocks*=Any~ botTemplates*=Any~ bots*=Any~
  conversationMessageDefinitions*=Any~ customApplications*=CustomApplicationTranslation
  customLabels*=CustomLabelTranslation customPageWebLinks*=CustomPageWebLinkTranslation
  customTabs*=CustomTabTranslation desFieldTemplateMessages*=Any~
  flowDefinitions*=FlowDefinitionTranslation identityVerificationCustomFieldLabels*=Any~
  pipelineInspMetricConfigs*=Any~ prompts*=PromptTranslation
  quickActions*=GlobalQuickActionTranslation reportTypes*=ReportTypeTranslation
  scontrols*=Any~
NamedCredential: fullName allowMergeFieldsInBody=b allowMergeFieldsInHeader=b
  authProvider authTokenEndpointUrl awsAccessKey awsAccessSecret awsRegion awsService
  calloutStatus=Enabled|Disabled certificate endpoint generateAuthorizationHeader=b
  jwtAudience jwtFormulaSubject jwtIssuer jwtSigningCertificate jwtTextSubject
  jwtValidityPeriodSeconds=i label! namedCredentialParameters*=NamedCredentialParameter
  namedCredentialType=Legacy|SecuredEndpoint|PrivateEndpoint|Standard oauthRefreshToken
  oauthScope oauthToken outboundNetworkConnection password
  principalType=Anonymous|PerUser|NamedUser protocol=@AuthenticationProtocol username
ExternalCredential: fullName authenticationProtocol!=@AuthenticationProtocol description
  externalCredentialParameters*=ExternalCredentialParameter label!
RemoteSiteSetting: fullName description disableProtocolSecurity!=b isActive!=b url!
Certificate: fullName content caSigned!=b encryptedWithPlatformEncryption=b
  expirationDate keySize=i masterLabel! privateKeyExportable=b
PlatformEventSubscriberConfig: fullName batchSize=i isProtected=b masterLabel!
  numPartitions=i partitionKey platformEventConsumer! user
CustomMetadata: fullName description label protected=b values*=CustomMetadataValue
ApexClass: fullName content apiVersion!=d packageVersions*=PackageVersion
  status!=Inactive|Active|Deleted
ApexTrigger: fullName content apiVersion!=d packageVersions*=PackageVersion
  status!=Inactive|Active|Deleted
SearchLayouts: customTabListAdditionalFields* excludedStandardButtons* listViewButtons*
  lookupDialogsAdditionalFields* lookupFilterFields* lookupPhoneDialogsAdditionalFields*
  massQuickActions* searchFilterFields* searchResultsAdditionalFields*
  searchResultsCustomButtons*
PermissionSetApexClassAccess: apexClass! enabled!=b
PermissionSetExternalCredentialPrincipalAccess: enabled!=b externalCredentialPrincipal!
PermissionSetFlowAccess: enabled!=b flow!
PermissionSetRecordTypeVisibility: recordType! visible!=b
RecordTypePicklistValue: picklist! values*=PicklistValue
PicklistValue: fullName color default!=b description isActive=b allowEmail=b closed=b
  controllingFieldValues* converted=b cssExposed=b
  forecastCategory=Omitted|Pipeline|BestCase|MostLikely|Forecast|Closed highPriority=b
  probability=i reverseRole reviewed=b won=b
MatchingRule: fullName booleanFilter description label!
  matchingRuleItems*=MatchingRuleItem ruleStatus!=@MatchingRuleStatus
DuplicateRuleFilter: booleanFilter! duplicateRuleFilterItems*=DuplicateRuleFilterItem
DuplicateRuleMatchRule: matchRuleSObjectType! matchingRule! objectMapping!=ObjectMapping
QueueMembers: publicGroups=PublicGroups roleAndSubordinates=RoleAndSubordinates
  roleAndSubordinatesInternal=RoleAndSubordinatesInternal roles=Roles users=Users
QueueSobject: sobjectType!
ObjectMapping: inputObject! mappingFields*=ObjectMappingField outputObject!
StandardValue: fullName color default!=b description isActive=b label allowEmail=b
  closed=b converted=b cssExposed=b
  forecastCategory=Omitted|Pipeline|BestCase|MostLikely|Forecast|Closed groupingString
  highPriority=b probability=i reverseRole reviewed=b won=b
ValueTranslation: masterLabel! translation
ObjectNameCaseValue: article=None|Indefinite|Definite caseType=@CaseType plural=b
  possessive=None|First|Second value!
FieldSetTranslation: label! name!
CustomFieldTranslation: caseValues*=ObjectNameCaseValue gender=@Gender help label
  lookupFilter=LookupFilterTranslation name! picklistValues*=PicklistValueTranslation
  relationshipLabel startsWith=Consonant|Vowel|Special
LayoutTranslation: layout! layoutType sections*=LayoutSectionTranslation
QuickActionTranslation: aspect label! name!
RecordTypeTranslation: description label! name!
SharingReasonTranslation: label! name!
StandardFieldTranslation: label name!
ValidationRuleTranslation: errorMessage! name!
WebLinkTranslation: label! name!
WorkflowTaskTranslation: description name! subject
CustomApplicationTranslation: description label name!
CustomLabelTranslation: label! name!
CustomPageWebLinkTranslation: label! name!
CustomTabTranslation: label! name!
FlowDefinitionTranslation: flows*=FlowTranslation fullName! label
PromptTranslation: description label name! promptVersions*=PromptVersionTranslation
GlobalQuickActionTranslation: aspect label! name!
ReportTypeTranslation: description label name! sections*=ReportTypeSectionTranslation
NamedCredentialParameter: certificate description externalCredential
  globalNamedPrincipalCredential=b managedFeatureEnabledCallout=b
  outboundNetworkConnection parameterName! parameterType!=@NamedCredentialParamType
  parameterValue readOnlyNamedCredential=b sequenceNumber=i systemUserNamedCredential=b
ExternalCredentialParameter: authProvider certificate description
  externalAuthIdentityProvider parameterGroup parameterName!
  parameterType!=@ExternalCredentialParamType parameterValue sequenceNumber=i
CustomMetadataValue: field! value!
MatchingRuleItem: blankValueBehavior=MatchBlanks|NullNotAllowed fieldName!
  matchingMethod!=@MatchingMethod
DuplicateRuleFilterItem: field! operation!=@FilterOperation value valueField
  sortOrder!=i table!
PublicGroups: publicGroup*
RoleAndSubordinates: roleAndSubordinate*
RoleAndSubordinatesInternal: roleAndSubordinateInternal*
Roles: role*
Users: user*
ObjectMappingField: inputField! outputField!
LookupFilterTranslation: errorMessage! informationalMessage!
PicklistValueTranslation: masterLabel! translation
LayoutSectionTranslation: label! section!
FlowTranslation: choices*=FlowChoiceTranslation
  customErrorMessages*=FlowCustomErrorMessageTranslation fullName label
  orchestrationSteps*=FlowOrchestrationStepTranslation screens*=FlowScreenTranslation
  stages*=FlowStageTranslation textTemplates*=FlowTextTemplateTranslation
PromptVersionTranslation: actionButtonLabel actionButtonLink body description
  dismissButtonLabel header imageAltText imageLink label name! stepNumber=i title
  videoLink
ReportTypeSectionTranslation: columns*=ReportTypeColumnTranslation label name!
FlowChoiceTranslation: choiceText name! userInput=FlowChoiceUserInputTranslation
FlowCustomErrorMessageTranslation: developerName! errorMessage field
FlowOrchestrationStepTranslation: name! stepLabel
FlowScreenTranslation: backButtonLabel fields*=FlowScreenFieldTranslation helpText name!
  nextOrFinishButtonLabel pauseButtonLabel pausedText
FlowStageTranslation: label name!
FlowTextTemplateTranslation: name! text
ReportTypeColumnTranslation: label! name!
FlowChoiceUserInputTranslation: promptText
  validationRule=FlowInputValidationRuleTranslation
FlowScreenFieldTranslation: fieldText helpText
  inputParameters*=FlowInputParameterTranslation name!
  validationRule=FlowInputValidationRuleTranslation
FlowInputValidationRuleTranslation: errorMessage
FlowInputParameterTranslation: name! value!=FlowFerovTranslation
FlowFerovTranslation: complexValues*=FlowComplexLiteralTranslation stringValue
FlowComplexLiteralTranslation: customAspectKey value
"""

ENUMS = {
    "Gender": """
    Neuter Masculine Feminine AnimateMasculine ClassI ClassIII ClassV ClassVII
    ClassIX ClassXI ClassXIV ClassXV ClassXVI ClassXVII ClassXVIII
    """,
    "AuthenticationProtocol": """
    NoAuthentication Oauth Password AwsSv4 Jwt JwtExchange Custom Basic
    """,
    "MatchingRuleStatus": """
    Inactive DeactivationFailed Activating Deactivating Active ActivationFailed
    """,
    "CaseType": """
    Nominative Accusative Genitive Dative Inessive Elative Illative Adessive
    Ablative Allative Essive Translative Partitive Objective Subjective Instrumental
    Prepositional Locative Vocative Sublative Superessive Delative Causalfinal
    Essiveformal Termanative Distributive Ergative Adverbial Abessive Comitative
    """,
    "NamedCredentialParamType": """
    Url HttpHeader ClientCertificate Authentication OutboundNetworkConnection
    AllowedManagedPackageNamespaces CreatedByNamespace CustomParameter
    StandardNamedCredentialType ManagedByFeature ManagedByComponent ConnectionStatus
    """,
    "ExternalCredentialParamType": """
    ExternalAuthIdentityProvider AuthProvider AuthProviderUrl
    AuthProviderUrlQueryParameter SigningCertificate AuthParameter NamedPrincipal
    PerUserPrincipal AwsStsPrincipal GlobalNamedPrincipal SystemUserPrincipal
    AuthHeader AuthProtocolVariant JwtBodyClaim JwtHeaderClaim CreatedByNamespace
    AdditionalRefreshStatusCode
    """,
    "MatchingMethod": """
    Exact FirstName LastName CompanyName Phone City Street Zip Title
    """,
}
