"""KPIs of surveys (docs/facts.md 7): each on the scale its number is about, never a mean of two scales."""

from dataclasses import replace
from typing import Any

from kpis.catalogue.kpi import SPEC, Kpi
from kpis.tallies.surveys import SHARES


def mean(name: str) -> dict[str, Any]:
    """The mean score of a scale: whole points and thousandths, where scores have decimals."""
    return {
        "num": {f"{name}_sum": 1_000, f"{name}_milli": 1},
        "den": {f"{name}_n": 1_000},
        "n": f"{name}_n",
        "table": "surveys",
        "parts": 1_000,
    }


LATE = Kpi("surveys_late", "Surveys too late", "count", "survey", "ended",
        "Answers that came too long after the contact's end; they count nowhere else.", SPEC,
        {"surveys_late": 1}, table="surveys")  # fmt: skip

ANSWERED = (
    Kpi("csat", "Customer satisfaction", "points", "survey", "ended", "Mean score on the scale 1 to 5.",
        "Kicue CSAT guide", **mean("csat")),
    Kpi("csat_t2b", "Customer satisfaction, top 2 box", "ratio", "survey", "ended",
        "Scores 4 and 5 on the scale 1 to 5.", "Kicue CSAT guide",
        {"csat_positive": 1}, {"csat_n": 1}, table="surveys"),
    Kpi("nps", "Net promoter score", "points", "survey", "ended",
        "Percent of promoters (9, 10) minus percent of detractors (0 to 6) on the scale 0 to 10.",
        "Retently NPS guide", {"nps_promoters": 100, "nps_detractors": -100}, {"nps_n": 1}, table="surveys"),
    Kpi("ces", "Customer effort score", "points", "survey", "ended",
        "Mean score on the scale 1 to 7, high is easy; a scale on which low is easy is reversed.",
        "Zonka CES guide", **mean("ces")),
    Kpi("ces_t2b", "Customer effort score, positive", "ratio", "survey", "ended",
        "Scores of 5 to 7 on the scale 1 to 7.", "Zonka CES guide",
        {"ces_positive": 1}, {"ces_n": 1}, table="surveys"),
    Kpi("survey_fcr", "First contact resolution by survey", "ratio", "survey", "ended",
        "Customers who say their issue was solved at once, of those who answered.", "SQM Group",
        {"survey_fcr_yes": 1}, {"survey_fcr_n": 1}, table="surveys"),
    Kpi("csat.normalised", "Customer satisfaction, any scale", "ratio", "survey", "ended",
        "Mean of (score - lowest) / (highest - lowest) over all scales.", SPEC,
        {"csat_any_share": 1}, {"csat_any_n": SHARES}, table="surveys", n="csat_any_n", variant_of="csat"),
    Kpi("csat_t2b.any", "Customer satisfaction, satisfied, any scale", "ratio", "survey", "ended",
        "Satisfied answers over all scales: the highest of two or three answers, the two highest of four to nine, "
        "the highest three of every ten.", "Zendesk, Formbricks",
        {"csat_any_positive": 1}, {"csat_any_n": 1}, table="surveys", variant_of="csat_t2b"),
    Kpi("csat_t2b.two_highest", "Customer satisfaction, two highest, any scale", "ratio", "survey", "ended",
        "The two highest scores of the scale, whatever its length, over all scales.", SPEC,
        {"csat_any_top2": 1}, {"csat_any_n": 1}, table="surveys", variant_of="csat_t2b"),
    Kpi("ces.index", "Customer effort index", "points", "survey", "ended",
        "Percent of 6 and 7 minus percent of 1 to 3 on the scale 1 to 7.", "CYS 7-point index",
        {"ces_easy": 100, "ces_hard": -100}, {"ces_n": 1}, table="surveys", variant_of="ces"),
    Kpi("ces.s1_5", "Customer effort score, 1 to 5", "points", "survey", "ended",
        "Mean score on the scale 1 to 5 (the first version), high is easy.", "CustomerGauge CES",
        **mean("ces_1_5"), variant_of="ces"),
    *(Kpi(f"csat.s1_{top}", f"Customer satisfaction, 1 to {top}", "points", "survey", "ended",
        f"Mean score on the scale 1 to {top}.", SPEC, **mean(f"csat_1_{top}"),
        variant_of="csat") for top in (7, 10)),
    Kpi("csat_t2b.s1_7", "Customer satisfaction, top 2 box, 1 to 7", "ratio", "survey", "ended",
        "The two highest scores on the scale 1 to 7.", SPEC,
        {"csat_1_7_positive": 1}, {"csat_1_7_n": 1}, table="surveys", variant_of="csat_t2b"),
    Kpi("csat_t2b.s1_10", "Customer satisfaction, top 3 of 10", "ratio", "survey", "ended",
        "Scores of 8 to 10 on the scale 1 to 10.", "Formbricks",
        {"csat_1_10_positive": 1}, {"csat_1_10_n": 1}, table="surveys", variant_of="csat_t2b"),
)  # fmt: skip

AES = Kpi("aes", "Agent effort score", "points", "survey", "responded",
        "Mean score agents give on the scale 1 (very easy) to 5 (very difficult).", "UJET agent effort score",
        **mean("aes"))  # fmt: skip


def by_response(kpi: Kpi) -> Kpi:
    """The KPI by the time of the answer, not of the contact's end."""
    return replace(
        kpi,
        id=f"{kpi.id}.by_response",
        name=f"{kpi.name}, by response",
        booked="responded",
        source="Redo analytics",
        variant_of=kpi.id,
    )


SURVEYS = (*ANSWERED, AES, LATE, *(by_response(kpi) for kpi in ANSWERED if not kpi.variant_of))
