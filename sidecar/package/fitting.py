"""What of the package fits an org: a part left out, or one that runs otherwise.

Where a feature is off, the part that needs it is optional, and the org can do without;
another install brings it when the feature is on.

Source: "PathAssistant" and "Dashboard", Metadata API Developer Guide; "Provide
Individualized Views of a Dashboard", Salesforce Help: editions cap the dashboards that
run as whoever looks at them.
"""

from dataclasses import dataclass
from xml.sax.saxutils import escape

from sidecar.package.read import Tree

_DYNAMIC = b"<dashboardType>LoggedInUser</dashboardType>"


@dataclass(frozen=True)
class Fit:
    """How the package is cut for an org; as it is, by default."""

    paths: bool = True
    """Path is on, so paths may be brought."""
    running_user: str = ""
    """Whose rights dashboards show, where no more may run as whoever looks."""


AS_IT_IS = Fit()


def cut(tree: Tree, fit: Fit) -> Tree:
    """
    Leave out, and change, what does not fit.

    Args:
        tree: the project, in source format.
    """
    if fit == AS_IT_IS:
        return tree
    user = escape(fit.running_user).encode()
    named = (
        b"<dashboardType>SpecifiedUser</dashboardType>\n"
        b"    <runningUser>" + user + b"</runningUser>"
    )
    return {
        path: content.replace(_DYNAMIC, named)
        if fit.running_user and path.endswith(".dashboard-meta.xml")
        else content
        for path, content in tree.items()
        if fit.paths or "/pathAssistants/" not in path
    }
