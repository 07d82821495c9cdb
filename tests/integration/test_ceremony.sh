#!/bin/bash
# Walks the real ceremony for two countries, step by step, and lets a gateway's own code judge the result.
# usage: test_ceremony.sh SOURCE-FOLDER JUDGE-PROGRAM
set -euo pipefail
source=$1
judge=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ceremony=$source/certs/ceremony
passed=0

ok() { # ok WHAT COMMAND...
    local what=$1
    shift
    if ! "$@" >said 2>&1; then
        printf 'FAILED: %s\n' "$what"
        cat said
        exit 1
    fi
    passed=$((passed + 1))
}

refused() { # refused WHAT STATUS COMMAND...: it must fail with STATUS, 1 when it is not lawful, 64 when misused
    local what=$1 wanted=$2 status=0
    shift 2
    "$@" >said 2>&1 || status=$?
    if [ "$status" -ne "$wanted" ]; then
        printf 'FAILED: %s: status %s, not %s\n' "$what" "$status" "$wanted"
        cat said
        exit 1
    fi
    passed=$((passed + 1))
}

says() { # says WHAT WANTED USE FILE [AT]
    local got
    got=$(RG_AT=${5:-$(date -u +%Y-%m-%dT%H:%M:%SZ)} "$judge" trust 2 th-authority/authority.pem \
        kh-authority/authority.pem -- "$3" "$4") || true
    if [ "$got" != "$2" ]; then
        printf 'FAILED: %s: wanted "%s", got "%s"\n' "$1" "$2" "$got"
        exit 1
    fi
    passed=$((passed + 1))
}

line() { # the base64 line of a certificate, quoted
    "$ceremony" show "$1" | sed -n 's/^    \(".*"\)$/\1/p'
}

utc() {
    date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ
}

for step in root authority request issue show page charter-sign stop; do
    ok "$step --help" "$ceremony" "$step" --help
done
refused "an unknown step" 64 "$ceremony" dance

# 1. Roots and authorities, offline, keys under a passphrase.
echo 'a passphrase for the test' >passphrase
for cc in th kh; do
    ok "root $cc" "$ceremony" root "$cc" --passphrase-file passphrase
    ok "authority $cc" "$ceremony" authority "$cc" --plain-key
done
grep -q ENCRYPTED th-root/root.key || { echo "FAILED: the root key is not encrypted" && exit 1; }
[ "$(stat -c %a th-root/root.key)" = 600 ] || { echo "FAILED: the root key can be read by others" && exit 1; }
refused "a root over a root" 1 "$ceremony" root th --passphrase-file passphrase

# 2. Requests where the keys live, certificates from the offline machine.
enrol() { # enrol KIND PRINCIPAL NAME CC
    ok "request $2" "$ceremony" request "$1" "$2" "$3"
    ok "issue $2" "$ceremony" issue "$1" "$2" "$3.csr" --root "$4-root" --passphrase-file passphrase
}
for cc in th kh; do
    enrol publisher "referral://$cc/publisher" "$cc-publisher" "$cc"
    enrol gateway-tls "referral://$cc/gateway" "$cc-gateway" "$cc"
    enrol officer-sign "referral://$cc/focal/officer-1" "$cc-sign" "$cc"
    enrol officer-tls "referral://$cc/focal/officer-1" "$cc-tls" "$cc"
    [ "$(wc -l <"$cc-root/issued.txt")" -eq 4 ] || { echo "FAILED: issued.txt" && exit 1; }
done
refused "a request with a wrong kind" 64 "$ceremony" request officer "referral://th/focal/officer-1" x
refused "a gateway principal for an officer" 64 "$ceremony" request officer-tls "referral://th/gateway" x
refused "issuing for another principal than requested" 1 "$ceremony" issue officer-sign \
    referral://th/focal/officer-2 th-sign.csr --out x.pem --passphrase-file passphrase
refused "a root issuing for another country" 1 "$ceremony" issue gateway-tls referral://kh/gateway kh-gateway.csr \
    --root th-root --out x.pem --passphrase-file passphrase
openssl req -new -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.csr -subj /CN=x \
    -addext subjectAltName=URI:referral://th/gateway 2>/dev/null
refused "an RSA request" 1 "$ceremony" issue gateway-tls referral://th/gateway rsa.csr --out x.pem \
    --passphrase-file passphrase
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.csr -subj /CN=x \
    -addext subjectAltName=URI:referral://th/focal/officer-1 -addext basicConstraints=critical,CA:TRUE 2>/dev/null
ok "a request that asks to be a CA" "$ceremony" issue officer-sign referral://th/focal/officer-1 ca.csr \
    --passphrase-file passphrase
openssl x509 -in ca.pem -noout -text | grep -q CA:FALSE || { echo "FAILED: it became a CA" && exit 1; }

