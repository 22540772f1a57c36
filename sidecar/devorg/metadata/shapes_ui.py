"""Shapes of what people see: layouts, pages, apps, tabs, actions, paths, prompts.

In the notation of ``shapes``; this is data and nothing else.
"""

TEXT = """
Layout: fullName customButtons* customConsoleComponents=Any~ emailDefault=b
  excludeButtons* feedLayout=Any headers*=PersonalTagging|PublicTagging
  layoutSections*=LayoutSection miniLayout=MiniLayout multilineLayoutFields*
  platformActionList=PlatformActionList quickActionList=QuickActionList
  relatedContent=RelatedContent relatedLists*=RelatedListItem relatedObjects*
  runAssignmentRulesDefault=b showEmailCheckbox=b showHighlightsPanel=b
  showInteractionLogPanel=b showKnowledgeComponent=b showRunAssignmentRulesCheckbox=b
  showSolutionSection=b showSubmitAndAttachButton=b summaryLayout=SummaryLayout
CustomTab: fullName actionOverrides*=ActionOverride auraComponent customObject=b
  description flexiPage frameHeight=i hasSidebar=b icon label lwcComponent motif page
  scontrol splashPageLink url urlEncodingKey=@Encoding
CustomApplication: fullName actionOverrides*=AppActionOverride brand=AppBrand
  consoleConfig=Any~ defaultLandingTab description formFactors*=Small|Medium|Large
  isNavAutoTempTabsDisabled=b isNavPersonalizationDisabled=b
  isNavTabPersistenceDisabled=b isOmniPinnedViewEnabled=b isServiceCloudConsole=b label
  logo navType=Standard|Console preferences=AppPreferences
  profileActionOverrides*=AppProfileActionOverride setupExperience subscriberTabs* tabs*
  uiType=Aloha|Lightning utilityBar workspaceConfig=AppWorkspaceConfig
PathAssistant: fullName active!=b entityName! fieldName! masterLabel!
  pathAssistantSteps*=PathAssistantStep recordTypeName!
FieldSet: fullName availableFields*=FieldSetItem description!
  displayedFields*=FieldSetItem label!
WebLink: fullName availability!=online|offline description
  displayType!=link|button|massActionButton encodingKey=@Encoding hasMenubar=b
  hasScrollbars=b hasToolbar=b height=i isResizable=b
  linkType!=url|sControl|javascript|page|flow masterLabel
  openType!=newWindow|sidebar|noSidebar|replace|onClickJavaScript page
  position=fullScreen|none|topLeft protected!=b requireRowSelection=b scontrol
  showsLocation=b showsStatus=b url width=i
QuickAction: fullName actionSubtype=ScreenAction|Action canvas description
  fieldOverrides*=FieldOverride flowDefinition height=i icon isProtected=b label
  lightningComponent lightningWebComponent optionsCreateFeedItem!=b page
  quickActionLayout=QuickActionLayout quickActionParameters*=QuickActionParameters
  quickActionSendEmailOptions=QuickActionSendEmailOptions
  standardLabel=@QuickActionLabel successMessage targetObject targetParentField
  targetRecordType type!=@QuickActionType width=i
FlexiPage: fullName description events*=Any flexiPageRegions*=FlexiPageRegion
  masterLabel! parentFlexiPage platformActionlist=PlatformActionList
  quickActionList=QuickActionList sobjectType template!=FlexiPageTemplateInstance
  type!=@FlexiPageType
Prompt: fullName masterLabel! promptVersions*=PromptVersion
CustomNotificationType: fullName customNotifTypeName! description desktop!=b
  masterLabel! mobile!=b slack=b
LayoutSection: customLabel=b detailHeading=b editHeading=b label
  layoutColumns*=LayoutColumn style!=@LayoutSectionStyle
MiniLayout: fields* relatedLists*=RelatedListItem
PlatformActionList: actionListContext!=@PlatformActionListContext
  platformActionListItems*=PlatformActionListItem relatedSourceEntity
QuickActionList: quickActionListItems*=QuickActionListItem
RelatedContent: relatedContentItems*=RelatedContentItem
RelatedListItem: customButtons* excludeButtons* fields* quickActions* relatedList!
  sortField sortOrder=Asc|Desc
SummaryLayout: masterLabel! sizeX!=i sizeY=i sizeZ=i
  summaryLayoutItems*=SummaryLayoutItem summaryLayoutStyle!=@SummaryLayoutStyle
ActionOverride: actionName comment content formFactor=Small|Medium|Large
  skipRecordTypeSelect=b type=@ActionOverrideType
AppActionOverride: actionName comment content formFactor=Small|Medium|Large
  skipRecordTypeSelect=b type=@ActionOverrideType pageOrSobjectType!
AppBrand: footerColor headerColor logo logoVersion=i shouldOverrideOrgTheme=b
AppPreferences: enableCustomizeMyTabs!=b enableKeyboardShortcuts!=b
  enableListViewHover!=b enableListViewReskin!=b enableMultiMonitorComponents!=b
  enablePinTabs!=b enableTabHover!=b enableTabLimits!=b saveUserSessions!=b
AppProfileActionOverride: actionName! content formFactor!=Small|Medium|Large
  pageOrSobjectType! recordType type!=@ActionOverrideType profile!
AppWorkspaceConfig: mappings*=WorkspaceMapping
PathAssistantStep: fieldNames* info picklistValueName!
FieldSetItem: alternativeDisplayFormat field isFieldManaged=b isRequired=b
FieldOverride: field! formula literalValue
QuickActionLayout: layoutSectionStyle!=@LayoutSectionStyle
  quickActionLayoutColumns*=QuickActionLayoutColumn
QuickActionParameters: name! type!=Input|Output value
QuickActionSendEmailOptions: defaultEmailTemplateName
  ignoreDefaultEmailTemplateSubject!=b
FlexiPageRegion: appendable=disabled|enabled itemInstances*=ItemInstance
  mode=Append|Prepend|Replace name! prependable=disabled|enabled
  replaceable=disabled|enabled type!=Region|Facet|Background
FlexiPageTemplateInstance: componentType=Component|Card identifier name!
  properties*=ComponentInstanceProperty
PromptVersion: actionButtonLabel actionButtonLink body! customApplication delayDays=i
  description dismissButtonLabel displayPosition=@PromptDisplayPosition
  displayType!=DockedComposer|FloatingPanel|Targeted
  elementRelativePosition=@PromptElementRelativePosition endDate
  experience=Lightning|Site experienceContext header icon image imageAltText imageLink
  imageLocation=Top|Bottom|Left|Right indexWithIsPublished indexWithoutIsPublished
  isPublished=b masterLabel! publishedByUser publishedDate referenceElementContext
  shouldDisplayActionButton=b shouldIgnoreGlobalDelay=b startDate stepNumber=i
  targetAppDeveloperName targetAppNamespacePrefix targetPageKey1 targetPageKey2
  targetPageKey3 targetPageKey4 targetPageType targetRecordType
  themeColor=Theme1|Theme2|Theme3|Theme4 themeSaturation=Dark|Light timesToDisplay=i
  title! uiFormulaRule=Any userAccess=Everyone|SpecificPermissions
  userProfileAccess=Everyone|SpecificProfiles versionNumber!=i videoLink
LayoutColumn: layoutItems*=LayoutItem reserved
PlatformActionListItem: actionName! actionType!=@PlatformActionType sortOrder!=i subtype
QuickActionListItem: quickActionName!
RelatedContentItem: layoutItem!=LayoutItem
SummaryLayoutItem: customLink field posX!=i posY=i posZ=i
WorkspaceMapping: fieldName tab!
QuickActionLayoutColumn: quickActionLayoutItems*=QuickActionLayoutItem
ItemInstance: componentInstance=ComponentInstance fieldInstance=FieldInstance
ComponentInstanceProperty: name type=@ComponentInstancePropertyTypeEnum value
  valueList=ComponentInstancePropertyList
LayoutItem: analyticsCloudComponent=Any~ behavior=Edit|Required|Readonly canvas
  component customLink emptySpace=b field height=i page
  reportChartComponent=ReportChartComponentLayoutItem scontrol showLabel=b
  showScrollbars=b width
QuickActionLayoutItem: emptySpace=b field uiBehavior=Edit|Required|Readonly
ComponentInstance: componentInstanceProperties*=ComponentInstanceProperty componentName!
  componentType=Component|Card identifier visibilityRule=Any
FieldInstance: fieldInstanceProperties*=FieldInstanceProperty fieldItem! identifier
  visibilityRule=Any
ComponentInstancePropertyList: valueListItems*=ComponentInstancePropertyListItem
ReportChartComponentLayoutItem: cacheData=b contextFilterableField error hideOnError=b
  includeContext=b reportName! showTitle=b size=SMALL|MEDIUM|LARGE
FieldInstanceProperty: name value
ComponentInstancePropertyListItem: value visibilityRule=Any
"""

