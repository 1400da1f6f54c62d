"""Names of physical quantities end in their unit.

The rule reads every name that holds real numbers by its annotation (a field, a parameter, an
annotated variable, a property): where the name speaks of a quantity (`power`, `energy`, `price`,
…), a unit follows that word, and qualifiers follow the unit: `power_kw_max`,
`energy_kwh_at_arrival`, `import_price_per_kwh`. Names that hold whole numbers, text or objects are
not judged: `charge: slice` is a place in a matrix, not a charge.
"""

import ast
import re
from collections.abc import Iterator

from tests.house import source

QUANTITIES = {
    *("power", "load", "solar", "peak", "limit", "irradiance", "import", "export"),
    *("energy", "capacity", "charge", "discharge", "shortfall"),
    *("price", "tariff", "cost", "wear"),
    *("duration", "timeout", "temperature", "voltage"),
}
# Money needs no unit where the currency is data: `cost` and `wear` alone are amounts of it.
MONEY = {"cost", "wear"}
UNITS = {
    *("w", "kw", "mw", "wh", "kwh", "mwh", "v", "pu", "hz", "a", "ah", "c", "k", "m2"),
    *("us", "ms", "s", "minutes", "h", "hours", "days", "months", "years"),
    *("minute", "hour", "day", "month", "year"),
}
DIMENSIONLESS = {
    *("efficiency", "fraction", "share", "ratio", "factor", "soc", "probability", "weight"),
    *("quantile", "quantiles", "steps", "count", "level", "score"),
}
QUALIFIERS_IN_FRONT = {"max", "min", "maximum", "minimum"}
WHOLE_NUMBERS = {"duration", "timeout"}

REAL = re.compile(r"\b(float|float64|floating|Decimal|\w*Float\w*)\b")
WHOLE = re.compile(r"\bint\b")

Named = tuple[int, str, str]


def fault(identifier: str, annotation: str) -> str | None:
    """What is wrong with a name of that annotation; None where nothing is."""
    words = identifier.lower().strip("_").split("_")
    quantities = [i for i, word in enumerate(words) if word in QUANTITIES]
    if not quantities or "Callable" in annotation:
        return None
    speaks_of_whole = WHOLE.search(annotation) and WHOLE_NUMBERS.intersection(words)
    if not REAL.search(annotation) and not speaks_of_whole:
        return None
    first = quantities[0]
    if words[0] in QUALIFIERS_IN_FRONT:
        return f"{identifier}: qualifiers follow the unit, as in power_kw_max"
    if "percent" in words or "percentage" in words or "pct" in words:
        return f"{identifier}: inside, a share is a fraction from 0 to 1"
    rest = words[first + 1 :]
    if "per" in rest or DIMENSIONLESS.intersection(words) or UNITS.intersection(rest):
        return None
    if MONEY.intersection(words):
        return None
    return f"{identifier}: '{words[first]}' is a quantity, so its unit follows, as in power_kw_max"


def names(module: ast.Module) -> Iterator[Named]:
    """Every annotated name of a module: line, identifier, annotation."""
    for node in ast.walk(module):
        if isinstance(node, ast.AnnAssign):
            target = node.target
            if isinstance(target, ast.Name):
                yield node.lineno, target.id, ast.unparse(node.annotation)
            elif isinstance(target, ast.Attribute):
                yield node.lineno, target.attr, ast.unparse(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _parameters(node)
            if node.returns is not None and _is_property(node):
                yield node.lineno, node.name, ast.unparse(node.returns)


def _parameters(function: source.Function) -> Iterator[Named]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for argument in every:
        if argument.annotation is not None:
            yield argument.lineno, argument.arg, ast.unparse(argument.annotation)


def _is_property(function: source.Function) -> bool:
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    return bool(decorators & {"property", "cached_property", "functools.cached_property"})
