"""Names and values of headers, as they are and as they must not be."""

from harness.random_cases.dice import Dice

PLAIN = ("x-one", "x-two", "x-up", "x-new", "x-more", "x-t", "x-u")
# Envoy joins the values of some of these by a comma, or keeps the first.
KNOWN = (
    "accept", "accept-language", "accept-encoding", "authorization", "cache-control", "content-type", "content-encoding",
    "cookie", "etag", "set-cookie", "via", "vary", "user-agent", "referer", "origin", "location", "server-timing", "range",
    "if-none-match", "last-modified", "www-authenticate", "x-forwarded-host", "proxy-status", "grpc-status", "grpc-message",
    "access-control-allow-origin", "forwarded", "pragma", "expires", "age", "link", "traceparent",
)  # fmt: skip
# What Envoy itself cares for.
DELICATE = (
    "host", ":path", ":method", ":authority", ":scheme", ":status", "content-length", "x-envoy-foo", "x-envoyfoo", ":other",
    "x-envoy-original-path", "te", "connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection", "expect",
)  # fmt: skip
# What the rules may allow to be changed of a request.
ROUTING = (":path", ":method", ":authority", ":scheme", "host")
INVALID_NAMES = ("x new", "", "x-new\n", "x:new", "x-é", ":", "x-new\0")
INVALID_VALUES = ("a\nb", "a\0b", "a\rb", "\x01", "\x7f")
VALUES = ("v", "a, b", "", " v ", "a=1; b=2", "aéÿb", "a\tb", "1", "text/plain", '"quoted"', "x" * 150)
ATTRIBUTES = ("referer", "user-agent", "x-request-id")
FITTING = {
    ":path": ("/other", "/other?y=2", "*", "", "no-slash", "/with space", "http://example.com/absolute", "/frag#ment"),
    ":method": ("PUT", "GET", "HEAD", "CONNECT", "OPTIONS", "get", "P UT", "", "TRACE"),
    ":authority": ("other.example", "other:8080", "[::1]:80", "", "user@host", "under_score", "a/b"),
    ":scheme": ("https", "http", "HTTP", "ftp", ""),
    ":status": ("204", "404", "503", "200", "304", "299", "600", "999", "1000", "199", "100", "101", "0", "ok", "", "0404"),
    "content-length": ("0", "3", "6", "100000", "-1", "abc", "", "3, 3", "18446744073709551616"),
    "te": ("trailers", "gzip"),
    "connection": ("close", "keep-alive", "upgrade"),
    "transfer-encoding": ("chunked", "gzip, chunked", "identity"),
    "upgrade": ("websocket", "h2c"),
    "content-type": ("text/plain", "application/json", "application/grpc", "application/grpc+proto", ""),
    "host": ("other.example", "", "a/b"),
    "cookie": ("c=3", "d=4; e=5"),
    "grpc-status": ("0", "5", "x"),
    "expect": ("100-continue", "other"),
}


def name(dice: Dice, illegal: bool) -> str:
    kind = {"plain": 6, "known": 4, "upper": 0.5}
    if illegal:
        kind = {"plain": 2, "known": 2, "delicate": 6, "invalid": 1, "upper": 0.5}
    match dice.weighted(kind):
        case "plain":
            return dice.pick(PLAIN)
        case "known":
            return dice.pick(KNOWN)
        case "delicate":
            return dice.pick(DELICATE)
        case "invalid":
            return dice.pick(INVALID_NAMES)
    return "X-" + dice.pick(("One", "New"))


def value(dice: Dice, of: str, illegal: bool) -> str | dict:
    """A text, or `{repeat, of}`."""
    if illegal and dice.chance(0.08):
        return dice.pick(INVALID_VALUES)
    if illegal and dice.chance(0.03):
        return {"repeat": dice.pick((30_000, 61_440)), "of": "v"}
    fitting = FITTING.get(of.lower())
    if fitting and dice.chance(0.9):
        return dice.pick(fitting if illegal else fitting[:2])
    # An attribute is a text, which the processors here read as UTF-8.
    return dice.pick([text for text in VALUES if text.isascii() or of not in ATTRIBUTES])
