#!/bin/bash
# deploy/check/compose.sh: builds the images, runs compose.yaml with what compose.yaml of this folder adds, waits until all of it is
# healthy, has a rekey done, and takes it down with its volumes. Needs a Docker daemon and docker-compose.
# DOCKER_BUILD_OPTIONS: of docker build, such as "--network host".
set -euo pipefail
cd "$(dirname "$0")/../compose"
limit=${LIMIT:-300}
compose() { docker-compose --project-name mikey-sakke-check --file compose.yaml --file ../check/compose.yaml "$@"; }
seconds() { echo "$1: $(($(date +%s) - begun)) s"; }

begun=$(date +%s)
# shellcheck disable=SC2086
docker build $DOCKER_BUILD_OPTIONS --quiet -f ../docker/Dockerfile -t mikey-sakke ../..
docker build $DOCKER_BUILD_OPTIONS --quiet -t mikey-sakke-check_kamailio kamailio
seconds "images built"

[ ! -e secrets ] || { echo "deploy/compose/secrets is there: this trial makes its own" >&2; exit 1; }
cp ../check/issuer.mjs issuer.mjs
trap 'compose logs --tail 40 > /tmp/mikey-sakke-check.log 2>&1; compose down --volumes --timeout 20 > /dev/null 2>&1; rm -rf secrets issuer.mjs' EXIT
node ../check/secrets.mjs secrets
begun=$(date +%s)
compose up -d --no-build
for service in servers gms-2 gms-3; do
  until [ "$(docker inspect --format '{{.State.Health.Status}}' "mikey-sakke-check_${service}_1")" = healthy ]; do
    [ $(($(date +%s) - begun)) -lt "$limit" ] || { compose logs --tail 40; exit 1; }
    sleep 1
  done
  seconds "$service healthy"
done
inside() { compose exec -T servers mikey-sakke "$@" --data-dir /var/lib/mikey-sakke/data; }
inside group create sip:fire@example.org sip:alice@example.org sip:bob@example.org
inside group status sip:fire@example.org
compose exec -T servers node -e '
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  fetch("https://console.example.org:8448/").then((answer) => console.log(`console: HTTP ${answer.status}`));
' 2> /dev/null
compose exec -T servers sh -c 'touch /etc/x 2>&1 || true; id -u'
docker ps --filter name=mikey-sakke-check_ --format '{{.Names}}: {{.Status}}'
