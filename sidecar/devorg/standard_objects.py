# ruff: noqa: E501 - a line is a field
"""The standard objects of a fresh org, in the notation of ``schema.fields_from``.

Source: Object Reference for the Salesforce Platform, the fields a sales org meets.
This is data: longer than a module should be, and nothing else.
"""

from collections.abc import Callable

from sidecar.devorg.notation import fields_from
from sidecar.devorg.schema import ObjectType, Row

_SYSTEM = """
Id id system | {label} ID
IsDeleted boolean system | Deleted
CreatedDate datetime system
CreatedById reference(User) system rel=CreatedBy
LastModifiedDate datetime system
LastModifiedById reference(User) system rel=LastModifiedBy
SystemModstamp datetime system
"""
_SEEN = """
LastViewedDate datetime readonly open
LastReferencedDate datetime readonly open
"""
_OWNED = "OwnerId reference({owners}) defaulted rel=Owner child={plural}"

_PERSON = """
Salutation picklist(Mr.;Ms.;Mrs.;Dr.;Prof.;Mx.) open
FirstName string(40) open
LastName string(80) required
Name string(121) system name | Full Name
"""


def _address(prefix: str) -> str:
    return f"""
{prefix}Street textarea(255)
{prefix}City string(40)
{prefix}State string(80) | {prefix} State/Province
{prefix}PostalCode string(20) | {prefix} Zip/Postal Code
{prefix}Country string(80)
{prefix}Latitude double(18,15)
{prefix}Longitude double(18,15)
{prefix}GeocodeAccuracy picklist(Address;NearAddress;Block;Street;Zip;City;State)
{prefix}Address address readonly
"""


_SOURCES = (
    "Web;Phone Inquiry;Partner Referral;Purchased List;Other;"
    "Employee Referral;External Referral"
)
_INDUSTRIES = (
    "Agriculture;Banking;Consulting;Education;Energy;Engineering;Finance;Government;"
    "Healthcare;Insurance;Manufacturing;Retail;Technology;Utilities;Other"
)

_ACCOUNT = f"""
Name string(255) required name | Account Name
Type picklist(Prospect;Customer - Direct;Customer - Channel;Installation Partner;Other) | Account Type
ParentId reference(Account) rel=Parent child=ChildAccounts | Parent Account ID
{_address("Billing")}
{_address("Shipping")}
Phone phone | Account Phone
Fax phone | Account Fax
AccountNumber string(40)
Website url
Sic string(20) | SIC Code
Industry picklist({_INDUSTRIES})
AnnualRevenue currency(18,0)
NumberOfEmployees int | Employees
Ownership picklist(Public;Private;Subsidiary;Other)
TickerSymbol string(20)
Description textarea(32000) | Account Description
Rating picklist(Hot;Warm;Cold) | Account Rating
Site string(80) | Account Site
AccountSource picklist({_SOURCES})
LastActivityDate date readonly open | Last Activity
"""

_CONTACT = f"""
AccountId reference(Account) rel=Account child=Contacts
{_PERSON}
{_address("Mailing")}
{_address("Other")}
Phone phone | Business Phone
Fax phone | Business Fax
MobilePhone phone
HomePhone phone
OtherPhone phone
AssistantPhone phone | Asst. Phone
ReportsToId reference(Contact) rel=ReportsTo
Email email
Title string(128)
Department string(80)
AssistantName string(40)
LeadSource picklist({_SOURCES})
Birthdate date
Description textarea(32000) | Contact Description
HasOptedOutOfEmail boolean | Email Opt Out
HasOptedOutOfFax boolean | Fax Opt Out
DoNotCall boolean
EmailBouncedReason string(255)
EmailBouncedDate datetime
LastActivityDate date readonly open | Last Activity
"""

