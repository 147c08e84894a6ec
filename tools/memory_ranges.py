"""The 90% ranges of memory predictions, from how far measured runs were missed; used by fit-memory.py.

A range is the prediction times or divided by exp(width), width = scale x factors:

- The scale of a class of runs is how far nine in ten of its rows were missed, averaged over what it is made of (the
  sources of a measure or a framework, the models of a source) and drawn towards the class above by as much as PRIOR more
  of these would: all rows, a measure, a framework, a source, a kind of run in a source. A run whose source was not
  measured has its framework's.
- Two factors, of runs whose source was measured and of those whose source was not, are quantiles of miss / scale: the first
  of rows whose model was left out of the scales (and whose source has another), the second of rows whose source was left
  out, every source counting the same. The quantile is 0.9 (1 + 1/n) of n models or sources, as one more is to be held
  (split conformal prediction, Vovk et al. 2005, by groups).

PRIOR and KIND_PRIOR have the least pinball score of ln miss with models left out; from a quarter to four times as much, it
is at most 2% worse, and other regimes lie outside 85 to 95% by a row or two.

There is no factor for a regime (experts, a device generation, a precision ...): fitted ones, by steps or by a penalized
quantile regression, held fewer rows of models left out the more freely they could move.

A row that repeats another (same source, model, measure, measured and predicted bytes) counts once, here and in coverage.
Rows are dicts of `floptally evidence --json`, with `source`, `model`, `framework`, `measure`, `kind`, `regimes`.
"""
import math

COVERAGE, LOWEST, HIGHEST = 0.90, 0.85, 0.95
PRIOR, KIND_PRIOR = 1, 4
BORDER = 1e-4  # a row that lies on the end of its range is inside: the program reads scales and factors of five digits
LEAST = 0.001  # no class is known better than to a part in a thousand
MANY = 30  # rows of a regime that is held to a coverage
UNSEEN = "unseen source"
SEPARATOR = "\t"
SOURCE = 3  # the first class of a chain that is of one source


def source_of(row):
    if "of source" not in row:
        row["of source"] = row["source"].split("@")[0].strip()
    return row["of source"]


def model_of(row):
    return source_of(row), row["model"]


def chain(row):
    """The classes of a row, widest first: source, framework, measure and kind of each, as one text."""
    if "chain" not in row:
        source, framework, measure = source_of(row), row["framework"], row["measure"]
        row["chain"] = tuple(map(SEPARATOR.join, (("any", "any", "any", "any"), ("any", "any", measure, "any"),
                                                  ("any", framework, measure, "any"), (source, framework, measure, "any"),
                                                  (source, framework, measure, row["kind"]))))
    return row["chain"]


def steps(row):
    """Each class of a row with what its scale is averaged over: sources, then models."""
    if "steps" not in row:
        source, model = source_of(row), row["model"]
        row["steps"] = [(key, source if i < SOURCE else model) for i, key in enumerate(chain(row))]
    return row["steps"]


def logarithm(miss):
    return math.log(max(1e-5, miss))


def nine_in_ten(part):
    return quantile([m for _, m in part], 0.9)


def average(parts):
    """How many, and ln of their mean."""
    return len(parts), math.log(max(LEAST, sum(parts) / len(parts)))


