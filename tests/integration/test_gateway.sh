#!/bin/bash
# Real gateways: start, status, kills, signals, crash points, a lost notary, a restored store, separation.
# usage: test_gateway.sh GATEWAY BENCH_LOAD SOURCE
set -euo pipefail
gateway=$1
load=$2
source=$3
work=$(mktemp -d /tmp/rg-gateway-XXXXXX)
pki=$work/pki
declare -A main_pid=()

finish() {
    exec 2>/dev/null # "Killed" is no news
    for cc in "${!main_pid[@]}"; do kill -9 "${main_pid[$cc]}" 2>/dev/null || true; done
    [ "${KEEP:-}" = 1 ] || rm -rf "$work"
}
trap finish EXIT
step() { echo "--- $SECONDS s: $*"; }
fail() {
    echo "FAILED: $*"
    for cc in kh th; do [ ! -e "$work/$cc.log" ] || { echo "== $cc.log" && tail -n 25 "$work/$cc.log"; }; done
    exit 1
}

# within SECONDS COMMAND...: the command comes true before the deadline
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        read -rt 0.03 <> <(:) || true
    done
}
# status CODE COMMAND...: the command ends with that exit status; its output is in $out
status() {
    local want=$1 got=0
    shift
    out=$("$@" 2>&1) || got=$?
    [ "$got" = "$want" ] || fail "exit $got instead of $want: $* -> $out"
}
says() { case $out in *"$1"*) ;; *) fail "no \"$1\" in: $out" ;; esac }
logged() { grep -q "event=$2" "$work/$1.log"; }

free_base_port() {
    local port
    for _ in $(seq 100); do
        port=$((12000 + RANDOM % 8000)) # below what demo/world.py and the system give out
        [ -z "$(ss -Htln "sport >= $port and sport <= $((port + 1))")" ] && echo "$port" && return
    done
    return 1
}

config() { # CC PORT [MORE]
    cat >"$work/$1.cfg" <<TEXT
country = "$1";
listen = "127.0.0.1:$2";
data = "data-$1";
runtime = "run-$1";
tls = { certificate = "pki/$1/gateway-tls.pem"; key = "pki/$1/gateway-tls.key"; };
log_key = "pki/$1/log.key";
trust = { folder = "pki/$1/trust"; authorities = ("pki/authority/kh.pem", "pki/authority/th.pem"); quorum = "2"; };
exercise = true;
limits = { dial_max = "500ms"; };
${3:-}
TEXT
}

