#!/bin/bash
# deploy/check/empty-debian.sh FOLDER: from an empty Debian 13 to the console, by the two commands of deploy/README.md, with the
# seconds that each takes. FOLDER becomes the system (debootstrap), unless it is one already; packed packages of
# `npm run packages` take the place of the name of the package. The servers run in a network of their own, as no user of the host.
# Needs root, debootstrap and util-linux.
set -euo pipefail
system=$(realpath -m "${1:?FOLDER}")
packages=$(realpath "$(dirname "$0")/../../build/packages")
[ -e "$system/etc/debian_version" ] || debootstrap --variant=minbase trixie "$system" > /dev/null
mkdir -p "$system/packages"
cp "$packages"/*.tgz "$system/packages/"
cp /etc/resolv.conf "$system/etc/"
# The way to the registry may lead through a proxy with a certificate of its own.
cp "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$system/etc/host-ca.pem"

alone=""
inside() { # COMMAND
  # shellcheck disable=SC2086
  unshare --mount --pid --fork $alone bash -c 'ip link set lo up; mount --bind /dev "$0/dev"; mount -t proc proc "$0/proc"
    exec chroot "$0" env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root DEBIAN_FRONTEND=noninteractive \
    NODE_EXTRA_CA_CERTS=/etc/host-ca.pem sh -c "$1"' "$system" "$1"
}
time_of() { # NAME COMMAND
  local begun
  begun=$(date +%s.%N)
  inside "$2" > "$system/$1.log" 2>&1 || { tail -20 "$system/$1.log"; exit 1; }
  echo "$1: $(echo "$(date +%s.%N) - $begun" | bc | xargs printf %.1f) s"
}
time_of install 'apt-get update && apt-get install -y --no-install-recommends nodejs npm && npm install --global /packages/*.tgz'
cat > "$system/serve.sh" <<'SERVE'
begun=$(date +%s%N)
mikey-sakke serve --data-dir /var/lib/mikey-sakke > /serve.log 2>&1 &
node --input-type=module -e '
  const asked = () => fetch("http://127.0.0.1:8448/").then(async (answer) => answer.ok && (await answer.text()).includes("<title>"));
  while (!(await asked().catch(() => false))) await new Promise((again) => setTimeout(again, 100));
'
echo "serve: $((($(date +%s%N) - begun) / 100000000))" | sed 's/.$/.& s/'
kill %1
wait %1
SERVE
rm -rf "$system/var/lib/mikey-sakke"
alone="--net"
inside 'bash /serve.sh'
grep -E "ready at|^console " "$system/serve.log"
