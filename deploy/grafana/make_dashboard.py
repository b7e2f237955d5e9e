#!/usr/bin/env python3
"""Writes extproc.json, Grafana's dashboard for servers with --metrics; with --check it only says whether that is current."""

import json
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("extproc.json")
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 24, 8
HERE = 'job=~"$job",instance=~"$instance"'
OF = HERE + ',processor=~"$processor"'


def rate(name: str, by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate({name}{{{OF}{more}}}[$__rate_interval]))"


def quantile(q: float, name: str, by: str) -> str:
    return f"histogram_quantile({q}, {rate(name + '_bucket', by + ', le')})"


def share(part: str, whole: str) -> str:
    return f"{part} / ({whole} > 0)"


def gauge(name: str, by: str, how: str = "sum") -> str:
    return f"{how} by ({by}) ({name}{{{OF}}})"


def of_process(name: str) -> str:
    """Of what the servers of a process share, and each of them tells."""
    return f"max by (instance) (rate({name}{{{OF}}}[$__rate_interval]))"


STREAMS = rate("extproc_streams_total", "processor")

# Rows of panels: title, unit, and queries with what their series are called. A fourth item is what the panel says of itself.
ROWS = {
    "At a glance": [
        ("Ready", "short", [(gauge("extproc_ready", "processor"), "{{processor}}")], "Servers whose health is SERVING"),
        ("Streams", "reqps", [(STREAMS, "{{processor}}")], "Requests that a processor saw"),
        (
            "Errors",
            "percentunit",
            [(share(rate("extproc_streams_total", "processor", ',code!~"OK|CANCELLED"'), STREAMS), "{{processor}}")],
            "Streams that ended with another status than OK, and were not given up by their client",
        ),
        ("In flight", "short", [(gauge("extproc_streams_inflight", "processor"), "{{processor}}")], "Streams that are open"),
    ],
    "Requests": [
        ("Ends", "reqps", [(rate("extproc_streams_total", "code"), "{{code}}")], "Streams by their gRPC status"),
        (
            "Stream durations",
            "s",
            [(quantile(q, "extproc_stream_duration_seconds", "processor"), f"p{q * 100:g} {{{{processor}}}}") for q in (0.5, 0.99)],
            "For as long as the exchange with the upstream takes, where phases of the response are processed",
        ),
        (
            "Answers to the caller",
            "reqps",
            [(rate("extproc_immediate_responses_total", "processor, status_class"), "{{processor}} {{status_class}}")],
            "Immediate responses",
        ),
        (
            "Misused answers",
            "reqps",
            [(rate("extproc_misused_answers_total", "processor, rule") + " > 0", "{{processor}} {{rule}}")],
            "What Envoy refuses or ignores, by the rule",
        ),
    ],
    "Phases": [
        (
            "Phases",
            "reqps",
            [(rate("extproc_phases_total", "processor, phase"), "{{processor}} {{phase}}")],
        ),
        (
            "Outcomes other than an answer",
            "reqps",
            [(rate("extproc_phases_total", "processor, phase, outcome", ',outcome!="answered"') + " > 0", "{{processor}} {{phase}} {{outcome}}")],
        ),
        (
            "Durations, p50",
            "s",
            [(quantile(0.5, "extproc_phase_duration_seconds", "processor, phase"), "{{processor}} {{phase}}")],
        ),
        (
            "Durations, p99",
            "s",
            [
                (quantile(0.99, "extproc_phase_duration_seconds", "processor, phase"), "{{processor}} {{phase}}"),
                (gauge("extproc_message_timeout_seconds", "processor", "max"), "message_timeout of {{processor}}"),
            ],
            "Beside how long Envoy waits",
        ),
        (
            "Late",
            "reqps",
            [
                (rate("extproc_fallbacks_total", "processor"), "fallbacks {{processor}}"),
                (rate("extproc_time_extensions_total", "processor"), "more time asked for {{processor}}"),
                (rate("extproc_streams_total", "processor", ',code="CANCELLED"'), "given up {{processor}}"),
            ],
        ),
        (
            "Handlers that failed",
            "reqps",
            [
                (rate("extproc_handler_failures_total", "processor"), "exceptions {{processor}}"),
                (rate("extproc_malformed_messages_total", "processor"), "malformed messages {{processor}}"),
                (rate("extproc_streams_over_limit_total", "processor"), "over a limit {{processor}}"),
            ],
        ),
        ("Messages", "reqps", [(rate("extproc_messages_total", "direction, phase"), "{{direction}} {{phase}}")]),
        ("Body bytes", "Bps", [(rate("extproc_body_bytes_total", "direction, phase"), "{{direction}} {{phase}}")]),
    ],
    "Load": [
        (
            "CPU",
            "short",
            [("sum by (instance) (rate(process_cpu_seconds_total{" + HERE + "}[$__rate_interval]))", "{{instance}}")],
            "Cores in use",
        ),
        ("Loop lag", "s", [(gauge("extproc_loop_lag_seconds", "instance, processor", "max"), "{{processor}} {{instance}}")], "Of the slowest I/O thread"),
        (
            "Blocking work that waits",
            "short",
            [
                (gauge("extproc_blocking_queue_depth", "processor, instance"), "{{processor}} {{instance}}"),
                (gauge("extproc_blocking_queue_limit", "processor", "min"), "limit of {{processor}}"),
            ],
        ),
        ("Blocking work refused", "reqps", [(rate("extproc_refused_jobs_total", "processor"), "{{processor}}")]),
        (
            "Memory for peers",
            "bytes",
            [
                (gauge("extproc_memory_bytes", "instance"), "{{instance}}"),
                (gauge("extproc_memory_limit_bytes", "instance", "max"), "limit of {{instance}}"),
            ],
        ),
        ("Resident memory", "bytes", [("process_resident_memory_bytes{" + HERE + "}", "{{instance}}")]),
        (
            "File descriptors",
            "short",
            [("process_open_fds{" + HERE + "}", "{{instance}}"), ("process_max_fds{" + HERE + "}", "limit of {{instance}}")],
        ),
        ("Up for", "s", [("time() - process_start_time_seconds{" + HERE + "}", "{{instance}}")]),
    ],
    "Connections and TLS": [
        ("Connections", "short", [(gauge("extproc_connections_open", "processor, instance"), "{{processor}} {{instance}}")]),
        ("New connections", "cps", [(rate("extproc_connections_accepted_total", "processor"), "{{processor}}")]),
        (
            "Connections that were ended",
            "cps",
            [(rate(f"extproc_connections_{how}_total", "processor"), f"{how} {{{{processor}}}}") for how in ("refused", "displaced", "stalled", "shed", "aged")],
        ),
        ("TLS handshakes", "cps", [(rate("extproc_tls_handshakes_total", "processor, result"), "{{processor}} {{result}}")]),
        (
            "Certificates expire in",
            "s",
            [(f"min by (instance, role) (extproc_tls_certificate_expiry_timestamp_seconds{{{OF}}}) - time()", "{{role}} {{instance}}")],
        ),
        ("Certificates reloaded", "short", [(f"sum by (processor, result) (increase(extproc_tls_reloads_total{{{OF}}}[1h]))", "{{processor}} {{result}}")], "In the last hour"),
    ],
    "Telemetry": [
        (
            "Lines of the log that are missing",
            "short",
            [
                (of_process("extproc_log_lines_dropped_total"), "lost {{instance}}"),
                (of_process("extproc_log_lines_left_out_total"), "too many of a kind {{instance}}"),
            ],
            "A second",
        ),
        (
            "Spans",
            "short",
            [
                (of_process("extproc_spans_sent_total"), "sent {{instance}}"),
                (of_process("extproc_spans_dropped_total"), "dropped {{instance}}"),
            ],
            "A second",
        ),
        ("Versions", "short", [("count by (version) (extproc_build_info{" + HERE + "})", "{{version}}")]),
    ],
}


