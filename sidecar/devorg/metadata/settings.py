"""Settings: the switches of an org, as metadata that can be read.

Source: "PathAssistantSettings", "LanguageSettings", "FlowSettings", "CurrencySettings"
and "AccountSettings", Metadata API Developer Guide. They are set in Setup (here by the
back door), and refused when deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.element import add, make
from sidecar.devorg.metadata.features import Features

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# Name -> its switches.
_SWITCHES: dict[str, Callable[[Features], dict[str, bool]]] = {
    "Account": lambda on: {
        "enableAccountTeams": False,
        "enableReportsToOnPersonAccount": on.person_accounts,
    },
    "Currency": lambda on: {"enableMultiCurrency": on.multi_currency},
    "Flow": lambda on: {"enableFlowDeployAsActiveEnabled": on.flows_deploy_active},
    "Language": lambda on: {
        "enableEndUserLanguages": bool(on.languages),
        "enableTranslationWorkbench": bool(on.languages),
    },
    "PathAssistant": lambda on: {
        "canOverrideAutoPathCollapseWithUserPref": False,
        "pathAssistantEnabled": on.path,
    },
}


def settings(org: Org, name: str) -> Iterator[Component]:
    """Yield the settings of one name, or with ``*`` all; none when it is unknown."""
    for each, switches in _SWITCHES.items():
        if name not in {"*", each}:
            continue
        element = make(f"{each}Settings")
        for tag, on in switches(org.metadata.features).items():
            add(element, tag, "true" if on else "false")
        company = org.records.table("Organization").rows[org.id]
        by, at = str(company["CreatedById"]), org.clock.second()
        file = f"settings/{each}.settings"
        yield Component(
            "", f"{each}Settings", each, file, element, None, by, at, by, at
        )
