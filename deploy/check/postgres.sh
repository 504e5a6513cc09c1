#!/bin/bash
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" --auth-local trust --auth-host scram-sha-256 > /dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  pg_ctl start --wait --options "-c listen_addresses=''" > /dev/null
  createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl stop --wait > /dev/null
fi
exec postgres -c listen_addresses='*'
