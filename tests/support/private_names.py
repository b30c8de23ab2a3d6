"""Every private name of a library that Ringback touches, in one list.

tests/unit/test_private_names.py holds it against the installed libraries, and our code against it. After an
upgrade of a library that is named here: mend what fails, then widen the range in pyproject.toml and below.
"""

from dataclasses import dataclass

# What of it all was tested with, as pyproject.toml says it too: no minor version that was not.
RANGES = {
    "aiokafka": ">=0.14,<0.15",
    "faust-streaming": ">=0.15.3,<0.16",
    "mode-streaming": ">=0.7.1,<0.8",  # Faust's services; Faust itself takes any from 0.6 on
}
DISTRIBUTIONS = {"aiokafka": "aiokafka", "faust": "faust-streaming", "mode": "mode-streaming"}


@dataclass(frozen=True, slots=True)
class Name:
    """A private name. `shape`: of a method its parameters, of an attribute the line that makes it."""

    owner: str  # module:class
    name: str
    shape: str
    used_in: str
    why: str


@dataclass(frozen=True, slots=True)
class Reliance:
    """What the code behind a name must go on doing: these pieces of its source, in this order.

    `no_way_from`: from there to the last piece, or to its end if that is the last piece, nothing is awaited.
    """

    where: str  # module:class.method
    pieces: tuple[str, ...]
    used_in: str
    why: str
    no_way_from: str = ""


CONSUMER = "faust.transport.consumer:Consumer"
DRIVER = "faust.transport.drivers.aiokafka"
RECOVERY = "faust.tables.recovery:Recovery"
FETCHER = "aiokafka.consumer.fetcher"
PRODUCER = "aiokafka.producer.producer:AIOKafkaProducer"
SENDER = "aiokafka.producer.sender"
BATCHING, TABLES, CHANGELOG, FENCE = (
    "streams/engine/batching.py",
    "streams/engine/tables.py",
    "streams/state/changelog.py",
    "streams/kafka/fenced_writer.py",
)

# fmt: off
NAMES = (
    Name(CONSUMER, "_new_offset", "(self, tp)", BATCHING, "what to commit: the end of the last batch that was applied"),
    Name(CONSUMER, "_add_gap", "async (self, tp, offset_from, offset_to)", BATCHING, "offsets inside a batch are no gaps"),
    Name(CONSUMER, "_acked", "self._acked = defaultdict(list)", BATCHING, "ends of batches that were applied"),
    Name(CONSUMER, "_acked_index", "self._acked_index = defaultdict(set)", BATCHING, "the same as a set; emptied with it"),
    Name(CONSUMER, "_committed_offset", "self._committed_offset = defaultdict(lambda: None)", BATCHING, "where a partition goes on after a rebalance"),
    Name(CONSUMER, "_read_offset", "self._read_offset = defaultdict(lambda: None)", BATCHING, "Faust drops what is below it, and so batches that are fetched again"),
    Name(CONSUMER, "_unacked_messages", "self._unacked_messages = WeakSet()", BATCHING, "what a rebalance waits for; not for a batch that waits for the schema registry"),
    Name(CONSUMER, "_commit", "async (self, offsets)", BATCHING, "an offset before the committed one is committed where state or log have lost something"),
    Name(CONSUMER, "perform_seek", "async (self)", BATCHING, "afterwards the committed offsets are known"),
    Name(f"{DRIVER}:Consumer", "_new_consumer_thread", "(self)", BATCHING, "our thread instead of Faust's"),
    Name(f"{DRIVER}:AIOKafkaConsumerThread", "_create_worker_consumer", "(self, transport)", BATCHING, "the client of the worker's group, before it starts"),
    Name("aiokafka.consumer.consumer:AIOKafkaConsumer", "_fetch_max_wait_ms", "self._fetch_max_wait_ms = fetch_max_wait_ms", BATCHING, "Faust has no setting for how long a broker may hold a fetch"),
    Name("aiokafka.consumer.consumer:AIOKafkaConsumer", "_fetch_min_bytes", "self._fetch_min_bytes = fetch_min_bytes", BATCHING, "nor for how much it waits that long"),
    Name("aiokafka.consumer.consumer:AIOKafkaConsumer", "_isolation_level", "self._isolation_level = isolation_level", BATCHING, "Faust reads committed records only in transactions of its own"),
    Name("faust.assignor.partition_assignor:PartitionAssignor", "assign", "(self, cluster, member_metadata)", BATCHING, "topics that a restarted broker has not told of yet are assigned, too"),
    Name(RECOVERY, "_wait", "async (self, coro, timeout)", TABLES, "no limit of time: after one Faust would stop recovering"),
    Name(RECOVERY, "_build_highwaters", "async (self, consumer, tps, destination, title)", TABLES, "the moment to close changelogs to whoever had them"),
    Name(RECOVERY, "_seek_offsets", "async (self, consumer, tps, offsets, title)", TABLES, "the moment to read changelogs in bulk"),
    Name(RECOVERY, "_set_recovery_started", "(self)", TABLES, "its other task takes recovery for ended until highwaters are known"),
    Name(RECOVERY, "_verify_remaining", "async (self, now, stats)", TABLES, "would warn that nothing comes by Faust's own way"),
    Name("faust.tables.manager:TableManager", "_recovery", "_recovery: Optional[Recovery] = None", TABLES, "our recovery instead of Faust's"),
    Name("aiokafka.consumer.consumer:AIOKafkaConsumer", "_fetcher", "self._fetcher = Fetcher(", CHANGELOG, "holds what was fetched, and not handed on yet"),
    Name(f"{FETCHER}:Fetcher", "_records", "self._records = collections.OrderedDict()", CHANGELOG, "what was fetched, by partition; ours unpacks it by batch"),
    Name(f"{FETCHER}:FetchResult", "_partition_records", "self._partition_records = partition_records", CHANGELOG, "of one partition"),
    Name(f"{FETCHER}:PartitionRecords", "_records_iterator", "self._records_iterator = self._unpack_records()", CHANGELOG, "an object for each record; ours gives a dictionary for each batch"),
    Name(f"{FETCHER}:PartitionRecords", "_records", "self._records = records", CHANGELOG, "Kafka's record batches, not unpacked yet"),
    Name(f"{FETCHER}:PartitionRecords", "_tp", "self._tp = tp", CHANGELOG, "for the message of an error"),
    Name(PRODUCER, "_txn_manager", "self._txn_manager = TransactionManager(", FENCE, "gives the epoch; without its transactional id the producer writes no transactions"),
    Name("aiokafka.producer.transaction_manager:TransactionManager", "transactional_id", "self.transactional_id = transactional_id", FENCE, "a plain attribute, asked for each time"),
)
# fmt: on

