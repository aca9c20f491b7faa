"""Tries what share/ has for operations; ci/deploy.sh calls it. All but `files` want an IPC namespace of their own."""

import configparser
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kubernetes_validate
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

SHARE = Path(__file__).resolve().parents[2] / "share"
KEY = "0x77"
LONG = 20  # seconds; no speed is tested


def until(what, look):
    """Looks until there is something, and returns it."""
    end = time.monotonic() + LONG
    while not (found := look()):
        assert time.monotonic() < end, f"not within {LONG} s: {what}"
        time.sleep(0.01)
    return found


class Process:
    """A command whose output is kept in a file; killed at the end."""

    def __init__(self, words, stdin=subprocess.DEVNULL):
        self.output = tempfile.NamedTemporaryFile(mode="r", suffix=".out")
        self.words = words
        with open(self.output.name, "w") as to:
            self.child = subprocess.Popen(words, stdin=stdin, stdout=to, stderr=subprocess.STDOUT, start_new_session=True)

    def said(self):
        return Path(self.output.name).read_text()

    def until_says(self, words, times=1):
        until(f"{words!r} from {self.words}, which said: {self.said()}", lambda: self.said().count(words) >= times)

    def end(self, number=signal.SIGTERM):
        """Signals the whole of it, as a container's runtime or systemd does, and returns the exit code."""
        os.killpg(self.child.pid, number)
        code = self.child.wait(LONG)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, timeout=LONG, **more)


def sysctl(name, value):
    """Sets one in this namespace, and says whether it could."""
    try:
        Path("/proc/sys", *name.split(".")).write_text(str(value))
    except PermissionError:
        print(f"  ci/deploy.sh: NOT CHECKED: {name}={value}, which only root may set here", file=sys.stderr)
        return False
    return True


def nothing_left():
    segments = json.loads(run("shm-handoff", "ls", "--all", "--json").stdout)["segments"]
    assert segments == [], segments


# --- the files


def files():
    pod = yaml.safe_load((SHARE / "containers/kubernetes.yaml").read_text())
    version = kubernetes_validate.latest_version()
    kubernetes_validate.validate(pod, version, strict=True)
    wrong = yaml.safe_load((SHARE / "containers/kubernetes.yaml").read_text())
    wrong["spec"]["containers"][0]["livenessProb"] = {}
    try:
        kubernetes_validate.validate(wrong, version, strict=True)
        raise AssertionError("the schema takes a field that there is not")
    except kubernetes_validate.ValidationError:
        pass
    containers = pod["spec"]["containers"]
    assert len(containers) == 2 and not pod["spec"].get("hostIPC")
    for container in containers:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, container
        assert container["resources"]["limits"]["memory"], container
        assert container["readinessProbe"]["exec"]["command"][:2] == ["shm-handoff", "stat"], container
    print(f"deploy: kubernetes.yaml keeps the schema of Kubernetes {version}")

    # (There is no schema of Compose here: what the recipe stands on is looked at, and no more.)
    services = yaml.safe_load((SHARE / "containers/compose.yaml").read_text())["services"]
    assert services["ipc"]["ipc"] == "shareable"
    for name in ("reader", "writer"):
        service = services[name]
        assert service["ipc"] == "service:ipc" and "ipc" in service["depends_on"], service
        assert service["user"] == services["reader"]["user"], "both sides need the same user"
        assert service["healthcheck"]["test"][0] == "CMD", service

    groups = yaml.safe_load((SHARE / "prometheus/shm-handoff.rules.yaml").read_text())["groups"]
    assert all(rule["annotations"]["summary"] for group in groups for rule in group["rules"])


# --- the metrics


def parsed(text):
    """Samples by name and labels, by the parser of each format; both have to see the same."""
    samples = [
        {(sample.name, frozenset(sample.labels.items())): sample.value for family in parse(text) for sample in family.samples}
        for parse in (openmetrics, prometheus)
    ]
    assert samples[0] == samples[1] and samples[0], text
    return samples[0]


def value(samples, name, **labels):
    wanted = set(labels.items())
    found = [value for (this, those), value in samples.items() if this == name and wanted <= those]
    return found[0] if len(found) == 1 else found


