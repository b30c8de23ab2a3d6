"""The benchmark of alerts leaves out minutes in which nothing can begin: it finds the same pages."""

from bench.alert_quality import detectors, noteworthy, pages
from bench.alert_queue import ABANDONMENT, WEEK_MINUTES, M, streams
from kpis.dips.episodes import transitions


def test_pages_are_those_of_every_minute() -> None:
    _, series, _ = streams(5, ABANDONMENT, 60, 1, 0.25)
    for name in ("fast", "static"):
        detector, timing = detectors(ABANDONMENT)[name]
        found = pages(detector, timing, series, 1, noteworthy(detector, series, 1))
        span = 0, WEEK_MINUTES * M
        all_of_them = [change for _, change in transitions([series], span, M, detector, timing) if change]
        begins = [change.at // M for change in all_of_them if change.to == "firing"]
        ends = [change.at // M for change in all_of_them if change.to in ("resolved", "expired")]
        assert [begin for begin, _ in found] == begins[: len(ends)]
        assert [end for _, end in found] == ends
        assert len(ends) > 1
