#!/bin/sh
# Makes the certificate authority and a server certificate, for localhost and for the name that only
# the test's proxy resolves. The key of the authority is not kept.
set -eu
cd "$(dirname "$0")"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
# Only `openssl ca` accepts a start time in the past, which is needed for machines whose clock is
# slow.
sign() {
	: >"$place/index"
	openssl rand -hex 16 >"$place/serial"
	openssl ca -batch -notext -config "$place/ca.cnf" -startdate 20200101000000Z -enddate 21200101000000Z "$@"
}
cat >"$place/ca.cnf" <<END
[ca]
default_ca = own
[own]
database = $place/index
serial = $place/serial
new_certs_dir = $place
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, DNS:registry.example
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
key "$place/ca.key"
openssl req -new -key "$place/ca.key" -subj "/CN=A test's own authority" -out "$place/ca.csr"
sign -selfsign -keyfile "$place/ca.key" -extensions authority -in "$place/ca.csr" -out ca.crt 2>/dev/null
key server.key
openssl req -new -key server.key -subj /CN=localhost -out "$place/server.csr"
sign -cert ca.crt -keyfile "$place/ca.key" -extensions server -in "$place/server.csr" -out server.crt 2>/dev/null
openssl verify -CAfile ca.crt server.crt