_LEAD = f"""
{_PERSON}
Title string(128)
Company string(255) required
{_address("")}
Phone phone
MobilePhone phone
Fax phone
Email email
Website url
Description textarea(32000)
LeadSource picklist({_SOURCES})
Status picklist(Open - Not Contacted*;Working - Contacted;Closed - Converted;Closed - Not Converted) defaulted
Industry picklist({_INDUSTRIES})
Rating picklist(Hot;Warm;Cold)
AnnualRevenue currency(18,0)
NumberOfEmployees int | Employees
HasOptedOutOfEmail boolean | Email Opt Out
HasOptedOutOfFax boolean | Fax Opt Out
DoNotCall boolean
IsConverted boolean system | Converted
ConvertedDate date readonly open
ConvertedAccountId reference(Account) readonly open rel=ConvertedAccount
ConvertedContactId reference(Contact) readonly open rel=ConvertedContact
ConvertedOpportunityId reference(Opportunity) readonly open rel=ConvertedOpportunity
IsUnreadByOwner boolean | Unread By Owner
EmailBouncedReason string(255)
EmailBouncedDate datetime
LastActivityDate date readonly open | Last Activity
"""

_STAGES = (
    "Prospecting;Qualification;Needs Analysis;Value Proposition;Id. Decision Makers;"
    "Perception Analysis;Proposal/Price Quote;Negotiation/Review;Closed Won;Closed Lost"
)

_OPPORTUNITY = f"""
AccountId reference(Account) rel=Account child=Opportunities
Name string(120) required name
Description textarea(32000)
StageName picklist({_STAGES}) required | Stage
Amount currency(18,2)
Probability percent(3,0) | Probability (%)
ExpectedRevenue currency(18,2) readonly | Expected Amount
TotalOpportunityQuantity double(18,2) | Quantity
CloseDate date required
Type picklist(Existing Customer - Upgrade;Existing Customer - Replacement;Existing Customer - Downgrade;New Customer) | Opportunity Type
NextStep string(255)
LeadSource picklist({_SOURCES})
IsClosed boolean system | Closed
IsWon boolean system | Won
ForecastCategory picklist(Omitted;Pipeline;BestCase;Forecast;Closed) system
ForecastCategoryName picklist(Omitted;Pipeline;Best Case;Commit;Closed) | Forecast Category
CampaignId reference(Campaign) rel=Campaign child=Opportunities
ContactId reference(Contact) once open
LastActivityDate date readonly open | Last Activity
FiscalQuarter int readonly open
FiscalYear int readonly open
"""

_CONTACT_ROLE = """
OpportunityId reference(Opportunity) required once cascade rel=Opportunity child=OpportunityContactRoles
ContactId reference(Contact) required rel=Contact child=OpportunityContactRoles
Role picklist(Business User;Decision Maker;Economic Buyer;Evaluator;Executive Sponsor;Influencer;Technical Buyer;Other)
IsPrimary boolean | Primary
"""

_WHAT = "Account,Opportunity,Campaign"

_TASK = f"""
WhoId reference(Contact,Lead) rel=Who child=Tasks | Name ID
WhatId reference({_WHAT}) rel=What child=Tasks | Related To ID
Subject combobox(Call;Email;Send Letter;Send Quote;Other) name open
ActivityDate date | Due Date Only
Status picklist(Not Started*;In Progress;Completed;Waiting on someone else;Deferred) defaulted
Priority picklist(High;Normal*;Low) defaulted
IsHighPriority boolean system | High Priority
Description textarea(32000) | Description
Type picklist(Call;Meeting;Other;Email)
IsClosed boolean system | Closed
AccountId reference(Account) readonly open rel=Account
IsArchived boolean system | Archived
CallDurationInSeconds int open | Call Duration
CallType picklist(Internal;Inbound;Outbound) open
CallDisposition string(255) open | Call Result
CallObject string(255) open | Call Object Identifier
ReminderDateTime datetime | Reminder Date/Time
IsReminderSet boolean | Reminder Set
CompletedDateTime datetime readonly open | Completed Date
TaskSubtype picklist(Task*;Email;ListEmail;Cadence;Call;LinkedIn) once open
"""