ID_IS_ASKED_FOR = "a producer whose transactional id was taken away writes no transactions"
# fmt: off
RELIANCES = (
    Reliance("aiokafka.consumer.consumer:AIOKafkaConsumer.start", ("fetch_max_wait_ms=self._fetch_max_wait_ms",), BATCHING, "read when the client starts, so it can be set before"),
    Reliance("aiokafka.consumer.consumer:AIOKafkaConsumer.start", ("fetch_min_bytes=self._fetch_min_bytes",), BATCHING, "the same"),
    Reliance("aiokafka.consumer.consumer:AIOKafkaConsumer.start", ("isolation_level=self._isolation_level",), BATCHING, "the same"),
    Reliance(f"{CONSUMER}.wait_empty", ("and self._unacked_messages:", "await T(self.commit_and_end_transactions)()"), BATCHING, "waits for these and no others"),
    Reliance(f"{CONSUMER}.ack", ("self._unacked_messages.discard(message)",), BATCHING, "a batch that was held again is let go when it is acknowledged"),
    Reliance("faust.app.base:App._on_partitions_revoked", ("consumer.stop_flow", "self._consumer_wait_empty", "self.on_partitions_revoked.send"), BATCHING, "a batch whose wait ends while partitions move sees that the flow is stopped"),
    Reliance("faust.app.base:App._stop_consumer", ("consumer.stop_flow()", "self._consumer_wait_empty"), BATCHING, "the same when the worker stops"),
    Reliance(RECOVERY, ("self._build_highwaters)(\n                        consumer, assigned_active_tps", "self._build_offsets)(\n                        consumer, assigned_active_tps", "self._seek_offsets)(\n                        consumer, assigned_active_tps", "if self.need_recovery():\n                    self._set_recovery_started()"), TABLES, "first how far to read, then from where, then our reading, and then whether anything is left"),
    Reliance(f"{RECOVERY}.on_rebalance", ("self.revoke(tp)", "signal_recovery_start.set()"), TABLES, "we cannot write offsets between its revoking them and its signal", no_way_from="self.revoke(tp)"),
    Reliance("faust.tables.manager:TableManager.recovery", ("self._recovery = Recovery(",), TABLES, "made when first asked for"),
    Reliance(f"{FETCHER}:Fetcher._proc_fetch_request", ("self._records[tp] = FetchResult(",), CHANGELOG, "what was fetched goes through __setitem__"),
    Reliance(f"{FETCHER}:PartitionRecords.__next__", ("next(self._records_iterator)",), CHANGELOG, "hands on what the iterator gives"),
    Reliance("aiokafka.producer.message_accumulator:MessageAccumulator.create_builder", ("txn_manager.transactional_id is not None",), FENCE, ID_IS_ASKED_FOR),
    Reliance(f"{PRODUCER}.send_batch", ("txn_manager.transactional_id is not None",), FENCE, ID_IS_ASKED_FOR),
    Reliance(f"{SENDER}:Sender._sender_routine", ("txn_manager.transactional_id is not None",), FENCE, ID_IS_ASKED_FOR),
    Reliance(f"{SENDER}:SendProduceReqHandler.create_request", ("self._sender._txn_manager.transactional_id",), FENCE, ID_IS_ASKED_FOR),
    Reliance(f"{SENDER}:InitPIDHandler.handle_response", ("set_pid_and_epoch(",), FENCE, "the epoch that Kafka gave is the producer's"),
    Reliance(f"{SENDER}:Sender.start", ("await self._maybe_wait_for_pid()", "create_task("), FENCE, "when `start` returns the epoch is known, and nothing of the sender has run yet", no_way_from="create_task("),
    Reliance(f"{SENDER}:SendProduceReqHandler.handle_response", ("exc = ProducerFenced()",), FENCE, "an older epoch is refused by this error"),
)
# fmt: on
