#!/usr/bin/python3
"""Keeps a file of suppressed recipients, one key a line. usage: suppression_list.py SERVERS TOPIC FILE"""
import json, os, sys, time
from confluent_kafka import Consumer, KafkaError, OFFSET_BEGINNING, TopicPartition

servers, topic, path = sys.argv[1:]
consumer = Consumer({"bootstrap.servers": servers, "group.id": "suppression-list", "enable.auto.commit": False,
                     "isolation.level": "read_committed", "enable.partition.eof": True})
unread, until = set(consumer.list_topics(topic, 10).topics[topic].partitions), {}
consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in unread])
while True:
    for message in consumer.consume(100000, 5):
        if message.error() and message.error().code() != KafkaError._PARTITION_EOF:
            sys.exit(str(message.error()))
        if message.error():
            unread.discard(message.partition())
        elif not message.key().startswith(b"#"):  # "#…" is no recipient; null: forgotten
            grounds = json.loads(message.value() or "{}").get("grounds", [])  # suppressed until the last is over
            until[message.key()] = max((ground.get("expires", "9999") for ground in grounds), default="")
    if not unread:  # a list that is not whole is never written
        now = time.strftime("%Y-%m-%dT%H:%M:%S.999Z", time.gmtime())
        with open(path + ".new", "wb") as file:
            file.writelines(key + b"\n" for key in sorted(until) if until[key] > now)
        os.replace(path + ".new", path)