pid_of() { awk -v name="$2" '$1 == name { print $2 }' "$work/run-$1/processes"; }
is_ready() { [ -e "$work/run-$1/ready" ]; }
# start CC [VARIABLE=VALUE...]
start() {
    local cc=$1
    shift
    env "$@" "$gateway" run -c "$work/$cc.cfg" 2>>"$work/$cc.log" &
    main_pid[$cc]=$!
}
start_ready() {
    start "$@"
    within 10 is_ready "$1" || fail "$1 is not ready"
}
stop() { # CC: ends with status 0
    kill -TERM "${main_pid[$1]}"
    local got=0
    wait "${main_pid[$1]}" || got=$?
    unset "main_pid[$1]"
    [ "$got" = 0 ] || fail "$1 stopped with $got"
}
fresh() { rm -rf "$work"/data-* "$work"/run-* "$work"/*.log; }
count() { "$gateway" log -c "$work/$1.cfg" | awk -v kind="$2" '$3 == kind' | wc -l; }
unlike() { [ "$("$gateway" log -c "$work/$1.cfg" | awk -v kind="$2" '$3 == kind { print $4 }' | sort -u | wc -l)" = "$(count "$1" "$2")" ]; }
counts_are() { [ "$(count kh accepted)" = "$1" ] && [ "$(count kh receipt-verified)" = "$1" ] && [ "$(count th received)" = "$1" ]; }
all_confirmed() { [ "$(count kh accepted)" = "$(count kh receipt-verified)" ]; }
all_received() { counts_are "$(count kh accepted)"; }
sound() {
    status 0 "$gateway" log --verify -c "$work/$1.cfg"
    says "matches"
}
health() { "$gateway" status --json -c "$work/$1.cfg" | python3 -c 'import json,sys; s=json.load(sys.stdin)["gateway"]; print(s["health"], *[p["id"] for p in s["problems"]])'; }
health_is() { [ "$(health "$1" 2>/dev/null)" = "$2" ]; }

# died_at CC POINT: the process that passes this point was killed there, after the file said so
died_at() {
    local name=notary
    case $2 in commit:* | head:*) name=courier ;; esac
    grep -q "event=process-died process=main name=$name .*signal=9" "$work/$1.log"
}
# between CC POINT: both gateways are up and know each other; CC will die when messages pass POINT
between() {
    local cc
    fresh
    rm -f "$work/armed"
    for cc in th kh; do
        if [ "$cc" = "$1" ]; then start_ready "$cc" "RG_CRASH_AT=$2" "RG_CRASH_AFTER=$work/armed"; else start_ready "$cc"; fi
    done
    within 10 session_ready 1 || fail "no session"
    ! logged "$1" process-died || fail "$2: died before there were messages"
    : >"$work/armed"
}

base=$(free_base_port)
"$source/certs/dev-pki" "$pki" --countries kh,th --base-port "$base" >/dev/null
config kh "$base"
config th $((base + 1))

step "command line and check"
status 0 "$gateway" --help
says "usage: referral-gateway"
status 0 "$gateway" --version
status 64 "$gateway"
status 64 "$gateway" dance -c "$work/kh.cfg"
status 64 "$gateway" run
status 64 "$gateway" run -c "$work/kh.cfg" --ready-fd x
status 69 "$gateway" status -c "$work/kh.cfg"
status 0 "$gateway" check -c "$work/kh.cfg"
says "all is well"
config kh "$base" 'colour = "red";'
status 78 "$gateway" check -c "$work/kh.cfg"
says "colour"
config kh "$base" 'suspend = ("Thailand");'
status 78 "$gateway" run -c "$work/kh.cfg"
says "kh.cfg:10: suspend"
config kh "$base"
sed -i 's|pki/kh/gateway-tls|pki/th/gateway-tls|g' "$work/kh.cfg"
status 78 "$gateway" check -c "$work/kh.cfg"
says "certificate-principal"
config kh "$base"
chmod 644 "$pki/kh/log.key"
status 78 "$gateway" check -c "$work/kh.cfg"
says "key-file-readable"
status 78 "$gateway" run -c "$work/kh.cfg"
says "key-file-readable"
chmod 600 "$pki/kh/log.key"
cp "$work/kh.cfg" "$work/other.cfg"
sed -i 's|pki/kh/log.key|pki/th/log.key|' "$work/other.cfg"
status 78 "$gateway" check -c "$work/other.cfg"
says "log-key-other"

step "ready, status, one gateway per data folder, clean end"
fresh
exec 7<> <(:)
start_ready kh
status 0 "$gateway" status -c "$work/kh.cfg"
says "health     ok"
says "separation off"
health_is kh ok || fail "health: $(health kh)"
status 70 "$gateway" run -c "$work/kh.cfg"
says "data-locked"
courier=$(pid_of kh courier)
stop kh
[ ! -e "$work/run-kh/ready" ] || fail "still ready after the end"
! kill -0 "$courier" 2>/dev/null || fail "the courier outlived main"
port=$("$gateway" run -c "$work/kh.cfg" --ready-fd 5 5>&1 >/dev/null 2>/dev/null | { read -r port && pkill -TERM -f "run -c $work/kh.cfg" && echo "$port"; })
[ "$port" = "$base" ] || fail "--ready-fd said \"$port\""

step "a port that is let go in a moment is waited for, one that stays taken is named"
coproc holder { exec python3 -c 'import socket,sys; s=socket.create_server(("127.0.0.1",int(sys.argv[1]))); print("held",flush=True); sys.stdin.read()' "$base"; }
read -r _ <&"${holder[0]}"
# shellcheck disable=SC2154 # coproc sets it
holder_pid=$holder_PID
fresh
status 70 "$gateway" run -c "$work/kh.cfg"
says "listen-in-use"
start kh
within 10 logged kh gateway-starting || fail "no start"
eval "exec ${holder[1]}>&-"
wait "$holder_pid" || true
within 10 is_ready kh || fail "the free port was not taken"
stop kh

step "each process is killed: the others stay, it comes back"
fresh
start_ready kh
start_ready th
session_ready() { [ "$(grep -c 'event=session-ready process=courier peer=referral://th/gateway' "$work/kh.log")" -ge "$1" ]; }
within 10 session_ready 1 || fail "no session"
for process in link courier notary; do
    before="$(pid_of kh link) $(pid_of kh courier) $(pid_of kh notary)"
    kill -9 "$(pid_of kh $process)"
    died() { [ "$(grep -c "event=process-died process=main name=$process" "$work/kh.log")" -ge 1 ]; }
    within 10 died || fail "main did not see $process die"
    within 10 is_ready kh || fail "not ready after $process died"
    within 10 health_is kh ok || fail "health after $process died: $(health kh)"
    after="$(pid_of kh link) $(pid_of kh courier) $(pid_of kh notary)"
    read -r l1 c1 n1 l2 c2 n2 <<<"$before $after"
    case $process in
    link)
        [ "$l1" != "$l2" ] && [ "$c1" = "$c2" ] && [ "$n1" = "$n2" ] || fail "link: $before -> $after"
        within 10 session_ready 2 || fail "the session did not come back with the link"
        ;;
    courier)
        [ "$c1" != "$c2" ] && [ "$n1" = "$n2" ] || fail "courier: $before -> $after"
        within 10 session_ready 3 || fail "the session did not come back with the courier"
        ;;
    notary) [ "$l1" = "$l2" ] && [ "$c1" = "$c2" ] && [ "$n1" != "$n2" ] || fail "notary: $before -> $after" ;;
    esac
done
"$load" "$pki" kh th "$base" fill 100 >/dev/null || fail "no service after the kills"
within 10 counts_are 100 || fail "100 messages after the kills"
sound kh
sound th

step "the notary hangs: what comes in is kept, status says so; then all is answered, without an alarm"
notary=$(pid_of kh notary)
kill -STOP "$notary"
"$load" "$pki" kh th "$base" fill 100 >/dev/null &
loading=$!
gave_up() { [ "$(grep -c 'event=notary-alarm .*bus-timeout' "$work/kh.log")" -ge "$1" ]; }
within 20 gave_up $(($(grep -c 'event=notary-alarm .*bus-timeout' "$work/kh.log" || true) + 3)) || fail "a hung notary was not noticed"
[ "$(health kh)" = "failing notary" ] || fail "health while the notary hangs: $(health kh)"
[ "$(count kh accepted)" = 200 ] || fail "a hung notary stopped the courier"
[ "$(count th received)" = 100 ] || fail "something went out without a signed head"
kill -CONT "$notary"
wait "$loading" || fail "no answer after the notary went on"
within 10 counts_are 200 || fail "200 messages after the notary hung"
within 10 health_is kh ok || fail "health after the notary hung: $(health kh)"
sound kh

step "main is killed: the three end by themselves, a new start goes on"
courier=$(pid_of kh courier)
link=$(pid_of kh link)
notary=$(pid_of kh notary)
kill -9 "${main_pid[kh]}"
{ wait "${main_pid[kh]}" || true; } 2>/dev/null
all_gone() { ! kill -0 "$courier" "$link" "$notary" 2>/dev/null; }
within 10 all_gone || fail "children outlived main"
rm -f "$work/run-kh/ready"
start_ready kh
counts_are 200 || fail "counts after a new start"

step "SIGHUP: a wrong config is refused, a right one taken"
config kh "$base" 'suspend = ("Thailand");'
kill -HUP "${main_pid[kh]}"
within 10 logged kh config-refused || fail "a wrong config was not refused"
config kh "$base" 'suspend = ("th");'
kill -HUP "${main_pid[kh]}"
within 10 logged kh config-reloaded || fail "a right config was not taken"
refused() { grep -q 'reason=certificate-suspended' "$work/kh.log"; }
within 10 refused || fail "a suspended country is let in"
config kh "$base"
kill -HUP "${main_pid[kh]}"
within 10 health_is kh ok || fail "health after reloading"
"$load" "$pki" kh th "$base" fill 20 >/dev/null || fail "no service after reloading"
within 10 counts_are 220 || fail "220 messages"

step "two pages with one counter: both are kept, stock openssl checks the second"
cp "$pki"/kh/trust/page-th.cfg{,.p7s} "$work"
echo "# another history" >>"$pki/kh/trust/page-th.cfg"
openssl cms -sign -binary -nocerts -outform DER -md sha256 -in "$pki/kh/trust/page-th.cfg" -signer "$pki/th/publisher.pem" \
    -inkey "$pki/th/publisher.key" -out "$pki/kh/trust/page-th.cfg.p7s"
kill -HUP "${main_pid[kh]}"
refused_page() { grep -q 'event=document-refused .*page-fork' "$work/kh.log"; }
within 10 refused_page || fail "a second page of one counter was not refused"
forks() { "$gateway" log --forks -c "$work/kh.cfg"; }
forked() { forks | grep -q '^==== page th 1: shown'; }
within 10 forked || fail "the second page was not kept: $(forks | head -n 3)"
forks | awk '/^====/ { half++ } half == 2' >"$work/second"
awk '/^text of/ { text = 1; next } /^-----BEGIN/ { text = 0 } text' "$work/second" >"$work/second.cfg"
awk '/^-----BEGIN/ { pem = 1 } pem' "$work/second" >"$work/second.pem"
cmp -s "$work/second.cfg" "$pki/kh/trust/page-th.cfg" || fail "the second page is not what was shown"
openssl cms -verify -binary -inform PEM -in "$work/second.pem" -content "$work/second.cfg" -certfile "$pki/th/publisher.pem" \
    -nointern -noverify -out /dev/null 2>/dev/null || fail "openssl does not check the second page"
status 0 "$gateway" status -c "$work/kh.cfg"
says "forks      1"
mv "$work"/page-th.cfg{,.p7s} "$pki/kh/trust/"
stop kh
stop th

step "the receiving gateway dies between each two steps: nothing lost, nothing doubled"
for point in commit:2 append:2 persist:2 sign:2 answer:2 head:2; do
    between th $point
    "$load" "$pki" kh th "$base" fill 300 >/dev/null || fail "$point: the sending gateway failed"
    within 30 counts_are 300 || fail "$point: accepted $(count kh accepted), verified $(count kh receipt-verified), received $(count th received)"
    died_at th $point || fail "$point: nothing died there"
    unlike th received && unlike kh receipt-verified || fail "$point: doubled"
    sound th
    sound kh
    stop kh
    stop th
done

step "the sending gateway dies between each two steps: what is accepted is confirmed, once"
for point in commit:2 append:2 persist:2 sign:2 answer:2 head:2; do
    between kh $point
    "$load" "$pki" kh th "$base" fill 300 >/dev/null 2>&1 || true
    within 10 died_at kh $point || fail "$point: nothing died there"
    within 10 is_ready kh || fail "$point: not ready again"
    "$load" "$pki" kh th "$base" fill 50 >/dev/null || fail "$point: no service after the crash"
    within 30 all_received || fail "$point: accepted $(count kh accepted), verified $(count kh receipt-verified), received $(count th received)"
    unlike kh accepted && unlike th received && unlike kh receipt-verified || fail "$point: doubled"
    sound th
    sound kh
    stop kh
    stop th
done

step "the notary's state is lost: it refuses"
fresh
start_ready kh
stop kh
mv "$work/data-kh/notary/state-1" "$work/kept"
start kh
within 10 health_is kh "failing log-alarm" || fail "health: $(health kh)"
! is_ready kh || fail "ready without the notary's state"
stop kh
mv "$work/kept" "$work/data-kh/notary/state-1"
start_ready kh
stop kh

step "an old store is put back: the notary is ahead and refuses"
cp "$work/data-kh/store.db" "$work/old.db"
start_ready th
start_ready kh
"$load" "$pki" kh th "$base" fill 50 >/dev/null || fail "no service"
within 10 all_received || fail "50 messages"
stop kh
rm -f "$work"/data-kh/store.db*
cp "$work/old.db" "$work/data-kh/store.db"
start kh
within 10 logged kh notary-alarm || fail "no alarm"
! is_ready kh || fail "ready with an old store"
! "$load" "$pki" kh th "$base" fill 5 >/dev/null 2>&1 || fail "accepted with an old store"
status 70 "$gateway" epoch -c "$work/kh.cfg"
says "data-locked"
stop kh

step "the operator starts a new epoch: it goes on, partners see the mark"
# The digest of the note body of the last head in the old notary's state.
last_head=$(python3 - "$work/data-kh/notary/state-1" <<'TEXT'
import base64, hashlib, struct, sys
slots = open(sys.argv[1], "rb").read()
number, size, origin, hashes = max(
    (*struct.unpack_from(">QQ", s, 8), s[24:88].rstrip(b"\0"), s[88:88 + 64 * 32]) for s in (slots[:4096], slots[4096:8192]) if s[:8] == b"rgnotar1")
root = None
for k in range(64):
    if size >> k & 1:
        part = hashes[32 * k:32 * k + 32]
        root = part if root is None else hashlib.sha256(b"\1" + part + root).digest()
print(hashlib.sha256(origin + b"\n%d\n" % size + base64.b64encode(root) + b"\n").hexdigest())
TEXT
)
entries() { "$gateway" log --json -c "$work/kh.cfg" | wc -l; }
before=$(entries)
status 0 "$gateway" epoch -c "$work/kh.cfg"
says "epoch 2"
[ "$(entries)" = $((before + 1)) ] || fail "the new epoch has no mark"
status 0 "$gateway" log --json -c "$work/kh.cfg"
case ${out##*$'\n'} in *"\"kind\":\"epoch\""*"\"detail\":\"$last_head\""*) ;; *) fail "the mark does not name the last head $last_head: ${out##*$'\n'}" ;; esac
rm "$work/data-kh/notary/state-2" # as if it had died there: one mark all the same
status 0 "$gateway" epoch -c "$work/kh.cfg"
[ "$(entries)" = $((before + 1)) ] || fail "the new epoch has two marks"
: >"$work/kh.log"
start_ready kh
status 0 "$gateway" log --checkpoint -c "$work/kh.cfg"
says "referral/kh/2"
"$load" "$pki" kh th "$base" fill 20 >/dev/null || fail "no service in the new epoch"
within 10 all_confirmed || fail "accepted $(count kh accepted), verified $(count kh receipt-verified) in the new epoch"
within 10 logged th peer-epoch || fail "the partner did not see the mark"
marked() { "$gateway" status -c "$work/th.cfg" | grep -q "^peer kh .*epoch 2"; }
within 10 marked || fail "the partner's status does not show the mark"
[ "$(count kh epoch)" = 1 ] || fail "marks: $(count kh epoch)"
status 0 "$gateway" log --forks -c "$work/th.cfg"
says "nobody has shown"
sound kh
stop kh
stop th

step "the store is full: not now, in the log and in health; with room again it goes on"
fresh
sed -i 's/dial_max/store_max = "600KiB"; dial_max/' "$work/kh.cfg"
start_ready th
start_ready kh
status 1 "$load" "$pki" kh th "$base" fill 500
says "DISK_FULL"
within 10 logged kh store-not-now || fail "a full store is not in the log"
case $(health kh) in "failing store-full"*) ;; *) fail "health with a full store: $(health kh)" ;; esac
config kh "$base"
kill -HUP "${main_pid[kh]}"
within 10 logged kh config-reloaded || fail "not reloaded"
within 10 health_is kh ok || fail "health with room again: $(health kh)"
"$load" "$pki" kh th "$base" fill 100 >/dev/null || fail "no service with room again"
within 30 all_received || fail "accepted $(count kh accepted), verified $(count kh receipt-verified), received $(count th received)"
sound kh
stop kh
stop th

step "a changed entry is found"
fresh
start_ready kh
status 0 "$gateway" log --checkpoint -c "$work/kh.cfg"
says "referral/kh/1"
stop kh
python3 - "$work/data-kh/store.db" <<'TEXT'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
entry, = db.execute("select entry from leaves where leaf = 1").fetchone()
db.execute("update leaves set entry = ? where leaf = 1", (entry[:-1] + bytes([entry[-1] ^ 1]),))
db.commit()
TEXT
status 70 "$gateway" log --verify -c "$work/kh.cfg"
says "audit-entry"

if [ "$(id -u)" = 0 ]; then
    step "as root with three users: separated"
    fresh
    chmod o+x "$work" "$pki" "$pki/kh"
    chmod -R o+rX "$pki/kh/trust"
    config kh "$base" 'users = { link = "nobody"; courier = "daemon"; notary = "bin"; };'
    start_ready kh
    status 0 "$gateway" status -c "$work/kh.cfg"
    says "separation on"
    for pair in link:nobody courier:daemon notary:bin; do
        user=$(stat -c %U "/proc/$(pid_of kh "${pair%:*}")/stat")
        uid=$(awk '/^Uid:/ { print $2 $3 $4 $5 }' "/proc/$(pid_of kh "${pair%:*}")/status")
        want=$(id -u "${pair#*:}")
        [ "$uid" = "$want$want$want$want" ] || fail "${pair%:*} runs as $uid"
        [ "$user" = root ] || fail "${pair%:*} can be dumped by $user"
    done
    start_ready th
    "$load" "$pki" kh th "$base" fill 50 >/dev/null || fail "no service when separated"
    within 10 counts_are 50 || fail "50 messages when separated"
    stop kh
    stop th
fi
echo "all is well"