_EVENT = f"""
WhoId reference(Contact,Lead) rel=Who child=Events | Name ID
WhatId reference({_WHAT}) rel=What child=Events | Related To ID
Subject combobox(Call;Email;Meeting;Send Letter/Quote;Other) name open
Location string(255)
IsAllDayEvent boolean | All-Day Event
ActivityDateTime datetime open | Due Date Time
ActivityDate date open | Due Date Only
DurationInMinutes int open | Duration
StartDateTime datetime open | Start Date Time
EndDateTime datetime open | End Date Time
Description textarea(32000)
AccountId reference(Account) readonly open rel=Account
IsPrivate boolean | Private
ShowAs picklist(Busy*;OutOfOffice;Free) | Show Time As
IsArchived boolean system | Archived
ReminderDateTime datetime | Reminder Date/Time
IsReminderSet boolean | Reminder Set
Type picklist(Email;Meeting;Other;Call)
EventSubtype picklist(Event*) once open
"""

_CAMPAIGN = """
Name string(80) required name
ParentId reference(Campaign) rel=Parent child=ChildCampaigns | Parent Campaign ID
Type picklist(Conference;Webinar;Trade Show;Public Relations;Partners;Referral Program;Advertisement;Banner Ads;Direct Mail;Email;Telemarketing;Other)
Status picklist(Planned*;In Progress;Completed;Aborted)
StartDate date
EndDate date
ExpectedRevenue currency(18,2)
BudgetedCost currency(18,2)
ActualCost currency(18,2)
ExpectedResponse percent(10,2) | Expected Response (%)
NumberSent double(18,0) | Num Sent
IsActive boolean | Active
Description textarea(32000)
NumberOfLeads int system | Leads in Campaign
NumberOfContacts int system | Contacts in Campaign
NumberOfResponses int system | Responses in Campaign
LastActivityDate date readonly open | Last Activity
"""

_MEMBER = """
CampaignId reference(Campaign) required once cascade rel=Campaign child=CampaignMembers
LeadId reference(Lead) once open cascade rel=Lead child=CampaignMembers
ContactId reference(Contact) once open cascade rel=Contact child=CampaignMembers
Status picklist(Sent;Responded)
HasResponded boolean system | Responded
FirstRespondedDate date readonly open
Name string(255) readonly open name
Email string(80) readonly open
LeadOrContactId reference(Lead,Contact) readonly open
"""

_MEMBER_STATUS = """
CampaignId reference(Campaign) required once cascade child=CampaignMemberStatuses
Label string(765) required
SortOrder int
IsDefault boolean
HasResponded boolean | Responded
"""

_USER = """
Username string(80) required
LastName string(80) required
FirstName string(40)
Name string(121) system name | Full Name
CompanyName string(80)
Division string(80)
Department string(80)
Title string(80)
Email email(128) required
Phone phone
MobilePhone phone | Mobile
Alias string(8) required
CommunityNickname string(40) | Nickname
IsActive boolean | Active
TimeZoneSidKey picklist(GMT;Europe/Berlin;Europe/London;America/New_York;America/Los_Angeles;Asia/Kolkata;Asia/Tokyo) required | Time Zone
LocaleSidKey picklist(en_US;en_GB;de_DE;fr_FR;es_ES;ja_JP) required | Locale
EmailEncodingKey picklist(UTF-8;ISO-8859-1) required | Email Encoding
LanguageLocaleKey picklist(en_US;de;fr;es;ja) required | Language
ProfileId reference(Profile) required rel=Profile child=Users
UserRoleId reference(UserRole) rel=UserRole child=Users
UserType picklist(Standard*;AutomatedProcess;PowerPartner;Guest) readonly
ManagerId reference(User) rel=Manager child=ManagedUsers
EmployeeNumber string(20)
FederationIdentifier string(512) | SAML Federation ID
ReceivesInfoEmails boolean
LastLoginDate datetime readonly | Last Login
UserPermissionsMarketingUser boolean | Marketing User
"""

