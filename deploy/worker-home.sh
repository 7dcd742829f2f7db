#!/bin/sh
# Fills the worker's home (/worker) from that of the gateway and the cloud: the
# public keys, and the credentials of the local cloud. The key that signs, the
# people and their tokens are not for workers.
set -eu

from=/var/lib/steward
install -d -o 10001 -g 10001 -m 0700 /worker/keys
rm -f /worker/keys/*.pub.pem
install -o 10001 -g 10001 -m 0400 "$from"/keys/*.pub.pem /worker/keys/
install -o 10001 -g 10001 -m 0400 "$from/env" /worker/env
chown 10001:10001 /worker
