"""Google's clients, pointed at the emulator.

Its address comes in EVENKEEL_EMULATOR. Credentials are anonymous; discovery documents are those that ship inside
google-api-python-client; nothing here needs a network besides the loopback.
"""

import json
import os
import time
import urllib.request
from pathlib import Path

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials

ADDRESS = os.environ["EVENKEEL_EMULATOR"]
PROJECT = "netra-staging"
REGION = "us-central1"
LOCATION = f"projects/{PROJECT}/locations/{REGION}"

# A certificate and a key, each as far as anybody here looks at it.
CERTIFICATE = (Path(__file__).parent.parent / "wire" / "certificate.pem").read_text()
KEY = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"

# Operations take milliseconds to seconds here; a wait this long is a hang.
PATIENCE = 60


def client(kind, endpoint=ADDRESS):
    """A client of the google-cloud-* family, over REST. At any other endpoint it meets the emulator too, which then
    is its proxy: so APIs that share a path are told apart by their hosts."""
    return kind(
        credentials=AnonymousCredentials(),
        transport="rest",
        client_options=ClientOptions(api_endpoint=endpoint),
    )


def discovered(name, version, root=""):
    """A client that google-api-python-client makes from its bundled description of an API; `root` is where the
    description says that its paths begin."""
    from googleapiclient.discovery import build
    from httplib2 import Http

    return build(
        name,
        version,
        http=Http(proxy_info=None),
        client_options={"api_endpoint": f"{ADDRESS}/{root}"},
        static_discovery=True,
        cache_discovery=False,
    )


def control(method, what, body=None):
    """The emulator's own controls, which are no part of Google's API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ADDRESS}/_emulator/{what}", data, method=method)
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def until(read, reached=lambda found: True):
    """Reads again until `reached` says yes. Reads lag behind changes: for a moment they may show what was before, and
    of what is new they may know nothing yet."""
    deadline = time.monotonic() + PATIENCE
    found = None
    while time.monotonic() < deadline:
        try:
            found = read()
            if reached(found):
                return found
        except Exception as error:
            if not is_missing(error):
                raise
        time.sleep(0.1)
    raise AssertionError(f"not reached in {PATIENCE} s: {found}")


def gone(read):
    """Reads until there is nothing to read."""

    def missing():
        try:
            read()
        except Exception as error:
            if is_missing(error):
                return True
            raise
        return False

    until(missing, bool)


def is_missing(error):
    """Whether it is the 404 of either family of clients."""
    return getattr(error, "code", None) == 404 or getattr(error, "status_code", None) == 404
