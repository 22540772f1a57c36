"""What the door is measured beside, behind the same gunicorn settings."""

import os

from flask import Flask, Response, request
from lxml import etree
from redis import Redis
from rq import Queue

from sidecar.intake.outbound_message import ACK

app = Flask(__name__)
queue = Queue(
    "peers", connection=Redis.from_url(os.environ["PEERS_REDIS_URL"]), serializer="json"
)


def _ack() -> Response:
    return Response(ACK, content_type="text/xml; charset=UTF-8")


@app.post("/bare")
def bare() -> Response:
    """Read the body, say Ack: the least that any Flask view does."""
    request.get_data()
    return _ack()


@app.post("/enqueue")
def enqueue() -> Response:
    """Parse, enqueue, say Ack: the common way, and lost with Redis."""
    root = etree.fromstring(request.get_data())
    records = [
        {child.tag.rpartition("}")[2]: child.text for child in record}
        for record in root.iter("{http://soap.sforce.com/2005/09/outbound}sObject")
    ]
    queue.enqueue("json.dumps", records, result_ttl=0)
    return _ack()
