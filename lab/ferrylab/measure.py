# SPDX-License-Identifier: BSD-2-Clause
"""Measures any driver domain, Ferry or its peers, by the very same steps.

Everywhere: `wire` is lab.wire["A"] or ["B"], `guest` a connected Guest whose
interface is up.  Figures come back as plain dicts, ready for JSON.
"""
import json
import re
import statistics
import subprocess
import threading
import time

from .errors import CheckFailed

IPERF_PORT = 5201
RR_PORT = 5290
SUM_PORT = 5300
_MEBIBIT, _GIGABYTE = 1e6, 1e9


def console_times(lab, domain, patterns, timeout=60):
    """Unpause a domain; seconds (of this machine's clock) until its console shows each pattern."""
    started = time.monotonic()
    domain.unpause()
    times = {}
    for name, pattern in patterns.items():
        lab.wait_console(domain.name, pattern, timeout)
        times[name] = round(time.monotonic() - started, 2)
    return times


def ping(runner, address, count=50, interval=0.02):
    """Round trips in ms; `runner` is a guest or a wire."""
    # First the neighbour tables, and caches of an emulated machine.
    runner.run(f"ping -n -q -c 10 -i {interval} -W 2 {address}", timeout=60, check=False)
    command = f"ping -n -c {count} -i {interval} -W 2 {address}"
    text = runner.run(command, timeout=30 + count * (interval + 2), check=False).stdout
    times = [float(ms) for ms in re.findall(r"time=([\d.]+) ms", text)]
    if not times:
        raise CheckFailed(f"{runner.name}: no answer from {address} to {count} pings:\n{text}")
    return {"min_ms": min(times), "median_ms": round(statistics.median(times), 3),
            "max_ms": max(times), "sent": count, "lost": count - len(times)}


def tcp(wire, guest, to_wire, seconds=6, driver_domain=None, streams=1):
    """iperf3 between a guest and the wire's end.

    With `driver_domain` also the processor seconds it took per GB (10^9 bytes).
    """
    server = wire.popen(f"iperf3 -s -1 --forceflush -p {IPERF_PORT}", stdout=subprocess.PIPE)
    _wait_line(server, "Server listening", "iperf3's server at the wire's end")
    before = driver_domain.cpu_seconds() if driver_domain else 0
    command = f"iperf3 -c {wire.ip} -p {IPERF_PORT} -t {seconds} -P {streams} -J"
    result = guest.run(command + ("" if to_wire else " -R"), timeout=seconds + 40, check=False)
    report = _iperf_report(guest, result)
    received = report["end"]["sum_received"]
    figures = {"mbit_per_s": round(received["bits_per_second"] / _MEBIBIT, 1),
               "bytes": received["bytes"],
               "retransmits": report["end"]["sum_sent"].get("retransmits", 0)}
    if driver_domain:
        spent = driver_domain.cpu_seconds() - before
        figures["driver_cpu_s_per_gb"] = round(spent / (received["bytes"] / _GIGABYTE), 2)
    server.communicate(timeout=10)
    return figures


class Server:
    """iperf3's or rr's server, for one client after the other, until the lab ends.

    At the wire's end (a Wire) or in a guest.
    """

    def __init__(self, runner, command, port):
        self.port = port
        text = f"{command} {port}"
        if hasattr(runner, "popen"):
            self._process = runner.popen(f"exec {text}", stdout=subprocess.PIPE)
            _wait_line(self._process, "listening", f"{runner.name}: {text}")
            # iperf3 reports each client to its output, which must go somewhere.
            threading.Thread(target=self._process.stdout.read, daemon=True).start()
            return
        self._session = runner.start(f"exec {text}")
        with self._session.channel.news:
            while "listening" not in self._session.stdout:
                if self._session.rc is not None:
                    raise CheckFailed(f"{runner.name}: {text} ended: {self._session.stderr}")
                self._session.channel.check()
                self._session.channel.news.wait(0.2)


def iperf_server(runner, port=IPERF_PORT):
    return Server(runner, "iperf3 -s --forceflush -p", port)