_ORGANIZATION = """
Name string(80) required name
Division string(80)
Street textarea(255)
City string(40)
State string(80)
PostalCode string(20)
Country string(80)
Phone phone
PrimaryContact string(80)
DefaultLocaleSidKey picklist(en_US;en_GB;de_DE) required | Locale
LanguageLocaleKey picklist(en_US;de;fr) required | Language
TimeZoneSidKey picklist(GMT;Europe/Berlin;America/Los_Angeles) readonly | Time Zone
OrganizationType picklist(Developer Edition;Professional Edition;Enterprise Edition;Performance Edition;Unlimited Edition) readonly | Edition
InstanceName string(5) readonly
IsSandbox boolean readonly | Is Sandbox
IsReadOnly boolean readonly
NamespacePrefix string(15) readonly
TrialExpirationDate datetime readonly
FiscalYearStartMonth int readonly
"""

_PERMISSION_SET = """
Name string(80) required name | Permission Set Name
Label string(80) required | Permission Set Label
Description string(255)
LicenseId id readonly
ProfileId reference(Profile) readonly rel=Profile
IsOwnedByProfile boolean readonly
IsCustom boolean readonly
NamespacePrefix string(15) readonly
HasActivationRequired boolean
Type picklist(Regular*;Profile;Group;Session;Standard) readonly
"""

# What "userPermissions" in a permission set may name.
# Source: PermissionSet, Object Reference, fields Permissions<Name>.
_PERMISSIONS = """
ActivitiesAccess ApiEnabled ApiUserOnly AssignPermissionSets BulkApiHardDelete
ConvertLeads CreateCustomizeReports CustomizeApplication EditEvent EditTask
EditPublicTemplates EmailMass EmailSingle ExportReport ImportLeads
LightningExperienceUser ManageCustomPermissions ManageInternalUsers ManageLeads
ManageProfilesPermissionsets ManageUsers MarketingUser ModifyAllData
ModifyMetadata PasswordNeverExpires RunFlow RunReports TransferAnyEntity
TransferAnyLead UseWebLink ViewAllData ViewAllUsers ViewDeveloperName
ViewHelpLink ViewPublicDashboards ViewPublicReports ViewRoles ViewSetup
"""
USER_PERMISSIONS = tuple(_PERMISSIONS.split())

_USER_LICENCE = """
Name string(40) readonly name
MasterLabel string(40) readonly
LicenseDefinitionKey string(40) readonly
Status picklist(Active;Disabled) readonly
TotalLicenses int readonly
UsedLicenses int readonly
"""

_SET_LICENCE = """
DeveloperName string(80) readonly
MasterLabel string(255) readonly name
PermissionSetLicenseKey string(80) readonly
Status picklist(Active;Disabled) readonly
TotalLicenses int readonly
UsedLicenses int readonly
"""

_LICENCE_ASSIGNMENT = """
AssigneeId reference(User) required once rel=Assignee
PermissionSetLicenseId reference(PermissionSetLicense) required once rel=PermissionSetLicense
"""

_ASSIGNMENT = """
AssigneeId reference(User) required once rel=Assignee child=PermissionSetAssignments
PermissionSetId reference(PermissionSet) required once cascade rel=PermissionSet child=Assignments
PermissionSetGroupId id readonly
ExpirationDate datetime
IsActive boolean readonly
"""

_OBJECT_PERMISSIONS = """
ParentId reference(PermissionSet) required once cascade rel=Parent child=ObjectPerms
SobjectType string(40) required once
PermissionsCreate boolean | Create Records
PermissionsRead boolean | Read Records
PermissionsEdit boolean | Edit Records
PermissionsDelete boolean | Delete Records
PermissionsViewAllRecords boolean | Read All Records
PermissionsModifyAllRecords boolean | Edit All Records
PermissionsViewAllFields boolean | View All Fields
"""