ENUMS = {
    "Encoding": """
    UTF-8 ISO-8859-1 Shift_JIS ISO-2022-JP EUC-JP ks_c_5601-1987 Big5 GB2312
    Big5-HKSCS x-SJIS_0213
    """,
    "QuickActionLabel": """
    LogACall LogANote New NewRecordType Update NewChild NewChildRecordType CreateNew
    CreateNewRecordType SendEmail QuickRecordType Quick EditDescription Defer
    ChangeDueDate ChangePriority ChangeStatus SocialPost Escalate EscalateToRecord
    OfferFeedback RequestFeedback AddRecord AddMember Reply ReplyAll Forward
    ScheduleAppointment EnrollInProgram ModifyAppointment PatientDetails
    AcceptBroadcast SelectCoverage AssetHierarchy PartReturnRequest PerformCount
    ViewCoverage Quip SendConversationMessage NewQuote LaunchDataCapture
    RelocateAsset ReplaceAsset
    """,
    "QuickActionType": """
    Create VisualforcePage Post SendEmail LogACall SocialPost Canvas Update
    LightningComponent LightningWebComponent Flow MobileExtension Quip
    SendConversationMessage
    """,
    "FlexiPageType": """
    AppPage ObjectPage RecordPage HomePage ForecastingPage MailAppAppPage
    CommAppPage CommForgotPasswordPage CommLoginPage CommObjectPage
    CommQuickActionCreatePage CommRecordPage CommRelatedListPage
    CommSearchResultPage CommGlobalSearchResultPage CommSelfRegisterPage
    CommThemeLayoutPage UtilityBar RecordPreview EmbeddedServicePage
    CommCheckoutPage CommOrderConfirmationPage CommFlowPage EmailTemplatePage
    ApplicationLayout CommNoSearchResultsPage CommElectronicSignaturePage
    CommContractDocumentsPage CommContractDetailViewPage EmailContentPage
    ServiceDocument LandingPage CdpRecordPage SlackAppHome SlackMessage SlackModal
    SlackNotification EasyHomePage CardPage VoiceExtension ConfiguratorAppPage
    OmniSupervisorPage MobileAppPage
    """,
    "LayoutSectionStyle": """
    TwoColumnsTopToBottom TwoColumnsLeftToRight OneColumn CustomLinks
    """,
    "PlatformActionListContext": """
    ListView RelatedList ListViewRecord RelatedListRecord Record FeedElement Chatter
    Global Flexipage MruList MruRow RecordEdit Photo BannerPhoto ObjectHomeChart
    ListViewDefinition Dockable Lookup Assistant
    """,
    "SummaryLayoutStyle": """
    Default QuoteTemplate DefaultQuoteTemplate ServiceReportTemplate
    ChildServiceReportTemplateStyle DefaultServiceReportTemplate CaseInteraction
    QuickActionLayoutLeftRight QuickActionLayoutTopDown PathAssistant
    """,
    "ActionOverrideType": """
    Default Standard Scontrol Visualforce Flexipage LightningComponent
    """,
    "PromptDisplayPosition": """
    TopLeft TopCenter TopRight BottomLeft BottomCenter BottomRight MiddleLeft
    MiddleCenter MiddleRight
    """,
    "PromptElementRelativePosition": """
    TopLeft TopCenter TopRight LeftTop LeftCenter LeftBottom RightTop RightCenter
    RightBottom BottomLeft BottomCenter BottomRight
    """,
    "PlatformActionType": """
    QuickAction StandardButton CustomButton ProductivityAction ActionLink
    InvocableAction
    """,
    "ComponentInstancePropertyTypeEnum": """
    decorator
    """,
}
