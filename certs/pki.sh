# shellcheck shell=bash
# What dev-pki and ceremony share: one certificate, one key, one signature, one time. Sourced, not run.

RG_CONFIG="$(dirname "${BASH_SOURCE[0]}")/openssl.cnf"
export RG_URI="" RG_COUNTRY="" RG_CA_FOLDER=""

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

usage_error() {
    printf '%s: %s (see --help)\n' "$(basename "$0")" "$*" >&2
    exit 64
}

# OpenSSL speaks only when something fails.
quiet_openssl() {
    local said
    said=$(openssl "$@" 2>&1) || fail "openssl $1: $said"
}

# self_signed SECTION SUBJECT DAYS NAME: NAME.key and NAME.pem
self_signed() {
    quiet_openssl req -x509 -config "$RG_CONFIG" -extensions "$1" -subj "/CN=$2" -days "$3" \
        -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$4.key" -out "$4.pem"
}

# issued SECTION SUBJECT DAYS NAME CA-NAME: NAME.key and NAME.pem, signed by CA-NAME
issued() {
    quiet_openssl req -x509 -config "$RG_CONFIG" -extensions "$1" -subj "/CN=$2" -days "$3" \
        -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$4.key" -out "$4.pem" \
        -CA "$5.pem" -CAkey "$5.key"
}

# sign_text TEXT NAME OUT: detached CMS signature of NAME over TEXT
sign_text() {
    quiet_openssl cms -sign -binary -nocerts -nosmimecap -md sha256 -outform DER \
        -signer "$2.pem" -inkey "$2.key" -in "$1" -out "$3"
}

# PEM is base64 of DER between two lines of dashes.
base64_of_pem() {
    local line out=""
    while IFS= read -r line; do
        case $line in
        -----BEGIN*) out="" ;;
        -----END*) break ;;
        *) out+=$line ;;
        esac
    done <"$1"
    printf '%s' "$out"
}

# The 32 raw bytes of an Ed25519 public key stand at the end of its DER.
base64_of_log_key() {
    base64_of_pem "$1" | base64 -d | tail -c 32 | base64 -w 0
}

digest_of_certificate() {
    base64_of_pem "$1" | base64 -d | sha256sum | cut -d ' ' -f 1
}

utc() { # utc DATE-EXPRESSION
    date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ
}
