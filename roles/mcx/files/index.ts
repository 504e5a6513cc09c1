/** File distribution of an MCX server: the depot and its listener, by the configuration. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { defined } from "../../../base/defined.ts";
import type { FileFacts } from "../../../store/index.ts";
import type { Clock } from "../../../transport/sip/index.ts";
import { urlOf } from "../../server/listener.ts";
import { isLoopback } from "../../server/loopback.ts";
import type { McxConfig } from "../common/config.ts";
import { refusedConfig } from "../common/errors.ts";
import { type FileDepot, MemoryFiles } from "./file-depot.ts";
import { createFileServer, FILES_PATH, type FileServerOptions, idOf } from "./server.ts";

export interface FileServer {
  readonly app: FastifyInstance;
  listen(): Promise<void>;
  /** Where files are uploaded, once the listener is open. */
  readonly url: () => string;
  /** Undefined before the listener is open. */
  readonly port: () => number | undefined;
  /** The file at a URL of this server, at whichever of its processes; undefined where there is none. Rejects as the store. */
  readonly fileAt: (url: string) => Promise<FileFacts | undefined>;
  /** The URL at which this process gives the file out that another one has named so. */
  readonly urlHere: (url: string) => string;
  close(): void;
}

/** Seconds to receive a file over a slow radio link: as long as a megabyte takes at 70 kbit/s. */
const UPLOAD_SECONDS = 120;
/** Milliseconds between two looks for files whose time is over. */
const PRUNE_MS = 60_000;

/** @throws {MikeySakkeError} usage `BAD_CONFIG`: beyond loopback without TLS */
export function fileServerOf(
  { files, sip }: McxConfig,
  shared: Omit<
    FileServerOptions,
    "depot" | "limits" | "url" | "maxBytes" | "requestTimeout" | "credentials"
  > & {
    readonly credentials: FileServerOptions["credentials"] | undefined;
    /** In memory when absent. */
    readonly depot: FileDepot | undefined;
    readonly clock: Clock;
  },
): FileServer | undefined {
  if (files === undefined) return undefined;
  const { credentials, clock, depot = new MemoryFiles(shared), ...rest } = shared;
  if (credentials === undefined && !isLoopback(sip.host) && !sip.allowPlain) {
    throw refusedConfig("files: beyond loopback tls is needed, or sip.allowPlain: true");
  }
  const { totalBytes, keep, maxBytes, port } = files;
  const scheme = credentials === undefined ? "http" : "https";
  const base = () => files.origin?.replace(/\/$/, "") ?? urlOf(app, scheme, sip.host);
  const url = () => `${base()}${FILES_PATH}`;
  const app = createFileServer({
    ...rest,
    ...defined({ credentials }),
    depot,
    limits: { totalBytes, keepMs: keep * 1000 },
    maxBytes,
    requestTimeout: UPLOAD_SECONDS,
    url: base,
  });
  let cancel: () => void = () => undefined;
  const pruneLater = () => {
    cancel = clock.after(PRUNE_MS, () => {
      depot.prune().catch((error: unknown) => {
        rest.log.warn({ detail: String(error) }, "files whose time is over were not deleted");
      });
      pruneLater();
    });
  };
  return {
    app,
    url,
    port: () => (app.server.address() as AddressInfo | null)?.port,
    async listen() {
      await app.listen({ host: sip.host, port });
      pruneLater();
    },
    async fileAt(given) {
      const id = idOf(pathOf(given));
      const file = id === undefined ? undefined : await depot.find(id);
      const isOurs = [base(), file?.origin].some((origin) => given === `${origin}${FILES_PATH}/${id}`);
      return isOurs ? file : undefined;
    },
    urlHere: (given) => `${base()}${pathOf(given)}`,
    close: () => cancel(),
  };
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : "";
}