def rr_server(lab, runner, port=RR_PORT):
    program = lab.built.images / "tools" / "rr" if hasattr(runner, "popen") else "rr"
    return Server(runner, f"{program} serve", port)


def iperf_start(guest, address, options, port=IPERF_PORT):
    """A client of an iperf_server() under way; iperf_end() waits for it."""
    return guest.start(f"iperf3 -c {address} -p {port} -J {options}")


def iperf_report(guest, session, timeout=60):
    """iperf3's whole JSON of a client that iperf_start() began."""
    session.feed_eof()
    return _iperf_report(guest, session.wait(timeout))


def iperf_end(guest, session, timeout=60):
    """What iperf3 reports of the whole run: the "end" of its JSON."""
    return iperf_report(guest, session, timeout)["end"]


def iperf(guest, address, options, port=IPERF_PORT):
    return iperf_end(guest, iperf_start(guest, address, options, port))


def round_trips(guest, address, seconds, port=RR_PORT):
    """Requests of a byte, one at a time, to an rr_server()."""
    nr, *times = guest.output(f"rr ask {address} {port} {round(seconds * 1000)}", timeout=seconds + 30).split()
    names = ("min_us", "p50_us", "p99_us", "max_us")
    return {"requests": int(nr), **dict(zip(names, map(int, times)))}


def jain(shares):
    """Jain's index of fairness: 1 if all are equal, 1/n if one has everything."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 0.0


def checked_transfers(lab, wire, guest, nr_bytes=16 << 20, timeout=120):
    """TCP both ways with SHA-256 on both ends; CheckFailed if anything differs.

    Returns the seconds each took.  The sums cost time: this is no benchmark.
    """
    tool = lab.built.images / "tools" / "tcpsum"
    server = wire.popen([str(tool), "serve", str(SUM_PORT), "2"], stdout=subprocess.PIPE)
    _wait_line(server, "listening", "tcpsum's server at the wire's end")
    figures = {}
    for verb, name in (("send", "to_wire"), ("recv", "to_guest")):
        started = time.monotonic()
        theirs = guest.output(f"tcpsum {verb} {wire.ip} {SUM_PORT} {nr_bytes}", timeout=timeout)
        ours = server.stdout.readline().strip()
        if theirs != ours or not ours.endswith(f" {nr_bytes}"):
            raise CheckFailed(f"{guest.name}: {nr_bytes} bytes {name} arrived changed: "
                              f"the guest has {theirs!r}, the wire's end {ours!r}")
        figures[name] = {"bytes": nr_bytes, "seconds": round(time.monotonic() - started, 2)}
    server.wait(10)
    return figures


def traffic(lab, wire, guest, guest_ip, driver_domain, seconds=6):
    """Everything about a forwarding driver domain, in one dict."""
    return {
        "ping_guest_to_wire": ping(guest, wire.ip),
        "ping_wire_to_guest": ping(wire, guest_ip),
        "tcp_to_wire": tcp(wire, guest, True, seconds, driver_domain),
        "tcp_to_guest": tcp(wire, guest, False, seconds, driver_domain),
        "checked_transfers": checked_transfers(lab, wire, guest),
        "memory_mb": driver_domain.memory_mb(),
    }


def save(lab, figures, name="figures.json"):
    """Print figures, and keep them in the run directory."""
    text = json.dumps(figures, indent=2)
    (lab.run_dir / name).write_text(text + "\n")
    print(text, flush=True)


def _iperf_report(guest, result):
    try:
        report = json.loads(result.stdout)
    except ValueError as bad:
        raise CheckFailed(f"{guest.name}: iperf3 printed no report: "
                          f"{(result.stdout + result.stderr)[-800:]}") from bad
    if "error" in report:
        raise CheckFailed(f"{guest.name}: iperf3: {report['error']}")
    return report


def _wait_line(process, text, what):
    for line in process.stdout:
        if text in line:
            return
    raise CheckFailed(f"{what} ended before it listened (code {process.wait()})")
