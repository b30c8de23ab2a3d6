"""What one answer adds to the KPIs of surveys (docs/facts.md 7)."""

from functools import cache

from kpis.facts import SurveyFact

# Parts of a whole scale. The length of every usual one divides it, of percentages and of points with decimals
# as well, so that sums over scales are exact.
SHARES = 1_260_000
MILLI = 1_000
CSAT_SCALES = {(1, 5): "csat", (1, 7): "csat_1_7", (1, 10): "csat_1_10"}
CES_SCALES = {(1, 7): "ces", (1, 5): "ces_1_5"}
SURVEY_MEASURES = (
    *(f"{name}_{part}" for name in CSAT_SCALES.values() for part in ("n", "sum", "milli", "positive")),
    "csat_any_n",
    "csat_any_share",
    "csat_any_top2",
    "csat_any_positive",
    "nps_n",
    "nps_promoters",
    "nps_detractors",
    *(
        f"{name}_{part}"
        for name in CES_SCALES.values()
        for part in ("n", "sum", "milli", "positive", "easy", "hard")
    ),
    "aes_n",
    "aes_sum",
    "aes_milli",
    "survey_fcr_n",
    "survey_fcr_yes",
    "surveys_late",
)


@cache
def step(low: int, high: int) -> int:
    """How many units of the scale one point is: more than 1 where scores have decimals, or are percentages.

    6.5 of 0 to 10 is kept as 65 of 0 to 100 (schemas/scores.py). A scale that begins at 0 is told from one of
    so many answers only where it is one that is asked: 0 to 10, or the five stars.
    """
    for units in (1_000, 100, 10):
        from_one = low == units and high % units == 0
        if from_one or (low == 0 and high in (10 * units, 5 * units)):
            return units
    return 1


def aligned(fact: SurveyFact) -> int:
    """The score as if high were good: a scale on which low is good is reversed."""
    return fact.score if fact.higher_is_better else fact.scale_min + fact.scale_max - fact.score


def positives(low: int, high: int) -> int:
    """How many of the answers of a scale are satisfied ones, as vendors of surveys count them."""
    answers = high - low + 1
    if answers <= 3:
        return 1
    return 2 if answers < 10 else answers * 3 // 10


def survey_measures(fact: SurveyFact) -> dict[str, int]:
    """Measures of an answer, by name; those that are not named are 0."""
    if fact.late:
        return {"surveys_late": 1}
    units = step(fact.scale_min, fact.scale_max)
    scale, score = (fact.scale_min // units, fact.scale_max // units), aligned(fact)
    by_customer = fact.respondent == "customer"
    if fact.kind == "csat" and by_customer:
        return csat(fact, scale, score, units)
    if fact.kind == "ces" and by_customer and scale in CES_SCALES:
        return ces(CES_SCALES[scale], scale, score, units)
    if fact.kind == "nps" and by_customer and scale == (0, 10):
        whole = score // units
        return {"nps_n": 1, "nps_promoters": int(whole >= 9), "nps_detractors": int(whole <= 6)}
    if fact.kind == "fcr" and by_customer:
        return {"survey_fcr_n": 1, "survey_fcr_yes": int(score == fact.scale_max)}
    if fact.kind == "aes" and not by_customer and scale == (1, 5):
        return {"aes_n": 1} | points("aes", fact.score, units)
    return {}


def points(name: str, score: int, units: int) -> dict[str, int]:
    """A score as whole points and thousandths of one."""
    whole, rest = divmod(score, units)
    return {f"{name}_sum": whole, f"{name}_milli": rest * MILLI // units}


def csat(fact: SurveyFact, scale: tuple[int, int], score: int, units: int) -> dict[str, int]:
    """Satisfaction: on its own scale where that is a common one, and relative to it on any."""
    low, high = scale
    whole = score // units
    positive = int(whole > high - positives(low, high))
    measures = {
        "csat_any_n": 1,
        "csat_any_share": SHARES * (score - fact.scale_min) // (fact.scale_max - fact.scale_min),
        "csat_any_top2": int(whole >= high - 1),
        "csat_any_positive": positive,
    }
    if scale in CSAT_SCALES:
        name = CSAT_SCALES[scale]
        measures |= {f"{name}_n": 1, f"{name}_positive": positive} | points(name, score, units)
    return measures


def ces(name: str, scale: tuple[int, int], score: int, units: int) -> dict[str, int]:
    """Effort: the sum, and where the score stands on the scale."""
    low, high = scale
    whole = score // units
    return points(name, score, units) | {
        f"{name}_n": 1,
        f"{name}_positive": int(whole >= high - 2),
        f"{name}_easy": int(whole >= high - 1),
        f"{name}_hard": int(whole <= low + 2),
    }
