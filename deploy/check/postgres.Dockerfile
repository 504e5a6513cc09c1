# In place of postgres:17-bookworm: PostgreSQL of Debian 13, made and started as the variables POSTGRES_* say.
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-17 && rm -rf /var/lib/apt/lists/* \
 && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data
COPY postgres.sh /usr/local/bin/start-postgres
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
RUN chmod 0755 /usr/local/bin/start-postgres
USER postgres
ENTRYPOINT ["start-postgres"]
