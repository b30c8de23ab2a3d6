"""Rows made become what readers read, and back. A crash in between is mended by doing it again."""

from dataclasses import replace
from typing import Any

from clickhouse_connect.driver.client import Client

from maintenance.rebuild import ledger
from maintenance.rebuild.fence import Fence
from maintenance.rebuild.ledger import SWAPPED, SWAPPING, UNDOING, UNDONE, Rebuild
from maintenance.rebuild.shadow import UNDO, Shadow


def shadow_of(client: Client, rebuild: Rebuild, settings: dict[str, int | str] | None = None) -> Shadow:
    """The tables of a rebuild that was made."""
    return Shadow(client, rebuild, {}, settings or {})


def put_in_place(client: Client, rebuild: Rebuild, summary: dict[str, Any]) -> Rebuild:
    """Swap. Each table changes in one moment, facts before windows."""
    swapping = ledger.write(client, replace(rebuild, summary=summary), SWAPPING)
    shadow_of(client, swapping).put_in_place()
    return ledger.write(client, swapping, SWAPPED)


def take_back(client: Client, rebuild: Rebuild, fence: Fence) -> tuple[Rebuild, dict[str, int]]:
    """What stood before stands again, but for what the stream has moved since; rows by table."""
    made = shadow_of(client, rebuild).undo(fence.versions)
    undoing = ledger.write(client, rebuild, UNDOING)
    shadow_of(client, undoing).put_in_place(UNDO)
    return ledger.write(client, undoing, UNDONE), made


def finish(client: Client) -> list[Rebuild]:
    """Go on with what was cut short while it was put in place or taken back."""
    done = []
    for rebuild, _ in ledger.listed(client):
        if rebuild.state == SWAPPING:
            shadow_of(client, rebuild).put_in_place()
            done.append(ledger.write(client, rebuild, SWAPPED))
        elif rebuild.state == UNDOING:
            shadow_of(client, rebuild).put_in_place(UNDO)
            done.append(ledger.write(client, rebuild, UNDONE))
    return done
