# SPDX-License-Identifier: BSD-2-Clause
"""A real Prometheus scrapes ferryd while a driver domain serves a guest and dies: what it makes of the metrics, of
the alert rules and of each query of the dashboard (docs/examples/prometheus).

Prometheus is Debian's, run on this machine (tools/prometheus); what it sends goes to ferryd's socket in dom0
byte by byte, over the lab's channel. A Grafana is not in Debian: of its file the queries are tried.
"""
import json
import re
import socketserver
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect
from ferrylab import CheckFailed

IN_CHECK = False  # Prometheus is 90 MB to fetch; vif_statistics has promtool look at the same metrics and rules
COMMAND = "tests/run-system metrics_prometheus"
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "prometheus"
NAME = "domnet"
METRICS = "127.0.0.1:9101"
SCRAPE_S = 2
PINGS, INTERVAL_S, WINDOW_S = 400, 0.05, 15
CRASHES = 4  # FerryDomainDies wants more than two


class Relay(socketserver.ThreadingTCPServer):
    """A port of this machine that leads to ferryd's in dom0."""
    daemon_threads = True

    def __init__(self, lab):
        self.dom0 = lab.dom0
        super().__init__(("127.0.0.1", 0), Connection)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            got = self.request.recv(4096)
            if not got:
                return
            request += got
        answer = self.server.dom0.run(f"busybox nc {METRICS.replace(':', ' ')}", stdin=request, check=False, timeout=20)
        self.request.sendall(answer.stdout.encode())


class Prometheus:
    """Runs until end(); keeps what it knows in the run directory."""

    def __init__(self, lab, target):
        place = lab.run_dir / "prometheus"
        place.mkdir(exist_ok=True)
        config = {"global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"},
                  "rule_files": [str(EXAMPLES / "ferry.rules.yml")],
                  "scrape_configs": [{"job_name": "ferry", "static_configs": [{"targets": [target]}]}]}
        (place / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        with socketserver.TCPServer(("127.0.0.1", 0), None) as unused:
            self._at = f"127.0.0.1:{unused.server_address[1]}"
        self._log = place / "log"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [ROOT / "tools" / "prometheus", f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/data",
                 f"--web.listen-address={self._at}"], stdout=log, stderr=log)
        common.wait_for(self._answers, f"Prometheus does not start; see {self._log}", 180)

    def _answers(self):
        if self._process.poll() is not None:
            raise CheckFailed(f"Prometheus ended with {self._process.returncode}: {self._log.read_text()[-800:]}")
        try:
            return urllib.request.urlopen(f"http://{self._at}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def get(self, path, **query):
        address = f"http://{self._at}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(address, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise CheckFailed(f"Prometheus: {query}: {refused.read().decode()}") from refused

    def query(self, text):
        """[(labels, value)]"""
        return [(found["metric"], float(found["value"][1])) for found in self.get("query", query=text)["result"]]

    def end(self):
        self._process.terminate()
        self._process.wait(20)


def target_is_up(prometheus):
    """Two rounds of it, so that rates can be made."""
    def is_up():
        targets = prometheus.get("targets")["activeTargets"]
        return targets and targets[0]["health"] == "up" and prometheus.query("count_over_time(up[1m]) >= 3")
    common.wait_for(is_up, f"not scraped: {prometheus.get('targets')['activeTargets']}", 30)


def rate_is_what_was_sent(lab, prometheus, guest, vif):
    guest.run(f"ping -q -c {PINGS} -i {INTERVAL_S} {lab.wire['A'].ip}", timeout=90)
    found = prometheus.query(f'rate(ferry_port_frames_total{{port="{vif}",direction="in"}}[{WINDOW_S}s])')
    expect(len(found) == 1 and 0.5 / INTERVAL_S < found[0][1] < 1.5 / INTERVAL_S,
           f"{1 / INTERVAL_S:.0f} pings a second, Prometheus says {found}")


def every_family_has_its_type(lab, prometheus):
    page = lab.dom0.output(f"busybox wget -q -O - http://{METRICS}/metrics", timeout=20)
    known = {name: entries[0]["type"] for name, entries in prometheus.get("metadata").items()}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE):
        # In OpenMetrics' format a counter's family is named without _total, and an info's without _info.
        names = {name, name.removesuffix("_total"), name.removesuffix("_info")}
        told = {known[each] for each in names if each in known}
        expect(told and (kind in told or kind == "gauge" and told == {"info"}), f"{name} is a {kind}, Prometheus knows {told}")


