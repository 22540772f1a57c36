"""What every org has: standard fields and relationships, as far as we need them.

Not the whole of it, and features add more; so a name that is missing here is only
told where it looks like a slip of the pen for one that is here.

Source: "Standard Objects", Object Reference for the Salesforce Platform.
"""

from collections.abc import Mapping
from types import MappingProxyType

_SYSTEM = (
    "Id IsDeleted CreatedById CreatedDate LastModifiedById LastModifiedDate "
    "SystemModstamp LastActivityDate LastViewedDate LastReferencedDate "
    "CurrencyIsoCode RecordTypeId Division"
)
_PERSON = (
    "Salutation FirstName LastName MiddleName Suffix Name Title Department Email "
    "Phone MobilePhone Fax HomePhone OtherPhone AssistantPhone AssistantName "
    "Birthdate Description Photo PhotoUrl"
)


def _names(*texts: str) -> tuple[str, ...]:
    return tuple(" ".join(texts).split())


def _address(*kinds: str) -> str:
    parts = _names(
        "Street City State PostalCode Country StateCode CountryCode Latitude "
        "Longitude GeocodeAccuracy Address"
    )
    return " ".join(f"{kind}{part}" for kind in kinds for part in parts)


STANDARD_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lead": _names(
            _SYSTEM,
            _PERSON,
            _address(""),
            "OwnerId Company Website LeadSource Status Industry Rating AnnualRevenue "
            "NumberOfEmployees HasOptedOutOfEmail HasOptedOutOfFax DoNotCall "
            "IsConverted ConvertedDate ConvertedAccountId ConvertedContactId "
            "ConvertedOpportunityId IsUnreadByOwner Jigsaw JigsawContactId "
            "EmailBouncedReason EmailBouncedDate IndividualId PartnerAccountId "
            "CampaignId LastTransferDate CleanStatus CompanyDunsNumber "
            "FirstCallDateTime FirstEmailDateTime GenderIdentity Pronouns",
        ),
        "contact": _names(
            _SYSTEM,
            _PERSON,
            _address("Mailing", "Other"),
            "OwnerId AccountId ReportsToId LeadSource HasOptedOutOfEmail "
            "HasOptedOutOfFax DoNotCall EmailBouncedReason EmailBouncedDate "
            "IsEmailBounced Jigsaw JigsawContactId IndividualId MasterRecordId "
            "LastCURequestDate LastCUUpdateDate CanAllowPortalSelfReg CleanStatus "
            "IsPersonAccount IsPriorityRecord ContactSource TitleType "
            "DepartmentGroup BuyerAttributes GenderIdentity Pronouns",
        ),
        "account": _names(
            _SYSTEM,
            _address("Billing", "Shipping"),
            "Name OwnerId ParentId Type Phone Fax AccountNumber Website Sic SicDesc "
            "Industry AnnualRevenue NumberOfEmployees Ownership TickerSymbol "
            "Description Rating Site AccountSource MasterRecordId PhotoUrl "
            "IsPersonAccount PersonContactId IsPartner IsCustomerPortal Jigsaw "
            "CleanStatus DunsNumber NaicsCode NaicsDesc Tradestyle YearStarted "
            "DandbCompanyId OperatingHoursId IsPriorityRecord Tier",
        ),
        "opportunity": _names(
            _SYSTEM,
            "Name OwnerId AccountId ContactId CampaignId Pricebook2Id StageName Amount "
            "Probability ExpectedRevenue TotalOpportunityQuantity CloseDate Type "
            "NextStep LeadSource IsClosed IsWon IsPrivate ForecastCategory "
            "ForecastCategoryName HasOpportunityLineItem Fiscal FiscalQuarter "
            "FiscalYear Description ContractId SyncedQuoteId Territory2Id "
            "PushCount LastStageChangeDate HasOpenActivity HasOverdueTask "
            "LastAmountChangedHistoryId LastCloseDateChangedHistoryId "
            "IsExcludedFromTerritory2Filter IsPriorityRecord",
        ),
        "task": _names(
            _SYSTEM,
            "OwnerId WhoId WhatId AccountId Subject ActivityDate Status Priority Type "
            "IsClosed IsArchived IsReminderSet ReminderDateTime Description "
            "CallType CallDisposition CallDurationInSeconds CallObject TaskSubtype "
            "IsRecurrence RecurrenceActivityId WhoCount WhatCount "
            "IsHighPriority CompletedDateTime IsVisibleInSelfService",
        ),
        "event": _names(
            _SYSTEM,
            "OwnerId WhoId WhatId AccountId Subject Location ActivityDate "
            "ActivityDateTime StartDateTime EndDateTime EndDate DurationInMinutes "
            "IsAllDayEvent IsPrivate IsReminderSet ReminderDateTime Description "
            "ShowAs Type EventSubtype GroupEventType IsChild IsGroupEvent IsArchived "
            "IsRecurrence WhoCount WhatCount IsVisibleInSelfService",
        ),
        "campaign": _names(
            _SYSTEM,
            "Name OwnerId ParentId Type Status StartDate EndDate ExpectedRevenue "
            "BudgetedCost ActualCost ExpectedResponse NumberSent IsActive "
            "Description NumberOfLeads NumberOfConvertedLeads NumberOfContacts "
            "NumberOfResponses NumberOfOpportunities NumberOfWonOpportunities "
            "AmountAllOpportunities AmountWonOpportunities "
            "CampaignMemberRecordTypeId CampaignImageId",
        ),
        "user": _names(
            _SYSTEM,
            _PERSON,
            _address(""),
            "Username Alias CommunityNickname CompanyName Division IsActive "
            "TimeZoneSidKey LocaleSidKey LanguageLocaleKey EmailEncodingKey "
            "ProfileId UserRoleId UserType ManagerId DelegatedApproverId "
            "EmployeeNumber FederationIdentifier ContactId AccountId Extension "
            "LastLoginDate AboutMe SmallPhotoUrl FullPhotoUrl Signature "
            "ForecastEnabled CallCenterId SenderEmail SenderName",
        ),
    }
)

# Relationship name of a standard lookup -> object that it leads to.
RELATIONSHIPS: Mapping[str, str] = MappingProxyType(
    {name.lower(): name for name in ("Account", "Asset", "Campaign", "Case", "Contact")}
    | {name.lower(): name for name in ("Contract", "Lead", "Opportunity", "Order")}
    | {name.lower(): name for name in ("Product2", "Quote", "User", "Profile")}
    | dict.fromkeys(("createdby", "lastmodifiedby", "manager"), "User")
    | dict.fromkeys(("reportsto", "convertedcontact"), "Contact")
    | {"convertedaccount": "Account", "convertedopportunity": "Opportunity"}
)

# The relationships that a custom object has by itself, in lower case.
CUSTOM_RELATIONSHIPS = frozenset(
    {"owner", "createdby", "lastmodifiedby", "recordtype", "setupowner", "parent"}
)

# Suffix of an object -> the fields that each object of this kind has by itself.
CUSTOM_OBJECT_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "c": _names(
            _SYSTEM,
            "Name OwnerId SetupOwnerId ConnectionReceivedId ConnectionSentId "
            "UserRecordAccessId IsLocked MayEdit ExternalId "
            "Owner CreatedBy LastModifiedBy RecordType SetupOwner",
        ),
        "e": _names("Id ReplayId EventUuid CreatedDate CreatedById CreatedBy"),
        "mdt": _names(
            "Id DeveloperName MasterLabel Label Language NamespacePrefix "
            "QualifiedApiName SystemModstamp IsProtected ProtectionLevel Name"
        ),
    }
)
