"""The world that the demo, the bench and the integration tests live in: a development PKI, gateways, offices.

    world = World(build_folder, countries)      a temporary folder, free ports, a PKI; desks=True: with desks
    world.gateway("th").start() / .kill() / .stop()
    world.office("th", "focal", "officer-1").json("list")       "health", ... and "ngo-beta" with desks
    world.close()
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
TITLES = {"kh": "Cambodia", "cn": "China", "la": "Lao PDR", "mm": "Myanmar", "th": "Thailand", "vn": "Viet Nam"}
COUNTRIES = list(TITLES)


class WorldFailed(Exception):
    """Something that cannot be gone on without; its text is for the person at the terminal."""


PORTS_PER_WORLD = 16  # the last one is bound, never used, as long as the world stands: two worlds never share ports


def reserve_ports():
    """(socket that holds the reservation, first port). Below the range that the system gives to outgoing connections."""
    slots = list(range(20000, 32000, PORTS_PER_WORLD))
    start = os.getpid() % len(slots)
    for base in slots[start:] + slots[:start]:
        keeper = socket.socket()
        held = [keeper]
        try:
            keeper.bind(("127.0.0.1", base + PORTS_PER_WORLD - 1))
            for port in range(base, base + PORTS_PER_WORLD - 1):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            held.remove(keeper)
            return keeper, base
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise WorldFailed("no free neighbouring ports on 127.0.0.1")


class World:
    """A temporary folder with a PKI for `countries`; gateways and offices are made when first asked for."""

    def __init__(self, build, countries=None, today=None, deadline_s=900, desks=False, exercise=True):
        build = os.path.abspath(build)
        self.referral = os.path.join(build, "client/cli/referral")
        self.gateway_program = os.path.join(build, "gateway/referral-gateway")
        self.countries = countries or COUNTRIES
        self.today, self.deadline_s = today, deadline_s
        self.exercise = "true" if exercise else "false"
        self.folder = tempfile.mkdtemp(prefix="referral-world-")
        self.runtime = os.path.join(self.folder, "run")
        self.ports, self.base_port = reserve_ports()
        self.quorum = len(self.countries) // 2 + 1
        self.authorities = ", ".join(f'"{self.folder}/authority/{country}.pem"' for country in self.countries)
        self.gateways, self.offices = {}, {}
        subprocess.run([os.path.join(SOURCE, "certs/dev-pki"), self.folder, "--countries", ",".join(self.countries),
                        "--base-port", str(self.base_port), *(["--desks"] if desks else [])],
                       check=True, stdout=subprocess.DEVNULL)
        os.mkdir(self.runtime, 0o700)

    def port(self, country):
        return self.base_port + self.countries.index(country)

    def gateway(self, country, **options):
        if country not in self.gateways:
            self.gateways[country] = Gateway(self, country, **options)
        return self.gateways[country]

    def office(self, country, name, officer):
        key = (country, name, officer)
        if key not in self.offices:
            self.offices[key] = Office(self, *key)
        return self.offices[key]

    def settle(self, *offices, seconds=120):
        """These offices sync until two whole rounds have moved nothing and no gateway owes another anything: a key card
        on its way between two gateways is owed by nobody."""
        limit = time.monotonic() + seconds
        quiet = 0
        while True:
            told = [office.json("sync", "--until-quiet", "50ms") for office in dict.fromkeys(offices)]
            moved = sum(one[key] for one in told for key in ("submitted", "delivered", "proofs_verified", "documents", "waiting"))
            quiet = quiet + 1 if moved == 0 and all(gateway.quiet() for gateway in self.gateways.values()) else 0
            if quiet == 2:
                return
            if time.monotonic() > limit:
                raise WorldFailed(f"still something on its way after {seconds} s")

    def close(self):
        for gateway in self.gateways.values():
            gateway.stop()
        self.ports.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Office:
    """One officer's client of one office: a home folder and the `referral` command."""

    def __init__(self, world, country, name, officer):
        self.world, self.country, self.name = world, country, f"{country}/{name}"
        self.home = os.path.join(world.folder, country, "home", f"{name}-{officer}")
        self.officer = officer
        keys = os.path.join(world.folder, country, name, officer)
        os.makedirs(self.home, mode=0o700)
        with open(os.path.join(self.home, "client.cfg"), "w", encoding="utf-8") as out:
            out.write(
                f'office = "{self.name}";\nofficer = "{officer}";\ndevice = "desk-{officer[-1]}";\n'
                f'gateway = "127.0.0.1:{world.port(country)}";\nexercise = {world.exercise};\n'
                f'keys = {{ sign = "{keys}/sign.pem"; sign_key = "{keys}/sign.key"; '
                f'tls = "{keys}/tls.pem"; tls_key = "{keys}/tls.key"; }};\n'
                f"trust = {{ folder = \"{world.folder}/{country}/trust\"; quorum = \"{world.quorum}\"; "
                f"authorities = ( {world.authorities} ); }};\n"
                f"agreements = ( {', '.join(self.agreement(other) for other in world.countries if other != country)} );\n")

    @staticmethod
    def agreement(country):
        return (f'{{ with = "{country}"; id = "EXERCISE-{country.upper()}"; purposes = ( "RETURN", "TRACING", "SERVICES", '
                '"FAMILY_REUNION", "JUSTICE", "ONWARD" ); }')

    def command(self, *words, ok=(0,)):
        today = ["--today", self.world.today] if self.world.today else []
        line = [self.world.referral, "-C", self.home, *today, *words]
        result = subprocess.run(line, capture_output=True, text=True, timeout=self.world.deadline_s, check=False)
        if result.returncode not in ok:
            raise WorldFailed(f"{' '.join(line)}: exit {result.returncode}\n{result.stderr.strip()[-2000:]}")
        return result

    def json(self, *words, ok=(0,)):
        text = self.command(*words, "--json", ok=ok).stdout
        return json.loads(text) if text.strip() else {}

    def journal(self):
        return [json.loads(line) for line in self.command("journal", "--json").stdout.splitlines() if line.strip()]