def dashboard_has_data(prometheus):
    for panel in json.loads((EXAMPLES / "ferry-dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            found = prometheus.query(target["expr"].replace("$domain", ".*"))
            empty_is_right = panel["title"] == "Degraded, and why"
            expect(bool(found) != empty_is_right, f"dashboard: {panel['title']}: {target['expr']}: {found}")


def rules_work(prometheus):
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    wrong = [(rule["name"], rule["health"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"]
    expect(rules and not wrong, f"rules: {wrong or 'there are none'}")


def counters_go_back(prometheus, most):
    """A rebuilt domain begins anew; a restart in place does not."""
    for name in ("ferry_port_frames_total", "ferry_port_bytes_total", "ferry_port_drops_total", "ferry_recoveries_total"):
        expect(prometheus.query(f"resets({name}[10m])"), f"{name}: Prometheus has no samples of it")
        allowed = 0 if name == "ferry_recoveries_total" else most
        found = prometheus.query(f"resets({name}[10m]) > {allowed}")
        expect(not found, f"{name} went back: {found}")


def deaths_are_told(prometheus, depth, nr):
    def is_told():
        return sum(value for _, value in prometheus.query(f'ferry_recoveries_total{{domain="{NAME}",depth="{depth}"}}')) == nr
    common.wait_for(is_told, f"not {nr} recoveries at depth {depth}: {prometheus.query('ferry_recoveries_total')}", 20)


def alert_fires(prometheus, name):
    def fires():
        return any(alert["labels"]["alertname"] == name and alert["state"] == "firing" for alert in prometheus.get("alerts")["alerts"])
    common.wait_for(fires, f"{name} does not fire: {prometheus.get('alerts')}; {prometheus.query('ferry_recoveries_total')}", 30)


def nr_increased(prometheus):
    return sum(value for _, value in prometheus.query(f'increase(ferry_recoveries_total{{domain="{NAME}"}}[1h])'))


def restart_counts_no_death_again(lab, prometheus):
    """ferryd begins anew: what it counts begins at 0, what Prometheus makes of that does not grow. Returns the new ferryd."""
    before = nr_increased(prometheus)
    expect(before > CRASHES - 1, f"{CRASHES} deaths and more, Prometheus says {before}")
    common.ferryd_end(lab)
    ferryd = common.supervise(lab, f"--metrics {METRICS}")
    for depth in ("none", "1", "2", "3"):
        deaths_are_told(prometheus, depth, 0)
    time.sleep(3 * SCRAPE_S)
    after = nr_increased(prometheus)
    expect(after < before + 0.9, f"{before} deaths before ferryd was restarted, {after} after it, and none between")
    domid = common.status(lab, NAME)["domid"]
    common.death(lab, lambda: lab.dom0.run(f"xenstore-write /local/domain/{domid}/ferry/fault 'null again'"), "null")
    deaths_are_told(prometheus, 1, 1)
    return ferryd


def run(lab):
    common.install(lab)
    ferryd = common.supervise(lab, f"--metrics {METRICS}")
    path = common.config(lab, name=NAME, image="ferry-net-faults", extra="restarts=60 bridge=xenbr0,uplink=nic0")
    domain = common.start(lab, path, NAME)
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console(NAME, "nic0: link up", timeout=20)
    common.ping_works(lab, guest)
    vif = f"vif{guest.domid}.0"
    prometheus = Prometheus(lab, f"127.0.0.1:{Relay(lab).server_address[1]}")
    try:
        target_is_up(prometheus)
        rate_is_what_was_sent(lab, prometheus, guest, vif)
        for number in range(CRASHES):
            common.death(lab, lambda: lab.dom0.run(f"xenstore-write /local/domain/{domain.domid}/ferry/fault 'null {number}'"),
                         "null")
            time.sleep(SCRAPE_S)
        deaths_are_told(prometheus, 1, CRASHES)
        counters_go_back(prometheus, 0)
        common.death(lab, lambda: lab.dom0.run(f"xl destroy {NAME}", timeout=60), "xl destroy")
        common.ping_works(lab, guest)
        deaths_are_told(prometheus, 3, 1)
        alert_fires(prometheus, "FerryDomainDies")
        rate_is_what_was_sent(lab, prometheus, guest, vif)
        counters_go_back(prometheus, 1)
        every_family_has_its_type(lab, prometheus)
        dashboard_has_data(prometheus)
        rules_work(prometheus)
        ferryd = restart_counts_no_death_again(lab, prometheus)
    finally:
        prometheus.end()
    lab.dom0.run(f"ferry stop {NAME}", timeout=60)
    ferryd.kill()
