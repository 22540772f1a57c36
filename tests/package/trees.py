"""Small file trees, written by hand after the forms that Salesforce describes."""

import json

MD = "http://soap.sforce.com/2006/04/metadata"


def document(kind: str, body: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<{kind} xmlns="{MD}">{body}</{kind}>\n'.encode()


def field(name: str, **elements: str) -> bytes:
    inner = "".join(f"<{tag}>{text}</{tag}>" for tag, text in elements.items())
    return document("CustomField", f"<fullName>{name}</fullName>{inner}")


def tree(files: dict[str, bytes], *, modules=("core",), **project) -> dict[str, bytes]:
    """Give a project with these files, each below ``<module>/main/default``."""
    content = {
        "packageDirectories": [{"path": module} for module in modules],
        "sourceApiVersion": "62.0",
        **project,
    }
    placed = {}
    for path, data in files.items():
        module, _, rest = path.partition(":")
        placed[f"{module}/main/default/{rest}"] = data
    return {"sfdx-project.json": json.dumps(content).encode(), **placed}