class Scales:
    """The scale of every class; `miss` holds |ln(measured / predicted)| row by row."""

    def __init__(self, rows, miss):
        self.members = {}  # by class, then by what its scale is averaged over
        for row, m in zip(rows, miss):
            for key, part in steps(row):
                self.members.setdefault(key, {}).setdefault(part, []).append((id(row), m))
        self.parts = {key: {name: nine_in_ten(part) for name, part in parts.items()} for key, parts in self.members.items()}
        self.typical = {key: average(parts.values()) for key, parts in self.parts.items()}

    def without(self, left_out):
        """The averages that change where rows are left out, None for a class that is gone."""
        same, touched, out = {id(row) for row in left_out}, {}, {}
        for row in left_out:
            for key, part in steps(row):
                touched.setdefault(key, set()).add(part)
        for key, names in touched.items():
            parts = {name: value for name, value in self.parts[key].items() if name not in names}
            for name in names:
                rest = [pair for pair in self.members[key][name] if pair[0] not in same]
                if rest:
                    parts[name] = nine_in_ten(rest)
            out[key] = average(parts.values()) if parts else None
        return out

    def along(self, classes, changed=None):
        """ln of the scale of the last of `classes` that is known."""
        value = None
        for i, key in enumerate(classes):
            found = changed[key] if changed and key in changed else self.typical.get(key)
            if found is None:
                continue
            count, mean = found
            prior = KIND_PRIOR if i > SOURCE else PRIOR
            value = mean if value is None else (count * mean + prior * value) / (count + prior)
        return value

    def of(self, row, changed=None):
        """ln of the scale of a row's narrowest class."""
        return self.along(chain(row), changed)

    def knows_source(self, row, changed=None):
        key = chain(row)[SOURCE]
        return key in self.typical and not (changed and key in changed and changed[key] is None)


def grouped(rows, group_of):
    out = {}
    for row in rows:
        out.setdefault(group_of(row), []).append(row)
    return out


def regimes_of(rows, least=MANY):
    """Regimes of thirty rows, repeated ones among them."""
    counts = {}
    for row in rows:
        for name in row["regimes"]:
            counts[name] = counts.get(name, 0) + row["times"]
    return sorted(name for name, count in counts.items() if count >= least)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def weighted_quantile(pairs, share):
    """Of (value, weight): the least value with so much of the weight at it or below."""
    left = share * sum(weight for _, weight in pairs)
    for value, weight in sorted(pairs):
        left -= weight
        if left <= 0:
            return value
    return 0.0


def distinct(rows):
    """The first of every row that is the same measurement, and how many there are of it."""
    out = {}
    for row in rows:
        first = out.setdefault((source_of(row), row["model"], row["measure"], row["measured"], row["predicted"]), row)
        first["times"] = first.get("times", 0) + 1
    return list(out.values())


class Ranges:
    """`fit(rows)` gives the constants of a prediction, `miss_of(row, constants)` how far it misses that row."""

    def __init__(self, rows, fit, miss_of):
        self.miss_of = miss_of
        self.constants = fit(rows)
        miss = [miss_of(row, self.constants) for row in rows]
        self.scales = Scales(rows, miss)
        by_model, models = self.left_out(rows, None, model_of), grouped(rows, model_of)
        by_source, sources = self.left_out(rows, fit, source_of), grouped(rows, source_of)
        known = [z for z, is_known in by_model.values() if is_known]
        one_each = [(by_source[id(row)][0], 1 / len(part)) for part in sources.values() for row in part]
        self.factors = {
            "any": quantile(known, COVERAGE * (1 + 1 / len(models))),
            UNSEEN: weighted_quantile(one_each, COVERAGE * (1 + 1 / len(sources))),
        }

    def left_out(self, rows, fit, group_of):
        """ln(miss / scale) of every row, its group left out, and whether its source is still known. Constants are made
        anew where `fit` is given: a source moves them, a model hardly."""
        out = {}
        for group, part in grouped(rows, group_of).items():
            same = {id(row) for row in part}
            constants, scales, changed = self.constants, self.scales, None
            if fit and any(map(fit.looks_at, part)):
                rest = [row for row in rows if id(row) not in same]
                constants = fit(rest)
            if constants == self.constants:
                changed = scales.without(part)
            else:
                scales = Scales(rest, [self.miss_of(row, constants) for row in rest])
            for row in part:
                z = logarithm(self.miss_of(row, constants)) - scales.of(row, changed)
                out[id(row)] = z, scales.knows_source(row, changed)
        return out

    def width(self, row):
        """Half the range, in logarithms."""
        return math.exp(self.scales.of(row) + self.factors["any" if self.scales.knows_source(row) else UNSEEN])

    def holds(self, row):
        return self.miss_of(row, self.constants) <= self.width(row) * math.exp(BORDER)
