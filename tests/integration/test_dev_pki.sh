#!/bin/bash
# The development PKI holds what it says, and its certificates that must be refused are.
# usage: test_dev_pki.sh SOURCE-FOLDER JUDGE-PROGRAM
set -euo pipefail
source=$1
judge=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

die() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

says() { # says WANTED FOLDER USE FILE
    local got
    got=$("$judge" "$2" 4 pki/authority/*.pem -- "$3" "$4") || true
    [ "$got" = "$1" ] || die "$4: wanted $1, got $got"
}

"$source/certs/dev-pki" pki --base-port 9100 --hostile
[ -z "$(find pki -name '*.key' ! -perm 600)" ] || die "a private key can be read by others"
! "$source/certs/dev-pki" pki 2>/dev/null || die "an existing folder was written to"
for cc in kh cn la mm th vn; do
    says "ok referral://$cc/gateway" pki/trust tls "pki/$cc/gateway-tls.pem"
    says "ok referral://$cc/focal/officer-2" pki/trust sign "pki/$cc/focal/officer-2/sign.pem"
    says "ok referral://$cc/ngo-alpha/officer-1" "pki/$cc/trust" tls "pki/$cc/ngo-alpha/officer-1/tls.pem"
    says certificate-unlisted pki/trust tls "pki/$cc/ngo-alpha/officer-1/tls.pem"
done
grep -q '"127.0.0.1:9102"' pki/trust/page-la.cfg || die "the third country's port"
says certificate-expired pki/trust tls pki/hostile/expired.pem
says certificate-not-yet-valid pki/trust tls pki/hostile/not-yet-valid.pem
says certificate-wrong-usage pki/trust tls pki/hostile/wrong-usage.pem
says certificate-wrong-root pki/trust tls pki/hostile/wrong-root.pem
says certificate-wrong-root pki/trust tls pki/hostile/self-signed.pem
says certificate-unlisted pki/trust tls pki/hostile/unlisted.pem

# The desks: on the public page, never across a border; ngo-beta in an emergency; nobody reads more than his desk may.
reads() { # reads OFFICE CLEARANCE
    grep -A 4 "name = \"$1\"" pki/trust/page-la.cfg | grep -qF "clearance = ($2)" || die "$1 is not cleared for ($2)"
}
! grep -q '/health\|/ngo-beta' pki/trust/page-la.cfg || die "desks that nobody asked for"
rm -rf pki
"$source/certs/dev-pki" pki --countries la,th --desks
judge_desks() { # judge_desks WANTED FOLDER USE FILE: the quorum of two countries
    local got
    got=$("$judge" "$2" 2 pki/authority/*.pem -- "$3" "$4") || true
    [ "$got" = "$1" ] || die "$4: wanted $1, got $got"
}
for desk in social verify border health justice child ngo-beta; do
    judge_desks "ok referral://la/$desk/officer-1" pki/th/trust sign "pki/la/$desk/officer-1/sign.pem"
    judge_desks "ok referral://la/$desk/officer-1" pki/trust tls "pki/la/$desk/officer-1/tls.pem"
    crosses=never
    [ $desk != ngo-beta ] || crosses=emergency
    grep -q "name = \"la/$desk\".*cross_border = \"$crosses\"" pki/trust/page-la.cfg || die "$desk crosses a border"
done
judge_desks certificate-unlisted pki/th/trust sign pki/la/ngo-alpha/officer-1/sign.pem
reads la/focal '"case","identity","family","legal","security"'
reads la/social '"case","identity","family"'
reads la/verify '"identity"'
reads la/border ''
reads la/health '"health"'
reads la/justice '"case","identity","legal"'
reads la/child '"case","identity","family"'
reads la/ngo-beta '"case","identity","family"'
grep -qF '{ class = "health"; roles = ("health"); }' pki/trust/charter.cfg || die "health is for the health desk alone"
echo "all as it should be"
