"""The smallest proof that all parts work together: contacts in, rows out."""

from support.notation import read_events
from support.stack import Stack, background, run_ringback, wait_until

from adapters.sending.producer import EventSender
from schemas.events import ContactEvent

CONTACTS = 20
CALL = "s, q@10(A), a@25, h@60, r@90, res@325, w@340"


def contacts() -> list[list[ContactEvent]]:
    """Twenty times the same call, under other names."""
    found = []
    for number in range(CONTACTS):
        name = f"smoke-{number}"
        events = read_events(CALL, contact_id=name)
        found.append([event.model_copy(update={"event_id": f"{name}-{event.event_id}"}) for event in events])
    return found


async def send(stack: Stack, events: list[ContactEvent]) -> None:
    async with EventSender(stack.bootstrap_servers, timeout_s=30) as sender:
        for event in events:
            await sender.send(event)


async def test_contacts_arrive_in_clickhouse(stack: Stack) -> None:
    events = [event for contact in contacts() for event in contact]
    env = stack.env()
    with background(env, "worker") as worker, background(stack.env(), "sink") as sink:
        await send(stack, events)
        expected = {"events": len(events), "contacts": CONTACTS, "legs": CONTACTS}
        for table, count in expected.items():
            sql = f"SELECT count() FROM {table} FINAL"
            wait_until(lambda sql=sql, count=count: stack.value(sql) == count, f"{table}: not {count} rows")
        answered = "SELECT sum(answered) FROM kpi_windows FINAL"
        wait_until(lambda: stack.value(answered) == CONTACTS, "kpi_windows: not every call is counted")
        assert worker.process.alive()
        assert sink.process.alive()
    assert stack.value("SELECT count() FROM dead_letters") == 0
    assert "Traceback" not in worker.log() + sink.log()


async def test_a_killed_worker_is_replaced_without_double_counting(stack: Stack) -> None:
    """The same contacts once more, to a worker that dies: nothing moves but what is new."""
    again = [event for contact in contacts() for event in contact]
    more = [
        event.model_copy(update={"contact_id": "later-" + event.contact_id, "event_id": "l" + event.event_id})
        for event in again
    ]
    answered = "SELECT sum(answered) FROM kpi_windows FINAL"
    with background(stack.env(), "sink"):
        with background(stack.env(), "worker") as worker:
            await send(stack, again + more[: len(more) // 2])
            worker.process.kill()
            assert not worker.process.alive()
        with background(stack.env(), "worker"):
            await send(stack, more)
            wait_until(
                lambda: stack.value(answered) == 2 * CONTACTS, "kpi_windows: not every call is counted once"
            )


def test_a_command_reports_wrong_use(stack: Stack) -> None:
    ended = run_ringback(stack.env(RINGBACK_TIMEZONE="Nowhere/Land"), "worker")
    assert ended.returncode == 2
    assert "RINGBACK_TIMEZONE" in ended.stderr
