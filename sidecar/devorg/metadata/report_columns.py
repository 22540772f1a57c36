"""What a column of a report means: which field, of which of its objects.

Custom report types name columns ``Table$Field``; standard ones have names of their
own (``LAST_NAME``, ``CUST_NAME``) and say ``Lead.X__c`` for custom fields. Standard
columns that are not in this list are refused by name.

Source: reports of public Salesforce projects; "Report", Metadata API Developer Guide.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.devorg.metadata.component import Components
from sidecar.devorg.metadata.report_type import Definition, Table, follow
from sidecar.devorg.schema import Field, Schema

# Report type -> its object, and its standard columns as COLUMN=path.
_STANDARD_TEXT = {
    "LeadList": (
        "Lead",
        """
        OWNER=Owner.Name OWNER_FULL_NAME=Owner.Name LEAD_OWNER=Owner.Name
        FIRST_NAME=FirstName LAST_NAME=LastName NAME=Name SALUTATION=Salutation
        TITLE=Title COMPANY=Company EMAIL=Email PHONE=Phone MOBILE_PHONE=MobilePhone
        FAX=Fax URL=Website LEAD_SOURCE=LeadSource STATUS=Status RATING=Rating
        INDUSTRY=Industry ANNUAL_REVENUE=AnnualRevenue EMPLOYEES=NumberOfEmployees
        DESCRIPTION=Description CONVERTED=IsConverted CONVERTED_DATE=ConvertedDate
        CREATED_DATE=CreatedDate LAST_UPDATE=LastModifiedDate UNREAD=IsUnreadByOwner
        LAST_ACTIVITY=LastActivityDate STREET=Street CITY=City STATE=State
        ZIP=PostalCode COUNTRY=Country LEAD_ID=Id
        """,
    ),
    "Opportunity": (
        "Opportunity",
        """
        OPPORTUNITY_NAME=Name ACCOUNT_NAME=Account.Name AMOUNT=Amount
        EXP_AMOUNT=ExpectedRevenue CLOSE_DATE=CloseDate STAGE_NAME=StageName
        PROBABILITY=Probability FISCAL_QUARTER=FiscalQuarter FISCAL_YEAR=FiscalYear
        CREATED_DATE=CreatedDate LAST_UPDATE=LastModifiedDate FULL_NAME=Owner.Name
        NEXT_STEP=NextStep LEAD_SOURCE=LeadSource TYPE=Type DESCRIPTION=Description
        CLOSED=IsClosed WON=IsWon FORECAST_CATEGORY=ForecastCategoryName
        ROLLUP_DESCRIPTION=Owner.UserRole.Name
        LAST_ACTIVITY=LastActivityDate QUANTITY=TotalOpportunityQuantity
        CAMPAIGN_NAME=Campaign.Name OPPORTUNITY_ID=Id
        """,
    ),
    "ContactList": (
        "Contact",
        """
        SALUTATION=Salutation FIRST_NAME=FirstName LAST_NAME=LastName NAME=Name
        TITLE=Title ACCOUNT.NAME=Account.Name ACCOUNT_NAME=Account.Name EMAIL=Email
        PHONE1=Phone PHONE2=HomePhone PHONE3=MobilePhone PHONE4=OtherPhone
        PHONE5=AssistantPhone LEAD_SOURCE=LeadSource CREATED_DATE=CreatedDate
        LAST_UPDATE=LastModifiedDate OWNER=Owner.Name CONTACT_OWNER=Owner.Name
        DEPARTMENT=Department BIRTHDATE=Birthdate LAST_ACTIVITY=LastActivityDate
        CONTACT_ID=Id
        """,
    ),
    "AccountList": (
        "Account",
        """
        ACCOUNT.NAME=Name ACCOUNT_NAME=Name USERS.NAME=Owner.Name OWNER=Owner.Name
        TYPE=Type RATING=Rating INDUSTRY=Industry LAST_UPDATE=LastModifiedDate
        CREATED_DATE=CreatedDate DUE_DATE=LastActivityDate PHONE1=Phone
        EMPLOYEES=NumberOfEmployees SALES=AnnualRevenue ACCOUNT_ID=Id
        ADDRESS1_CITY=BillingCity ADDRESS1_STATE=BillingState
        """,
    ),
    "CampaignList": (
        "Campaign",
        """
        CAMPAIGN_NAME=Name CAMPAIGN_TYPE=Type CAMPAIGN_STATUS=Status
        START_DATE=StartDate END_DATE=EndDate BUDGETED_COST=BudgetedCost
        ACTUAL_COST=ActualCost EXPECTED_REVENUE=ExpectedRevenue ACTIVE=IsActive
        NUM_LEADS=NumberOfLeads NUM_CONTACTS=NumberOfContacts
        NUM_RESPONSES=NumberOfResponses CREATED_DATE=CreatedDate OWNER=Owner.Name
        """,
    ),
}
STANDARD = {
    name: (
        object_name,
        dict(pair.split("=", 1) for pair in columns.split()),
    )
    for name, (object_name, columns) in _STANDARD_TEXT.items()
}
# Columns of the report type that each custom object has of its own.
_OF_CUSTOM = {
    "CUST_ID": "Id",
    "CUST_NAME": "Name",
    "CUST_OWNER_NAME": "Owner.Name",
    "CUST_CREATED_DATE": "CreatedDate",
    "CUST_CREATED_NAME": "CreatedBy.Name",
    "CUST_LAST_UPDATE": "LastModifiedDate",
    "CUST_LAST_UPDATE_NAME": "LastModifiedBy.Name",
    "CREATED_DATE": "CreatedDate",
    "LAST_UPDATE": "LastModifiedDate",
}
_ENTITY, _ENTITIES = "CustomEntity$", "CustomEntityCustomEntity$"
# The number of rows, in aggregates, sortings and charts.
ROW_COUNT = "RowCount"


@dataclass(frozen=True)
class Column:
    """
    A column that was found.

    Attributes:
        table: index into the report type's tables.
        path: from that table's object: ``Owner.Name``.
    """

    name: str
    table: int
    path: str
    field: Field


@dataclass(frozen=True)
class Reportable:
    """A report type, standard or custom, with the names of its columns."""

    tables: tuple[Table, ...]
    names: dict[str, str]
    custom: Definition | None = None

    def column(self, schema: Schema, name: str) -> Column | None:
        """Return what a column of this name means, or None."""
        if self.custom is not None:
            path, dollar, field_path = name.partition("$")
            for index, table in enumerate(self.tables):
                if dollar and table.path == path:
                    return self._found(schema, name, index, field_path)
            return None
        if name in self.names:
            return self._found(schema, name, 0, self.names[name])
        object_name, _, field_path = name.partition(".")
        for index, table in enumerate(self.tables):
            if table.object_name == object_name and field_path:
                found = self._found(schema, name, index, field_path)
                if found is not None and found.field.custom:
                    return found
        return None

    def _found(self, schema: Schema, name: str, index: int, path: str) -> Column | None:
        type_ = schema.get(self.tables[index].object_name)
        field = follow(schema, type_, path) if type_ else None
        return None if field is None else Column(name, index, path, field)


def reportable(components: Components, schema: Schema, name: str) -> Reportable | None:
    """
    Return the report type that a report names, or None.

    ``LeadList``, ``Referrals_With_Leads__c`` (custom), ``CustomEntity$X__c`` (the
    one of a custom object), ``CustomEntityCustomEntity$X__c$Y__c`` (with details).
    """
    if name in STANDARD:
        object_name, names = STANDARD[name]
        return Reportable((Table(object_name, object_name),), names)
    if name.startswith(_ENTITY):
        type_ = schema.get(name.removeprefix(_ENTITY).partition("@")[0])
        if type_ is None or not type_.custom:
            return None
        return Reportable((Table(type_.name, type_.name),), _OF_CUSTOM)
    if name.startswith(_ENTITIES):
        return _with_details(schema, name.removeprefix(_ENTITIES))
    found = components.get("ReportType", name.removesuffix("__c"))
    if found is None or not isinstance(found.value, Definition):
        return None
    return Reportable(found.value.tables, {}, found.value)


def _with_details(schema: Schema, names: str) -> Reportable | None:
    parent_name, _, child_name = names.partition("$")
    parent, details = schema.get(parent_name), schema.get(child_name.partition("@")[0])
    if parent is None or details is None:
        return None
    lookups = [f for f in details.fields.values() if parent.name in f.reference_to]
    if not lookups:
        return None
    tables = (
        Table(parent.name, parent.name),
        Table(f"{parent.name}.{details.name}", details.name, lookups[0].name),
    )
    return Reportable(tables, _OF_CUSTOM)
