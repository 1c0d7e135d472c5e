"""Which delivery a message is."""

import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.messaging.settling import deliveries

SHORT = "$JS.ACK.EVENTS.gating.{delivered}.7.9.1700000000000000000.3"
WITH_A_DOMAIN = "$JS.ACK.hub.ABCDEF.EVENTS.gating.{delivered}.7.9.1700000000000000000.3"
WITH_MORE = WITH_A_DOMAIN + ".token"


@pytest.mark.parametrize("subject", [SHORT, WITH_A_DOMAIN, WITH_MORE])
@pytest.mark.parametrize("delivered", [1, 2, 40])
def test_it_is_read_as_the_client_itself_reads_it(subject: str, delivered: int) -> None:
    message = Msg(Client(), reply=subject.format(delivered=delivered))

    assert deliveries(message) == message.metadata.num_delivered == delivered


def test_a_message_of_no_stream_has_no_deliveries() -> None:
    with pytest.raises(nats.errors.NotJSMessageError):
        deliveries(Msg(Client(), reply="_INBOX.1"))