class Gateway:
    def __init__(self, world, country, listen=None, dial=True, limits=""):
        self.world, self.country = world, country
        self.folder = os.path.join(world.folder, country, "gateway")
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.config = os.path.join(self.folder, "gateway.cfg")
        self.log = os.path.join(self.folder, "gateway.log")
        self.process = None
        base = os.path.join(world.folder, country)
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(
                f'country = "{country}";\nlisten = "127.0.0.1:{listen or world.port(country)}";\n'
                f'data = "{self.folder}/data";\nruntime = "{world.runtime}/{country}";\nexercise = {world.exercise};\ndial = {"true" if dial else "false"};\n'
                f'tls = {{ certificate = "{base}/gateway-tls.pem"; key = "{base}/gateway-tls.key"; }};\n'
                f'log_key = "{base}/log.key";\nlimits = {{ {limits} }};\n'
                f"trust = {{ folder = \"{base}/trust\"; quorum = \"{world.quorum}\"; "
                f"authorities = ( {world.authorities} ); }};\n")

    def start(self):
        ready, told = os.pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.world.gateway_program, "run", "-c", self.config, "--ready-fd", str(told)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, pass_fds=(told,), start_new_session=True)
        os.close(told)
        self.wait_ready(ready)

    def wait_ready(self, ready):
        limit = time.monotonic() + 20
        os.set_blocking(ready, False)
        try:
            while time.monotonic() < limit:
                try:
                    if os.read(ready, 16):
                        return
                    break
                except BlockingIOError:
                    time.sleep(0.01)
        finally:
            os.close(ready)
        raise WorldFailed(f"the gateway of {self.country} did not become ready; see {self.log}")

    def kill(self):
        """As a power cut would: every process of this gateway at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            try:
                os.killpg(self.process.pid, 0)
                time.sleep(0.005)
            except ProcessLookupError:
                return

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def log_tail(self, count):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                return log.read().splitlines()[-count:]
        except OSError:
            return []

    def status(self):
        return json.loads(subprocess.run([self.world.gateway_program, "status", "-c", self.config, "--json"],
                                         capture_output=True, text=True, check=True).stdout)["gateway"]

    def quiet(self):
        """Nothing waits here for a gateway that could be reached; one that is down owes nothing for now."""
        if self.process is None or self.process.poll() is not None:
            return True
        return all(peer["waiting"] == 0 for peer in self.status()["peers"] if peer["connected"])

    def entries(self):
        """The entries of this gateway's log, from its store."""
        out = subprocess.run([self.world.gateway_program, "log", "-c", self.config, "--json"], capture_output=True, text=True,
                             check=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    def resident_bytes(self):
        """RSS of all processes of this gateway."""
        group, total = self.process.pid, 0
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getpgid(int(name)) == group:
                    with open(f"/proc/{name}/statm", encoding="ascii") as statm:
                        total += int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (OSError, ProcessLookupError):
                continue
        return total
