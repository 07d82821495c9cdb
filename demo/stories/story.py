"""What a story is made of: a cast of offices in one world, acts through the real command, and the question who can read it.

    story = Story(cast, "An adult returns")
    case = story.case("th", origin_country="LA", ...)        imported at the host's focal point
    story.write("th/focal", "TRACING_REQUEST", case, {...})  any kind, as JSON, then both sides sync
    story.state(case, "CLEARED")                             both offices must say so
    story.readers(case, "HEALTH_SUMMARY", "health", {"la/health"})
    story.timeline("la/focal", case)
"""
import glob
import json
import os
import subprocess


class StoryFailed(Exception):
    """What was promised did not happen; the text says what and where."""


def expect(condition, text):
    if not condition:
        raise StoryFailed(text)


class Cast:
    """Everybody: offices by name, their second officers, and all reading keys there are."""

    def __init__(self, world, try_keys):
        self.world, self.try_keys = world, try_keys

    def office(self, name, officer="officer-1"):
        country, desk = name.split("/")
        return self.world.office(country, desk, officer)

    def keys(self):
        """{path of a reading key: "la/health officer-1"}, of everybody who ever opened a folder."""
        return {path: f"{office.name} {office.officer}" for office in self.world.offices.values()
                for path in glob.glob(os.path.join(office.home, "keys", "read-*.key"))}

    def sync(self, *names):
        """Twice around: what the first round brings may be answered by itself in the second."""
        for _ in range(2):
            for name in names:
                self.office(*name.split()).command("sync")

    def who_opens(self, sealed):
        """{name of the sealed section: {officers whose keys open it}}, by trying every key there is on each."""
        keys = self.keys()
        folder = os.path.join(self.world.folder, "sealed")
        os.makedirs(folder, exist_ok=True)
        paths = {}
        for at, (name, der) in enumerate(sealed.items()):
            path = os.path.join(folder, f"{at}.der")
            with open(path, "wb") as out:
                out.write(der)
            paths[path] = name
        found = subprocess.run([self.try_keys, *keys], input="\n".join(paths), capture_output=True, text=True, check=True).stdout
        readers = {name: set() for name in sealed}
        for line in found.splitlines():
            path, key = line.split("\t")
            readers[paths[path]].add(keys[key])
        return readers


class Story:
    def __init__(self, cast, title):
        self.cast, self.title, self.lines = cast, title, []
        self.checked = 0  # pairs of section and key that were tried

    def say(self, text):
        self.lines.append(text)
        print(f"  {text}", flush=True)

    def command(self, who, *words, ok=(0,), stdin=None):
        office = self.cast.office(*who.split())
        line = [self.cast.world.referral, "-C", office.home, *words]
        result = subprocess.run(line, capture_output=True, input=stdin, text=True, timeout=120, check=False)
        expect(result.returncode in ok, f"{who}: referral {' '.join(words)}: exit {result.returncode}, expected {ok}\n{result.stderr.strip()}")
        return result

    def json(self, who, *words, ok=(0,), stdin=None):
        text = self.command(who, *words, "--json", ok=ok, stdin=stdin).stdout
        return json.loads(text) if text.strip() else {}

    def refused(self, who, reason_id, *words, stdin=None):
        """The command must say no, for this reason."""
        said = self.command(who, *words, ok=range(1, 256), stdin=stdin).stderr
        expect(reason_id in said, f"{who}: referral {' '.join(words)} should be refused with {reason_id}, said: {said.strip()}")