def metrics():
    def scrape(*args):
        done = run("shm-handoff", "stat", "--metrics", *args)
        assert done.returncode == 0, done
        return parsed(done.stdout)

    assert value(scrape(), "shm_handoff_channels") == 0
    assert run("shm-handoff", "stat", "--metrics", KEY).returncode == 1, "as stat"
    assert run("shmwrite", "-k", KEY, "--ring=64K", "one", "two").returncode == 0
    assert run("shmread", "-k", KEY, "--count", "1").returncode == 0
    with Process(["shmread", "-k", "1234"]) as reader:
        until("a reader", lambda: value(scrape(), "shm_handoff_seated", key="0x000004d2", role="reader") == 1)
        one, every = scrape(KEY), scrape("--all")
        for samples in (one, every):
            about = {"key": "0x00000077", "layout": "ring"}
            shown = json.loads(run("shm-handoff", "stat", KEY, "--json").stdout)
            about["id"] = str(shown["id"])
            expected = {
                "waiting_messages": 1, "waiting_bytes": 4, "ring_capacity_bytes": 65536, "attachments": 0, "ring_ended": 0,
                "published_bytes_total": shown["ring"]["tail"], "released_bytes_total": shown["ring"]["released"],
                "writer_failed": 0, "broken": 0, "segment_info": 1, "segment_size_bytes": shown["size"],
            }
            for name, number in expected.items():
                assert value(samples, f"shm_handoff_{name}", **about) == number, (name, samples)
            assert value(samples, "shm_handoff_status", status="waiting", **about) == 1
            assert value(samples, "shm_handoff_status", status="used", **about) == 0
        assert value(every, "shm_handoff_channels") == 2 and value(one, "shm_handoff_channels") == []
        assert reader.end() == 143
    # A counter has its type by OpenMetrics.
    types = {family.name: family.type for family in openmetrics(run("shm-handoff", "stat", "--metrics").stdout)}
    assert types["shm_handoff_published_bytes"] == "counter" and types["shm_handoff_broken"] == "gauge", types
    textfile()
    print(f"deploy: both parsers of prometheus_client take {len(types)} metrics")


def textfile():
    script = SHARE / "prometheus/shm-handoff-textfile.sh"
    with tempfile.TemporaryDirectory() as folder:
        assert run(script, folder).returncode == 0
        file = Path(folder, "shm-handoff.prom")
        before = file.read_text()
        assert value(parsed(before), "shm_handoff_channels") == 2 and file.stat().st_mode & 0o777 == 0o644
        # One that fails leaves the last file, and nothing beside it.
        stub = Path(folder, "bin", "shm-handoff")
        stub.parent.mkdir()
        stub.write_text("#!/bin/sh\necho half\nexit 1\n")
        stub.chmod(0o755)
        done = run(script, folder, env={**os.environ, "PATH": f"{stub.parent}:{os.environ['PATH']}"})
        assert done.returncode == 1 and file.read_text() == before, done
        assert sorted(os.listdir(folder)) == ["bin", "shm-handoff.prom"], os.listdir(folder)
        assert run(script).returncode == 2, "a folder is missing"
        # The folder's owner, which is another user than the script's, puts links in the way of both its names.
        victim, trap = Path(folder, "victim"), Path(folder, "trap")
        victim.write_text("secret")
        victim.chmod(0o600)
        trap.mkdir()
        file.unlink()
        file.symlink_to(trap)
        stub.write_text(f"#!/bin/sh\necho new\ncd {folder}\nln -sf victim .shm-handoff.??????\n")
        run(script, folder, env={**os.environ, "PATH": f"{stub.parent}:{os.environ['PATH']}"})
        assert victim.read_text() == "secret" and victim.stat().st_mode & 0o777 == 0o600, "it follows no link"
        assert os.listdir(trap) == [], "it moves nothing elsewhere"


# --- the units


def unit(name):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(SHARE / "systemd" / name)
    return {key: text.replace("%I", KEY).replace("%i", KEY) for section in parser.values() for key, text in section.items()}


def units():
    reads, writes, socket = unit("shmread@.service"), unit("shmwrite@.service"), unit("shmwrite@.socket")
    for service in (reads, writes):
        # Its own IPC namespace, or objects that go with it, would make the service useless.
        assert service["PrivateIPC"] == "no" and service["RemoveIPC"] == "no" and "DynamicUser" not in service
        assert service["User"] == socket["SocketUser"]
        # Sessions of a second each would reach systemd's own limit within ten seconds.
        assert service["Restart"] == "always" and service["StartLimitIntervalSec"] == "0"
        needs_a_person = {int(code) for code in service["RestartPreventExitStatus"].split()}
        in_order = {int(code) for code in service["SuccessExitStatus"].split()}
    with tempfile.TemporaryDirectory() as folder:
        fifo = Path(folder, Path(socket["ListenFIFO"]).name)
        os.mkfifo(fifo)
        # As systemd opens it.
        lines = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        with Process(shlex.split(reads["ExecStart"])) as reader:
            until("a segment", lambda: run("shm-handoff", "stat", KEY).returncode == 0)
            for times, line in enumerate(("one\n", "two\n"), 1):
                with Process(shlex.split(writes["ExecStart"]), stdin=lines) as writer:
                    fifo.open("w").write(line)
                    reader.until_says(line)
                    assert writer.end() in in_order, writer.said()
                reader.until_says("writer died or failed: pid", times)
            busy = run(*shlex.split(reads["ExecStart"]))
            assert busy.returncode == 6 and 6 in needs_a_person, busy
            assert run("shmread", "--nonsense").returncode in needs_a_person
            assert 3 not in needs_a_person and 1 not in needs_a_person
            assert reader.end() in in_order, reader.said()
        os.close(lines)
    assert run("shm-handoff", "rm", KEY).returncode == 0
    nothing_left()
    print("deploy: the commands of the units run")