def panel(number: int, place: dict, title: str, unit: str, queries: list, description: str = "") -> dict:
    targets = [
        {"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": query, "legendFormat": legend, "editorMode": "code", "range": True}
        for i, (query, legend) in enumerate(queries)
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 8, "showPoints": "never"}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": targets,
    }


def panels() -> list[dict]:
    made, y = [], 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
        made.append({"id": len(made) + 1, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []})
        y += 1
        across = 4 if len(row) % 4 == 0 else 3
        width = WIDTH // across
        for i, each in enumerate(row):
            place = {"x": i % across * width, "y": y + i // across * HEIGHT, "w": width, "h": HEIGHT}
            made.append(panel(len(made) + 1, place, *each))
        y += -(-len(row) // across) * HEIGHT
    return made


def variable(name: str, query: str) -> dict:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
        "sort": 1,
    }


def dashboard() -> dict:
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1}
    return {
        "title": "extproc",
        "uid": "extproc",
        "description": "Processors served by extproc with --metrics",
        "tags": ["envoy", "ext_proc"],
        "schemaVersion": 39,
        "editable": True,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "graphTooltip": 1,
        "templating": {
            "list": [
                source,
                variable("job", "label_values(extproc_ready, job)"),
                variable("instance", 'label_values(extproc_ready{job=~"$job"}, instance)'),
                variable("processor", 'label_values(extproc_phases_total{job=~"$job",instance=~"$instance"}, processor)'),
            ]
        },
        "annotations": {"list": []},
        "panels": panels(),
    }


def main() -> int:
    text = json.dumps(dashboard(), indent=2) + "\n"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        print(f"error: {PAGE.name} is not what {Path(__file__).name} writes: run it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