_FIELD_PERMISSIONS = """
ParentId reference(PermissionSet) required once cascade rel=Parent child=FieldPerms
SobjectType string(40) required once
Field string(255) required once
PermissionsEdit boolean | Edit Field
PermissionsRead boolean | Read Field
"""

_LEAD_STATUS = """
ApiName string(255) required
MasterLabel string(255) required name
SortOrder int
IsDefault boolean
IsConverted boolean
"""

_STAGE = """
ApiName string(255) required
MasterLabel string(255) required name
SortOrder int
IsActive boolean
IsClosed boolean
IsWon boolean
DefaultProbability percent(3,0)
ForecastCategory picklist(Omitted;Pipeline;BestCase;Forecast;Closed)
ForecastCategoryName picklist(Omitted;Pipeline;Best Case;Commit;Closed)
Description string(255)
"""

_RECORD_TYPE = """
Name string(80) required name
DeveloperName string(80) required
SobjectType string(40) required
IsActive boolean
Description string(255)
BusinessProcessId id readonly
NamespacePrefix string(15) readonly
"""

_APEX = """
Name string(255) required name
NamespacePrefix string(15) readonly
ApiVersion double(18,1)
Status picklist(Active;Inactive;Deleted)
Body textarea(1000000)
"""

_SETUP_ACCESS = """
ParentId reference(PermissionSet) required once cascade rel=Parent child=SetupEntityAccessItems
SetupEntityId id required once
SetupEntityType string(40) readonly
"""


_ADDRESS_PARTS = (
    "City",
    "Country",
    "GeocodeAccuracy",
    "Latitude",
    "Longitude",
    "PostalCode",
    "State",
    "Street",
)


def _compound(prefix: str) -> Callable[[Row], object]:
    """Return how an address is read: its parts together, null when all are."""
    names = {part[0].lower() + part[1:]: prefix + part for part in _ADDRESS_PARTS}

    def address(row: Row) -> object:
        parts = {key: row.get(name) for key, name in names.items()}
        return parts if any(v is not None for v in parts.values()) else None

    return address


# Set up elsewhere: by a deployment, or by hand in Setup.
_READ_ONLY = frozenset(
    (
        "Profile",
        "ApexClass",
        "LeadStatus",
        "OpportunityStage",
        "UserLicense",
        "PermissionSetLicense",
    )
)


def _type(
    name: str,
    prefix: str,
    spec: str,
    *,
    label: str | None = None,
    plural: str | None = None,
    owners: str | None = None,
    seen: bool = False,
    setup: bool = False,
    deletable: bool = True,
    edit_permission: str | None = None,
) -> ObjectType:
    label = label or name
    plural = plural or label + "s"
    lines = _SYSTEM.format(label=label) + (_SEEN if seen else "")
    if owners:
        children = plural.replace(" ", "")
        lines += _OWNED.format(owners=owners, plural=children) + "\n"
    text = "\n".join(line for line in (lines + spec).splitlines() if line.strip())
    made = ObjectType(name, label, plural, prefix)
    made.fields = fields_from(text, permissionable=not setup)
    for field in made.fields.values():
        if field.type == "address":
            field.compute = _compound(field.name.removesuffix("Address"))
    made.setup, made.deletable = setup, deletable
    made.createable = name not in {"Organization", *_READ_ONLY}
    made.updateable = name not in _READ_ONLY
    made.edit_permission = edit_permission
    made.read_permission = "ActivitiesAccess" if edit_permission else None
    return made