# --- the recipes


def hand_over(reader, writer, probe):
    """Two commands hand something over; the writer is killed and started anew. The last one is left running."""
    assert run(*probe).returncode == 1, "nothing is there yet"
    with Process(reader) as reading:
        until("the probe", lambda: run(*probe).returncode == 0)
        for times in (1, 2):
            with Process(writer) as writing:
                until("messages", lambda: reading.said().count('"seq":') >= 2 * times)
                assert run(*probe).returncode == 0
                if times == 1:
                    writing.end(signal.SIGKILL)
                    reading.until_says("writer died or failed: pid")
        reading.end()


def child_of(pid):
    """The process that another one has started, or 0."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[1]) == pid:
            return int(stat.parent.name)
    return 0


def ends(reader, writer):
    """As a container's first process the writer ends by SIGTERM, which only a handler lets through, and without a seat."""
    alone = ["unshare", "--pid", "--fork", "--kill-child"]
    if run(*alone, "true").returncode != 0:
        print("  ci/deploy.sh: NOT CHECKED: that the writer ends: no pid namespace can be had here (unshare)", file=sys.stderr)
        return
    with Process(reader) as reading, Process([*alone, *writer]) as writing:
        writing.until_says(" segment ")  # it has the seat
        second = run(*alone, *writer)
        assert second.returncode == 6, second
        assert (first := child_of(writing.child.pid)), "the writer has ended"
        os.kill(first, signal.SIGTERM)
        code = writing.child.wait(10)  # docker's patience
        assert code == 143 and "ended by SIGTERM" in writing.said(), (code, writing.said())
        reading.end()


def compose():
    services = yaml.safe_load((SHARE / "containers/compose.yaml").read_text())["services"]
    for name, service in services.items():
        locked = (service["read_only"], service["cap_drop"], service["security_opt"])
        assert locked == (True, ["ALL"], ["no-new-privileges:true"]) and int(service["user"].split(":")[0]) > 0, name
    for name, number in services["ipc"]["sysctls"].items():
        if sysctl(name, number):
            shown = Path("/proc/sys", *name.split(".")).read_text().split()
            assert shown == str(number).split(), (name, shown)
    command = {name: shlex.split(services[name]["command"]) for name in ("reader", "writer")}
    hand_over(command["reader"], command["writer"], services["reader"]["healthcheck"]["test"][1:])
    ends(command["reader"], command["writer"])
    assert run("shm-handoff", "stat", KEY).returncode == 0, "the namespace keeps it"
    assert run("shm-handoff", "rm", "--force", KEY).returncode == 0
    print("deploy: the commands of compose.yaml run")


def kubernetes():
    spec = yaml.safe_load((SHARE / "containers/kubernetes.yaml").read_text())["spec"]
    assert spec["automountServiceAccountToken"] is False and spec["securityContext"]["runAsNonRoot"] is True
    sysctls = spec["securityContext"]["sysctls"]
    assert [item["name"] for item in sysctls] == ["kernel.shm_rmid_forced"], "the others are unsafe"
    forced = sysctl(sysctls[0]["name"], sysctls[0]["value"])
    reader, writer = (container["command"] for container in spec["containers"])
    hand_over(reader, writer, spec["containers"][0]["startupProbe"]["exec"]["command"])
    ends(reader, writer)
    if forced:
        until("nothing is left behind", lambda: not json.loads(run("shm-handoff", "ls", "--all", "--json").stdout)["segments"])
    print("deploy: the commands of kubernetes.yaml run")


if __name__ == "__main__":
    {f.__name__: f for f in (files, metrics, units, compose, kubernetes)}[sys.argv[1]]()
