"""The 90% ranges of memory predictions, from how far measured runs were missed; used by fit-memory.py.

A range is the prediction times or divided by exp(width), width = scale x factors:

- The scale of a class of runs is how far nine in ten of its rows were missed, averaged over what it is made of (the
  sources of a measure or a framework, the models of a source) and drawn towards the class above by as much as PRIOR more
  of these would: all rows, a measure, a framework, a source, a kind of run in a source. A run whose source was not
  measured has its framework's.
- One factor for all makes the ranges hold rows whose model was left out (SEEN of them), another, for sources that were
  not measured, 90% of the rows whose source was left out, and 85% in every regime.
- A regime of thirty rows or more has a factor of its own where it needs one: narrower by steps while more than 95% of its
  rows lie inside, wider while fewer than 86% do with their model left out.

Rows are dicts of `floptally evidence --json`, with `source`, `model`, `framework`, `measure`, `kind`, `regimes`.
"""
import math

COVERAGE, LOWEST, HIGHEST = 0.90, 0.85, 0.95
SEEN, MARGIN = 0.91, 0.01  # the regimes' factors take back what is too much; what a regime of 30 rows must keep to them
PRIOR, KIND_PRIOR = 1, 4
STEP, STEPS = 0.02, 100
BORDER = 1e-4  # a row that lies on the end of its range is inside: the program reads scales and factors of five digits
LEAST = 0.001  # no class is known better than to a part in a thousand
MANY = 30  # rows of a regime that is held to a coverage
UNSEEN = "unseen source"
SOURCE = 3  # the first class of a chain that is of one source


def source_of(row):
    if "of source" not in row:
        row["of source"] = row["source"].split("@")[0].strip()
    return row["of source"]


def model_of(row):
    return source_of(row), row["model"]


def chain(row):
    """The classes of a row, widest first."""
    if "chain" not in row:
        source, framework, measure = source_of(row), row["framework"], row["measure"]
        row["chain"] = (("any", "any", "any", "any"), ("any", "any", measure, "any"), ("any", framework, measure, "any"),
                        (source, framework, measure, "any"), (source, framework, measure, row["kind"]))
    return row["chain"]


def part_of(key, row):
    """What a class's scale is averaged over."""
    return source_of(row) if key[0] == "any" else row["model"]


def logarithm(miss):
    return math.log(max(1e-5, miss))


def nine_in_ten(part):
    return quantile((m for _, m in part), 0.9)


def average(parts):
    """How many, and ln of their mean."""
    return len(parts), math.log(max(LEAST, sum(parts) / len(parts)))


class Scales:
    """The scale of every class; `miss` holds |ln(measured / predicted)| row by row."""

    def __init__(self, rows, miss):
        self.members = {}  # by class, then by what its scale is averaged over
        for row, m in zip(rows, miss):
            for key in chain(row):
                self.members.setdefault(key, {}).setdefault(part_of(key, row), []).append((id(row), m))
        self.parts = {key: {name: nine_in_ten(part) for name, part in parts.items()} for key, parts in self.members.items()}
        self.typical = {key: average(parts.values()) for key, parts in self.parts.items()}

    def without(self, left_out):
        """The averages that change where rows are left out, None for a class that is gone."""
        same, touched, out = {id(row) for row in left_out}, {}, {}
        for row in left_out:
            for key in chain(row):
                touched.setdefault(key, set()).add(part_of(key, row))
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
        for key in classes:
            found = changed[key] if changed and key in changed else self.typical.get(key)
            if found is None:
                continue
            count, mean = found
            prior = KIND_PRIOR if key[3] != "any" else PRIOR
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
    counts = {}
    for row in rows:
        for name in row["regimes"]:
            counts[name] = counts.get(name, 0) + 1
    return sorted(name for name, count in counts.items() if count >= least)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def share(beyond):
    """Of scores, those inside the range; none: as many as there should be."""
    return sum(z <= BORDER for z in beyond) / len(beyond) if beyond else COVERAGE


class Ranges:
    """`fit(rows)` gives the constants of a prediction, `miss_of(row, constants)` how far it misses that row."""

    def __init__(self, rows, fit, miss_of):
        self.miss_of = miss_of
        self.constants = fit(rows)
        miss = [miss_of(row, self.constants) for row in rows]
        self.scales = Scales(rows, miss)
        inside = {id(row): logarithm(m) - self.scales.of(row) for row, m in zip(rows, miss)}
        by_model = self.left_out(rows, fit, model_of)
        by_source = self.left_out(rows, fit, source_of)
        of_known = {key: z for key, (z, known) in by_model.items() if known}
        self.factors = {"any": quantile(of_known.values() or [0.0], SEEN)}
        self.balance(rows, inside, of_known)
        self.factors[UNSEEN] = self.unseen(rows, {id(row): by_source[id(row)][0] - self.factor(row) for row in rows})

    def left_out(self, rows, fit, group_of):
        """ln(miss / scale) of every row, its group left out of both, and whether its source is still known. Allocated
        memory has no fitted constant."""
        out = {}
        for group, part in grouped(rows, group_of).items():
            same = {id(row) for row in part}
            constants, scales, changed = self.constants, self.scales, None
            if any(row["measure"] != "allocated" for row in part):
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

    def balance(self, rows, inside, left_out):
        """The regimes' factors, by steps: first what rows need that were left out, then what all rows allow."""
        members = {name: [id(row) for row in rows if name in row["regimes"]] for name in regimes_of(rows)}
        beyond = [{key: z - self.factors["any"] for key, z in scores.items()} for scores in (inside, left_out)]
        for turn in range(2 * STEPS):
            moved = False
            for name, keys in members.items():
                seen, left = (share([scores[key] for key in keys if key in scores]) for scores in beyond)
                wanting = turn < STEPS and left < LOWEST + MARGIN and seen <= HIGHEST - 1 / len(keys)
                step = STEP if seen < LOWEST + MARGIN or wanting else -STEP if seen > HIGHEST else 0.0
                if step:
                    moved = True
                    self.factors[name] = self.factors.get(name, 0.0) + step
                    for scores in beyond:
                        for key in keys:
                            if key in scores:
                                scores[key] -= step
            if not moved:
                return

    @staticmethod
    def unseen(rows, beyond):
        """The least factor with which 90% of all rows, and 85% in every regime, lie inside with their source left out."""
        regimes = [[beyond[id(row)] for row in rows if name in row["regimes"]] for name in regimes_of(rows)]
        return max([quantile(beyond.values(), COVERAGE)] + [quantile(r, LOWEST) for r in regimes])

    def factor(self, row):
        return sum(self.factors.get(name, 0.0) for name in ("any", *row["regimes"]))

    def width(self, row):
        """Half the range, in logarithms."""
        unseen = 0.0 if self.scales.knows_source(row) else self.factors[UNSEEN]
        return math.exp(self.scales.of(row) + self.factor(row) + unseen)

    def holds(self, row):
        return self.miss_of(row, self.constants) <= self.width(row) * math.exp(BORDER)
