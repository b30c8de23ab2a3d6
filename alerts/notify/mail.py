"""A notification by SMTP, under a Message-ID that is the same however often it is tried."""

import smtplib
import socket
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from alerts.ledger import ENDS, Outgoing
from alerts.notify.addresses import addresses
from alerts.notify.post import TIMEOUT_S, Delivery
from alerts.notify.text import details, title
from alerts.receivers import Email

SUBJECT_MAX = 200


def message_id(id_: str) -> str:
    """Of an outbox row; mail programs drop what they already have."""
    return f"<{id_}@ringback.invalid>"


def mail(receiver: Email, outgoing: Outgoing) -> EmailMessage:
    """Plain text. The end of an episode answers its beginning, so that they stand together."""
    body: dict[str, Any] = outgoing.body
    found = EmailMessage()
    found["Subject"] = " ".join(title(body).split())[:SUBJECT_MAX]
    found["From"], found["To"] = receiver.sender, ", ".join(receiver.to)
    found["Date"] = format_datetime(datetime.fromisoformat(body["at"].replace("Z", "+00:00")))
    found["Message-ID"] = message_id(outgoing.id)
    found["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer of absence, please
    if body["status"] in ENDS:
        first = message_id(f"{outgoing.episode}-firing-{outgoing.receiver}")
        found["In-Reply-To"] = found["References"] = first
    found.set_content("\n".join((title(body), "", *details(body))))
    return found


def guarded(kind: type[smtplib.SMTP], allow_private: bool) -> type[smtplib.SMTP]:
    """A client that connects only to addresses that may be asked, under the name the certificate has."""

    class Guarded(kind):  # type: ignore[misc, valid-type]
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            plain = socket.create_connection((addresses(host, port, allow_private)[0], port), timeout)
            if kind is smtplib.SMTP_SSL:
                return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
            return plain

    return Guarded


def send(receiver: Email, outgoing: Outgoing) -> Delivery:
    """One try. What is refused for good (5xx) is not tried again. Raises KeyError, OSError: a secret."""
    password = receiver.password.read() if receiver.password else ""
    letter = mail(receiver, outgoing)
    kind = guarded(smtplib.SMTP_SSL if receiver.tls == "implicit" else smtplib.SMTP, receiver.allow_private)
    try:
        with kind(receiver.host, receiver.port, local_hostname="ringback", timeout=TIMEOUT_S) as smtp:
            if receiver.tls == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            if receiver.username is not None:
                smtp.login(receiver.username, password)
            refused = smtp.send_message(letter)
    except PermissionError as error:
        return Delivery("refused", str(error))
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        return Delivery("refused" if min(codes) >= 500 else "again", f"no recipient: {sorted(codes)}")
    except smtplib.SMTPResponseException as error:
        return Delivery("refused" if error.smtp_code >= 500 else "again", f"SMTP status {error.smtp_code}")
    except smtplib.SMTPNotSupportedError as error:
        return Delivery("refused", f"{error}; see tls")
    except (smtplib.SMTPException, OSError) as error:
        return Delivery("again", type(error).__name__)
    return Delivery("sent", f"not taken for {', '.join(sorted(refused))}" if refused else "")
