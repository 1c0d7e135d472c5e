"""Streams and consumers are as declared after provisioning, whatever was there before."""

from nats.aio.client import Client
from nats.js.api import ConsumerConfig, RetentionPolicy, StreamConfig

from contracts.streams import CONSUMERS, DEAD, EVENTS, GATING, RUN_EVENTS, RUNS, STREAMS
from shared.messaging.provision import missing_parts, provision_streams
from shared.settings import StreamSettings

SETTINGS = StreamSettings(event_retention_seconds=7_200, ai_queue_status_retention_seconds=600)


async def all_configs(client: Client) -> dict[str, object]:
    jetstream = client.jetstream()
    streams = {each.name: (await jetstream.stream_info(each.name)).config for each in STREAMS}
    consumers = {each.name: (await jetstream.consumer_info(each.stream, each.name)).config for each in CONSUMERS}
    return {**streams, **consumers}


async def test_streams_and_consumers_are_as_they_are_declared(client: Client) -> None:
    jetstream = client.jetstream()

    for stream in STREAMS:
        config = (await jetstream.stream_info(stream.name)).config
        assert config.subjects == list(stream.subjects)
        assert config.retention == RetentionPolicy(stream.retention)
        assert config.max_msgs_per_subject == (stream.max_msgs_per_subject or -1)
        assert config.discard_new_per_subject == stream.discard_new_per_subject
        assert config.duplicate_window == stream.duplicate_window_seconds
    for consumer in CONSUMERS:
        declared = (await jetstream.consumer_info(consumer.stream, consumer.name)).config
        assert declared.filter_subject == consumer.filter_subject
        assert (declared.ack_wait, declared.max_deliver) == (consumer.ack_wait_seconds, consumer.max_deliver)
        assert declared.max_ack_pending == consumer.max_ack_pending


async def test_provisioning_again_creates_and_changes_nothing(client: Client) -> None:
    before = await all_configs(client)

    assert await provision_streams(client, StreamSettings()) == []

    assert await all_configs(client) == before
    assert await missing_parts(client) == []


async def test_retention_follows_the_settings(client: Client) -> None:
    await provision_streams(client, SETTINGS)

    jetstream = client.jetstream()
    ages = {each.name: (await jetstream.stream_info(each.name)).config.max_age for each in STREAMS}
    assert ages == {EVENTS.name: 7_200, RUN_EVENTS.name: 600, RUNS.name: 0, DEAD.name: DEAD.max_age_seconds}


async def test_a_stream_that_keeps_little_knows_ids_no_longer_than_that(client: Client) -> None:
    await provision_streams(client, StreamSettings(event_retention_seconds=9, ai_queue_status_retention_seconds=1))

    jetstream = client.jetstream()
    windows = {each.name: (await jetstream.stream_info(each.name)).config.duplicate_window for each in STREAMS}
    assert windows == {EVENTS.name: 9, RUN_EVENTS.name: 1, RUNS.name: 120, DEAD.name: 120}


async def test_what_was_changed_by_hand_is_changed_back_and_its_messages_stay(client: Client) -> None:
    before = await all_configs(client)
    jetstream = client.jetstream()
    await jetstream.publish("event.checkin.submitted.acme", b"{}")
    await jetstream.update_stream(StreamConfig(name=EVENTS.name, subjects=["event.>"], max_age=60, duplicate_window=9))
    await jetstream.add_consumer(
        GATING.stream,
        ConsumerConfig(name=GATING.name, durable_name=GATING.name, filter_subject=GATING.filter_subject, ack_wait=99),
    )

    assert await provision_streams(client, StreamSettings()) == []

    assert await all_configs(client) == before
    assert (await jetstream.stream_info(EVENTS.name)).state.messages == 1


async def test_what_is_missing_is_named_and_made_again(client: Client) -> None:
    jetstream = client.jetstream()
    await jetstream.delete_stream(RUNS.name)
    await jetstream.delete_consumer(GATING.stream, GATING.name)
    gone = ["RUNS", "EVENTS/gating", *(f"RUNS/{each.name}" for each in CONSUMERS if each.stream == RUNS.name)]

    assert await missing_parts(client) == gone
    assert await provision_streams(client, StreamSettings()) == ["RUNS"]
    assert await missing_parts(client) == []
