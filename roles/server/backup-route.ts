/**
 * A snapshot of the database of a server that runs, for `mikey-sakke backup`: the folder of PGlite belongs to one process
 * alone. It goes to a temporary file first, since the database waits until it is read, and must not wait for the network.
 */

import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { MikeySakkeError } from "../../base/errors.ts";
import { operatorCheck } from "./admin-listener.ts";
import { httpChallenge } from "./bearer-challenge.ts";
import type { ServerLog } from "./log.ts";
import { toWireError } from "./wire-error.ts";

/** For whoever has the operator's token. */
export const BACKUP_PATH = "/backup";

export interface BackupRouteOptions {
  readonly token: string;
  readonly log: ServerLog;
  snapshot(write: (lines: string) => Promise<void>): Promise<void>;
}

export function addBackupRoute(app: FastifyInstance, { token, log, snapshot }: BackupRouteOptions): void {
  const isOperator = operatorCheck(token);
  let busy = false;
  app.get(BACKUP_PATH, async (request, reply) => {
    if (!isOperator(request.headers.authorization)) {
      const error = new MikeySakkeError("usage", "ADMIN_TOKEN", "the admin token is wrong");
      return reply
        .code(401)
        .headers(httpChallenge(error.code))
        .send({ error: toWireError(error) });
    }
    if (busy) {
      const error = new MikeySakkeError("transport", "BUSY", "another backup is being made");
      return reply.code(503).send({ error: toWireError(error) });
    }
    busy = true;
    const folder = await mkdtemp(join(tmpdir(), "mikey-sakke-backup-"));
    const remove = () => rm(folder, { recursive: true, force: true });
    try {
      const file = join(folder, "snapshot");
      await spool(file, snapshot);
      log.info({ operation: "backup", requestId: request.id }, "a snapshot was made for a backup");
      const stream = createReadStream(file);
      stream.once("close", () => void remove());
      return reply.type("application/x-ndjson").header("content-encoding", "gzip").send(stream);
    } catch (error) {
      await remove();
      log.error(
        { operation: "backup", requestId: request.id, detail: String(error) },
        "no snapshot was made",
      );
      return reply.code(500).send({ error: toWireError(error) });
    } finally {
      busy = false;
    }
  });
}

async function spool(file: string, snapshot: BackupRouteOptions["snapshot"]): Promise<void> {
  const packer = createGzip({ level: 1 });
  const written = pipeline(packer, createWriteStream(file, { mode: 0o600 }));
  // Told where it is waited for; a disk that is full must not end the process before.
  written.catch(() => undefined);
  await Promise.race([
    snapshot(async (lines) => {
      if (!packer.write(lines)) await once(packer, "drain");
    }),
    written,
  ]);
  packer.end();
  await written;
}
