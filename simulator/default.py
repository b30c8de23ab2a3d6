"""The contact centre that `ringback simulate` and the demo run: made up, of medium size, with everything."""

from schemas.time_units import HOUR_MS, MINUTE_MS, SECOND_MS
from simulator.season import WEEK
from simulator.shape import Afterwards, Before, Duration, Handling, QueueShape, Shape, Waiting

IVR = Before("ivr", Duration(25 * SECOND_MS, 0.5), lost=0.06)
PHONE_AFTERWARDS = Afterwards(unresolved=0.10, repeated=0.12, surveyed=0.15)

SUPPORT = QueueShape(
    "support",
    "voice",
    per_hour=240,
    agents=22,
    before=IVR,
    waiting=Waiting(
        Duration(150 * SECOND_MS),
        "general",
        180 * SECOND_MS,
        callback=0.10,
        voicemail=0.02,
        offer_after_ms=45 * SECOND_MS,
    ),
    handling=Handling(
        Duration(260 * SECOND_MS, 0.9),
        Duration(35 * SECOND_MS, 0.8),
        held=0.25,
        hold_hang_up=0.04,
        cold=0.06,
        warm=0.04,
        external=0.01,
        transfer_to=("expert", "billing"),
    ),
    afterwards=PHONE_AFTERWARDS,
)
BILLING = QueueShape(
    "billing",
    "voice",
    per_hour=150,
    agents=13,
    before=IVR,
    waiting=Waiting(Duration(120 * SECOND_MS), "general", 120 * SECOND_MS),
    handling=Handling(
        Duration(220 * SECOND_MS, 0.8),
        Duration(25 * SECOND_MS),
        held=0.15,
        cold=0.04,
        warm=0.02,
        transfer_to=("support",),
    ),
    afterwards=PHONE_AFTERWARDS,
    outbound_per_hour=8,
)
SALES = QueueShape(
    "sales",
    "voice",
    per_hour=110,
    agents=12,
    before=IVR,
    waiting=Waiting(Duration(90 * SECOND_MS), callback=0.25, offer_after_ms=30 * SECOND_MS),
    handling=Handling(Duration(300 * SECOND_MS, 1.1), Duration(60 * SECOND_MS, 0.5), held=0.10),
    afterwards=Afterwards(repeated=0.05, surveyed=0.10),
    outbound_per_hour=15,
)
GENERAL = QueueShape(
    "general",
    "voice",
    per_hour=20,
    agents=5,
    waiting=Waiting(Duration(300 * SECOND_MS)),
    handling=Handling(Duration(240 * SECOND_MS, 0.8), Duration(30 * SECOND_MS), held=0.2),
    afterwards=PHONE_AFTERWARDS,
)
EXPERT = QueueShape(
    "expert",
    "voice",
    per_hour=0,
    agents=4,
    waiting=Waiting(Duration(400 * SECOND_MS)),
    handling=Handling(
        Duration(420 * SECOND_MS, 0.9), Duration(90 * SECOND_MS, 0.7), held=0.3, hold_hang_up=0.02
    ),
    afterwards=Afterwards(unresolved=0.15, repeated=0.10, surveyed=0.2),
)
CHAT = QueueShape(
    "chat",
    "chat",
    per_hour=100,
    agents=14,
    before=Before("bot", Duration(70 * SECOND_MS, 0.7), lost=0.08, contained=0.30),
    waiting=Waiting(Duration(240 * SECOND_MS)),
    handling=Handling(
        Duration(540 * SECOND_MS, 0.7), Duration(20 * SECOND_MS), cold=0.05, transfer_to=("messaging",)
    ),
    afterwards=Afterwards(unresolved=0.12, repeated=0.10, surveyed=0.25),
)
MESSAGING = QueueShape(
    "messaging",
    "messaging",
    per_hour=45,
    agents=6,
    before=Before("bot", Duration(3 * MINUTE_MS, 1.0), lost=0.02, contained=0.20),
    waiting=Waiting(Duration(6 * HOUR_MS)),
    handling=Handling(Duration(12 * MINUTE_MS, 1.0), Duration(30 * SECOND_MS)),
    afterwards=Afterwards(unresolved=0.08, reopened=0.06, repeated=0.05, surveyed=0.2),
)
EMAIL = QueueShape(
    "email",
    "email",
    per_hour=60,
    agents=7,
    handling=Handling(
        Duration(6 * MINUTE_MS, 1.0),
        Duration(15 * SECOND_MS),
        cold=0.05,
        external=0.01,
        transfer_to=("messaging",),
    ),
    afterwards=Afterwards(unresolved=0.05, reopened=0.12, repeated=0.05, surveyed=0.10),
)

DEFAULT_SHAPE = Shape((SUPPORT, BILLING, SALES, GENERAL, EXPERT, CHAT, MESSAGING, EMAIL), WEEK)
