"""Who a token belongs to, and where that user's APIs are.

Source: "Identity URLs" and "OpenID Connect", Salesforce Help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.schema import Row
from sidecar.devorg.values import shown

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


def _urls(org: Org, user_id: object) -> dict[str, str]:
    base = org.base_url
    rest = f"{base}/services/data/v{{version}}/"
    return {
        "enterprise": f"{base}/services/Soap/c/{{version}}/{org.id[:15]}",
        "metadata": f"{base}/services/Soap/m/{{version}}/{org.id[:15]}",
        "partner": f"{base}/services/Soap/u/{{version}}/{org.id[:15]}",
        "rest": rest,
        "sobjects": f"{rest}sobjects/",
        "search": f"{rest}search/",
        "query": f"{rest}query/",
        "recent": f"{rest}recent/",
        "tooling_soap": f"{base}/services/Soap/T/{{version}}/{org.id[:15]}",
        "tooling_rest": f"{rest}tooling/",
        "profile": f"{base}/{user_id}",
        "custom_domain": base,
    }


def userinfo_of(org: Org, user: Row) -> dict[str, object]:
    """Return a user as OpenID Connect's userinfo shows them."""
    return {
        "sub": f"{org.base_url}/id/{org.id}/{user['Id']}",
        "user_id": user["Id"],
        "organization_id": org.id,
        "preferred_username": user["Username"],
        "nickname": user["Alias"],
        "name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "given_name": user.get("FirstName"),
        "family_name": user["LastName"],
        "zoneinfo": user["TimeZoneSidKey"],
        "locale": user["LocaleSidKey"],
        "language": user["LanguageLocaleKey"],
        "active": user["IsActive"],
        "user_type": "STANDARD",
        "utcOffset": 0,
        "updated_at": shown(user["LastModifiedDate"]),
        "urls": _urls(org, user["Id"]),
    }


def identity_of(org: Org, user: Row) -> dict[str, object]:
    """Return a user as Salesforce's identity URL shows them."""
    return {
        "id": f"{org.base_url}/id/{org.id}/{user['Id']}",
        "asserted_user": True,
        "user_id": user["Id"],
        "organization_id": org.id,
        "username": user["Username"],
        "nick_name": user["Alias"],
        "display_name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "first_name": user.get("FirstName"),
        "last_name": user["LastName"],
        "timezone": user["TimeZoneSidKey"],
        "active": user["IsActive"],
        "user_type": "STANDARD",
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": 0,
        "last_modified_date": shown(user["LastModifiedDate"]),
        "is_app_installed": True,
        "urls": _urls(org, user["Id"]),
    }
