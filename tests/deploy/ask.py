"""Asks a processor over gRPC, as Envoy does for a GET: ask.py ADDRESS  prints who says that it was applied. Run with
tests/integration on PYTHONPATH. A wait for the server is part of it."""

import sys

from harness import protos
from harness.grpc_client import Requests, channel, process

TIMEOUT = 20


def main(address: str) -> None:
    with channel(int(address) if address.isdigit() else address) as open_channel:
        requests = Requests(protos.request_headers({":method": "GET", ":path": "/"}))
        answers = process(open_channel)(iter(requests), timeout=TIMEOUT, wait_for_ready=True)
        if not next(answers).HasField("request_headers"):
            raise SystemExit("the first answer is not to the request's headers")
        requests.send(protos.response_headers({":status": "200"}))
        changed = next(answers).response_headers.response.header_mutation.set_headers
        requests.close()
        print(next(option.header.raw_value.decode() for option in changed if option.header.key == "x-ext-procs-applied"))


main(sys.argv[1])
