"""What one answer adds to the KPIs of surveys (docs/facts.md 7)."""

from kpis.facts import SurveyFact

MICRO = 1_000_000
CSAT_SCALES = {(1, 5): "csat", (1, 7): "csat_1_7", (1, 10): "csat_1_10"}
CES_SCALES = {(1, 7): "ces", (1, 5): "ces_1_5"}
SURVEY_MEASURES = (
    *(f"{name}_{part}" for name in CSAT_SCALES.values() for part in ("n", "sum", "top2")),
    "csat_any_n",
    "csat_any_micro",
    "csat_any_top2",
    "nps_n",
    "nps_promoters",
    "nps_detractors",
    *(f"{name}_{part}" for name in CES_SCALES.values() for part in ("n", "sum", "positive", "easy", "hard")),
    "aes_n",
    "aes_sum",
    "survey_fcr_n",
    "survey_fcr_yes",
    "surveys_late",
)


def aligned(fact: SurveyFact) -> int:
    """The score as if high were good: a scale on which low is good is reversed."""
    return fact.score if fact.higher_is_better else fact.scale_min + fact.scale_max - fact.score


def survey_measures(fact: SurveyFact) -> dict[str, int]:
    """Measures of an answer, by name; those that are not named are 0."""
    if fact.late:
        return {"surveys_late": 1}
    scale, score = (fact.scale_min, fact.scale_max), aligned(fact)
    by_customer = fact.respondent == "customer"
    if fact.kind == "csat" and by_customer:
        return csat(scale, score)
    if fact.kind == "ces" and by_customer and scale in CES_SCALES:
        return ces(CES_SCALES[scale], scale, score)
    if fact.kind == "nps" and by_customer and scale == (0, 10):
        return {"nps_n": 1, "nps_promoters": int(score >= 9), "nps_detractors": int(score <= 6)}
    if fact.kind == "fcr" and by_customer:
        return {"survey_fcr_n": 1, "survey_fcr_yes": int(score == fact.scale_max)}
    if fact.kind == "aes" and not by_customer and scale == (1, 5):
        return {"aes_n": 1, "aes_sum": fact.score}
    return {}


def csat(scale: tuple[int, int], score: int) -> dict[str, int]:
    """Satisfaction: on its own scale where that is a common one, and relative to it on any."""
    low, high = scale
    top2 = int(score >= high - 1)
    measures = {
        "csat_any_n": 1,
        "csat_any_micro": MICRO * (score - low) // (high - low),
        "csat_any_top2": top2,
    }
    if scale in CSAT_SCALES:
        name = CSAT_SCALES[scale]
        measures |= {f"{name}_n": 1, f"{name}_sum": score, f"{name}_top2": top2}
    return measures


def ces(name: str, scale: tuple[int, int], score: int) -> dict[str, int]:
    """Effort: the sum, and where the score stands on the scale."""
    low, high = scale
    return {
        f"{name}_n": 1,
        f"{name}_sum": score,
        f"{name}_positive": int(score >= high - 2),
        f"{name}_easy": int(score >= high - 1),
        f"{name}_hard": int(score <= low + 2),
    }
