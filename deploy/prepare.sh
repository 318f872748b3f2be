#!/bin/sh
# Makes what docker-compose.yml names: secrets, the address of the database, certificates for Dask and, for trying it
# out, one for the proxy. What is there already is left alone. Give the host name that people will use.
set -eu
host=${1:-localhost}
here=$(cd "$(dirname "$0")" && pwd)
umask 077
mkdir -p "$here/secrets" "$here/certificates" "$here/tls"

secret() { head -c 36 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }
for name in secret-key encryption-key database-password; do
    [ -e "$here/secrets/$name" ] || secret > "$here/secrets/$name"
done
[ -e "$here/secrets/database-url" ] || printf 'postgresql://dapp:%s@postgres/dapp' "$(cat "$here/secrets/database-password")" > "$here/secrets/database-url"

# usage: pair FOLDER CERTIFICATE KEY NAME
pair() {
    [ -e "$1/$2" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=$4" \
        -addext "subjectAltName=DNS:$4" -keyout "$1/$3" -out "$1/$2" 2>/dev/null
}
pair "$here/certificates" cert.pem key.pem dask-scheduler
[ -e "$here/certificates/ca.pem" ] || cp "$here/certificates/cert.pem" "$here/certificates/ca.pem"
pair "$here/tls" fullchain.pem privkey.pem "$host"
# The processes in the containers run as account 10001.
if [ "$(id -u)" = 0 ]; then
    chown -R 10001 "$here/secrets" "$here/certificates"
else
    echo "The containers read these files as account 10001, so one step is left:"
    echo "  sudo chown -R 10001 '$here/secrets' '$here/certificates'"
fi
echo "Ready. Keep $here/secrets in a safe place: without encryption-key no data can be opened."