# 3. Charter and pages: people write the texts, each signs with the own key.
mkdir trust
log_key() {
    openssl genpkey -algorithm ed25519 | openssl pkey -pubout -outform DER | tail -c 32 | base64 -w 0
}
{
    printf 'format = "referral-charter-1"; counter = "1"; issued = "%s"; quorum = "2"; versions = ("1");\n' "$(utc now)"
    printf 'authorities = (%s,\n%s);\n' "$(line th-authority/authority.pem)" "$(line kh-authority/authority.pem)"
    printf 'classes = ({ class = "case"; roles = ("focal"); });\ncountries = (\n'
    for cc in th kh; do
        printf '{ code = "%s"; name = "%s"; roots = (%s); publishers = (%s);\n' "$cc" "$cc" \
            "$(line $cc-root/root.pem)" "$(line $cc-publisher.pem)"
        printf '  log_origin = "referral/%s"; log_key = "%s"; }%s\n' "$cc" "$(log_key)" \
            "$([ $cc = kh ] || echo ,)"
    done
    printf ');\n'
} >trust/charter.cfg
ok "th signs the charter" "$ceremony" charter-sign trust/charter.cfg --authority th-authority/authority --number 1
says "one signature is not enough" "document charter-quorum: charter: signed by 1 authorities, 2 are needed
certificate-unknown-country" tls th-gateway.pem
ok "kh signs the charter" "$ceremony" charter-sign trust/charter.cfg --authority kh-authority/authority --number 2

page() { # page CC COUNTER PREVIOUS
    printf 'format = "referral-page-1"; country = "%s"; counter = "%s"; previous = "%s"; issued = "%s";\n' \
        "$1" "$2" "$3" "$(utc now)"
    printf 'fresh_until = "%s"; valid_until = "%s"; endpoints = ("127.0.0.1:7700");\n' "$(utc '7 days')" "$(utc '42 days')"
    printf 'gateway = (%s);\noffices = ({ name = "%s/focal"; title = "Focal point"; role = "focal";\n' \
        "$(line "$1-gateway.pem")" "$1"
    printf '  cross_border = "always"; officers = ({ principal = "referral://%s/focal/officer-1";\n' "$1"
    printf '  clearance = ("case"); sign = (%s); tls = (%s); }); });\n' "$(line "$1-sign.pem")" "$(line "$1-tls.pem")"
}
for cc in th kh; do
    page $cc 1 "" >trust/page-$cc.cfg
    ok "page of $cc" "$ceremony" page trust/page-$cc.cfg --publisher $cc-publisher
done
refused "a page signed by another country's publisher" 1 "$ceremony" page trust/page-th.cfg --publisher kh-publisher
echo '@include "/etc/hostname"' | cat trust/page-th.cfg - >including.cfg
refused "a page that includes a file" 1 "$ceremony" page including.cfg --publisher th-publisher

says "the gateway" "ok referral://th/gateway" tls th-gateway.pem
says "the other gateway" "ok referral://kh/gateway" tls kh-gateway.pem
says "an officer" "ok referral://th/focal/officer-1" sign th-sign.pem
says "the officer's device" "ok referral://th/focal/officer-1" tls th-tls.pem
says "signing with the device's key" certificate-wrong-usage sign th-tls.pem
says "issued, but not in the page" certificate-unlisted sign ca.pem
openssl cms -verify -binary -noverify -certfile th-publisher.pem -inform DER -in trust/page-th.cfg.p7s \
    -content trust/page-th.cfg -out /dev/null 2>/dev/null || { echo "FAILED: stock openssl" && exit 1; }

# 4. The next page follows the first; then an officer's key is lost and stopped, then an office.
page th 2 "$(sha256sum <trust/page-th.cfg | cut -d ' ' -f 1)" >next.cfg
mv next.cfg trust/page-th.cfg
says "a page whose signature is the old one's" "$(printf 'document page-publisher: %s\ncertificate-unlisted' \
    'not signed by the publisher of "th": the signature does not fit: the text or the signature changed')" \
    tls th-gateway.pem
ok "second page of th" "$ceremony" page trust/page-th.cfg --publisher th-publisher
says "after the second page" "ok referral://th/focal/officer-1" sign th-sign.pem
signed_before=$(utc now)
until [ "$(utc now)" != "$signed_before" ]; do :; done
ok "stop an officer" "$ceremony" stop th --publisher th-publisher --folder trust --certificate th-sign.pem
says "a stopped officer" certificate-stopped sign th-sign.pem
says "signed before the stop" "warning referral://th/focal/officer-1" sign th-sign.pem "$signed_before"
says "the colleague's device" "ok referral://th/focal/officer-1" tls th-tls.pem
ok "suspend the office" "$ceremony" stop th --publisher th-publisher --folder trust --office th/focal
grep -q 'counter = "2"' trust/stop-th.cfg || { echo "FAILED: the counter of the stop list" && exit 1; }
says "stopped stays stopped" certificate-stopped sign th-sign.pem
says "a suspended office" certificate-suspended tls th-tls.pem
says "its gateway goes on" "ok referral://th/gateway" tls th-gateway.pem
refused "stopping another country's office" 64 "$ceremony" stop th --publisher th-publisher --folder trust \
    --office kh/focal

printf '%s checks passed\n' "$passed"
