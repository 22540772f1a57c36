"""The linter: what is wrong with an SFDX project, before an org says so.

Every check is a function of the project's files and yields findings; nothing that
stands in a file makes it raise. ``checks.lint`` runs them all, ``rules`` says what
each rule means, and ``stated`` what a project may state about itself.
"""
