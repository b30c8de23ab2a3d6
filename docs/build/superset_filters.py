"""What a viewer of a Superset dashboard chooses: a range of days, and queues or teams."""

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]
# Whoever opens a dashboard asks ClickHouse for this much, not for all that is stored.
RANGE = "Last month"


def chosen(name: str, kind: str, target: Document, controls: Document, state: Document) -> Document:
    """A filter over the whole dashboard; charts whose dataset has no such column leave it."""
    return {
        "id": f"NATIVE_FILTER-{name.lower()}",
        "name": name,
        "description": "",
        "type": "NATIVE_FILTER",
        "filterType": kind,
        "targets": [target],
        "controlValues": {"enableEmptyFilter": False, **controls},
        "defaultDataMask": state,
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
    }


def time_filter(range_: str = RANGE) -> Document:
    """Days from and to."""
    state = {"extraFormData": {"time_range": range_}, "filterState": {"value": range_}}
    return chosen("Time", "filter_time", {}, {}, state)


def value_filter(name: str, dataset_uuid: str) -> Document:
    """Any of a column's values; none is all."""
    target = {"datasetUuid": dataset_uuid, "column": {"name": name}}
    controls = {"multiSelect": True, "searchAllOptions": False, "inverseSelection": False}
    return chosen(name.title(), "filter_select", target, controls, {"extraFormData": {}, "filterState": {}})


def filters(columns: Sequence[tuple[str, str]]) -> list[Document]:
    """The filters of a dashboard: time, then columns of datasets by uuid."""
    return [time_filter(), *(value_filter(name, dataset) for name, dataset in columns)]
