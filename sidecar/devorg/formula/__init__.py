"""Salesforce formulas: flow entry conditions, flow formulas, validation rules.

``compile_formula`` reads and type-checks a text, as a deployment does; the
``Formula`` that it returns is run once per record.
"""

from sidecar.devorg.formula.compiler import Formula, Scope, compile_formula
from sidecar.devorg.formula.grammar import FormulaError
from sidecar.devorg.formula.values import Type, Value

__all__ = ["Formula", "FormulaError", "Scope", "Type", "Value", "compile_formula"]
