"""The bundled package: which modules there are, what they need, what they deploy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import Permanent
from sidecar.package import archive, patches, placeholders, read
from sidecar.package.fitting import AS_IT_IS, Fit, cut
from sidecar.package.patches import Patches
from sidecar.package.read import Tree

CORE = "core"
# Every module builds on core; what else one builds on stands here.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "analytics": ("programme",),
    "programme_translations": ("programme",),
}


@dataclass(frozen=True)
class Bundle:
    """The package as it is shipped, for no org in particular."""

    tree: Tree
    patches: Mapping[str, bytes]
    """Module -> what it declares for the customer's own layouts."""
    version: str


@dataclass(frozen=True)
class Wanted:
    """What is to be in one org."""

    files: Mapping[str, bytes]
    """In Metadata API format, the org's values filled in, package.xml included."""
    patches: Patches


def load(folder: Path, *, version: str) -> Bundle:
    """
    Read the package from disk.

    Raises:
        Unreadable: it is no SFDX project.
    """
    declared = {
        file.stem: file.read_bytes()
        for file in sorted((folder / "patches").glob("*.json"))
    }
    return Bundle(read.load(folder), declared, version)


def with_needed(bundle: Bundle, names: Collection[str]) -> list[str]:
    """
    Add to some modules those on which they build; in the project's order.

    Raises:
        Permanent: there is no such module.
    """
    known = [module.name for module in read.modules(bundle.tree)]
    if unknown := sorted(set(names) - set(known)):
        raise Permanent(f"no module {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = {CORE, *names}
    for name in names:
        chosen |= set(_NEEDS.get(name, ())) & set(known)
    return [name for name in known if name in chosen]


def wanted(
    bundle: Bundle,
    modules: Collection[str],
    values: Mapping[str, str],
    *,
    fit: Fit = AS_IT_IS,
) -> Wanted:
    """
    Give what these modules put into an org.

    Args:
        values: what is known of the org; the placeholders that the modules have are
            taken from it.
        fit: what this org can take.

    Raises:
        Permanent: a placeholder has no value.
        Unreadable: the package is not what its names say.
    """
    tree = cut(read.select(bundle.tree, modules), fit)
    needed = {each.name for each in placeholders.declared(tree)}
    given = {name: value for name, value in values.items() if name in needed}
    files = archive.files(placeholders.fill(tree, given))
    declared = [bundle.patches[name] for name in modules if name in bundle.patches]
    return Wanted(files, patches.read_patches(*declared))