def standard_types() -> list[ObjectType]:
    """Return fresh copies of every standard object type."""
    permissions = "\n".join(
        f"Permissions{name} boolean" for name in sorted(USER_PERMISSIONS)
    )
    return [
        _type("Account", "001", _ACCOUNT, owners="User", seen=True),
        _type("Contact", "003", _CONTACT, owners="User", seen=True),
        _type("Lead", "00Q", _LEAD, owners="User,Group", seen=True),
        _type(
            "Opportunity",
            "006",
            _OPPORTUNITY,
            plural="Opportunities",
            owners="User",
            seen=True,
        ),
        _type(
            "OpportunityContactRole",
            "00K",
            _CONTACT_ROLE,
            label="Opportunity Contact Role",
        ),
        _type("Task", "00T", _TASK, owners="User,Group", edit_permission="EditTask"),
        _type("Event", "00U", _EVENT, owners="User,Group", edit_permission="EditEvent"),
        _type("Campaign", "701", _CAMPAIGN, owners="User", seen=True),
        _type("CampaignMember", "00v", _MEMBER, label="Campaign Member"),
        _type(
            "CampaignMemberStatus",
            "01Y",
            _MEMBER_STATUS,
            label="Campaign Member Status",
            plural="Campaign Member Statuses",
        ),
        _type("User", "005", _USER, setup=True, deletable=False),
        _type(
            "Profile",
            "00e",
            "Name string(255) required name\nUserType picklist(Standard) readonly\nDescription string(255)\n"
            "UserLicenseId reference(UserLicense) readonly rel=UserLicense",
            setup=True,
        ),
        _type(
            "UserLicense",
            "100",
            _USER_LICENCE,
            label="User License",
            setup=True,
            deletable=False,
        ),
        _type(
            "PermissionSetLicense",
            "0PL",
            _SET_LICENCE,
            label="Permission Set License",
            setup=True,
            deletable=False,
        ),
        _type(
            "PermissionSetLicenseAssign",
            "2LA",
            _LICENCE_ASSIGNMENT,
            label="Permission Set License Assignment",
            setup=True,
        ),
        _type(
            "UserRole",
            "00E",
            "Name string(80) required name\nDeveloperName string(80)\n"
            "ParentRoleId reference(UserRole)",
            label="Role",
            setup=True,
        ),
        _type(
            "Group",
            "00G",
            "Name string(40) required name\nDeveloperName string(80)\n"
            "Type picklist(Regular;Queue;Role) required once\nEmail email(255)",
            setup=True,
        ),
        _type(
            "Organization",
            "00D",
            _ORGANIZATION,
            label="Company Information",
            plural="Company Information",
            setup=True,
            deletable=False,
        ),
        _type(
            "PermissionSet",
            "0PS",
            _PERMISSION_SET + permissions,
            label="Permission Set",
            setup=True,
        ),
        _type(
            "PermissionSetAssignment",
            "0Pa",
            _ASSIGNMENT,
            label="Permission Set Assignment",
            setup=True,
        ),
        _type(
            "ObjectPermissions",
            "110",
            _OBJECT_PERMISSIONS,
            label="Object Permissions",
            plural="Object Permissions",
            setup=True,
        ),
        _type(
            "FieldPermissions",
            "01k",
            _FIELD_PERMISSIONS,
            label="Field Permissions",
            plural="Field Permissions",
            setup=True,
        ),
        _type(
            "CustomPermission",
            "0CP",
            "DeveloperName string(80) required name\nMasterLabel string(80) required\n"
            "Description textarea(255)\nIsProtected boolean readonly",
            label="Custom Permission",
            setup=True,
        ),
        _type(
            "SetupEntityAccess",
            "0J0",
            _SETUP_ACCESS,
            label="Setup Entity Access",
            plural="Setup Entity Access",
            setup=True,
        ),
        _type(
            "LeadStatus",
            "01J",
            _LEAD_STATUS,
            label="Lead Status Value",
            setup=True,
            deletable=False,
        ),
        _type(
            "OpportunityStage",
            "01K",
            _STAGE,
            label="Opportunity Stage",
            setup=True,
            deletable=False,
        ),
        _type(
            "RecordType",
            "012",
            _RECORD_TYPE,
            label="Record Type",
            setup=True,
            deletable=False,
        ),
        _type(
            "ApexClass",
            "01p",
            _APEX,
            label="Apex Class",
            plural="Apex Classes",
            setup=True,
            deletable=False,
        ),
    ]
