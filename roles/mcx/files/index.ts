/** File distribution of an MCX server: the store and its listener, by the configuration. */

import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { defined } from "../../../base/defined.ts";
import { urlOf } from "../../server/listener.ts";
import { isLoopback } from "../../server/loopback.ts";
import type { McxConfig } from "../common/config.ts";
import { refusedConfig } from "../common/errors.ts";
import { FileStore, type StoredFile } from "./file-store.ts";
import { createFileServer, FILES_PATH, type FileServerOptions, idOf } from "./server.ts";

export interface FileServer {
  readonly app: FastifyInstance;
  listen(): Promise<void>;
  /** Where files are uploaded, once the listener is open. */
  readonly url: () => string;
  /** Undefined before the listener is open. */
  readonly port: () => number | undefined;
  /** The file at a URL; undefined where none is here. */
  readonly fileAt: (url: string) => Pick<StoredFile, "audience" | "sender"> | undefined;
}

/** Seconds to receive a file over a slow radio link: as long as a megabyte takes at 70 kbit/s. */
const UPLOAD_SECONDS = 120;

/** @throws {MikeySakkeError} usage `BAD_CONFIG`: beyond loopback without TLS */
export function fileServerOf(
  { files, sip }: McxConfig,
  shared: Omit<
    FileServerOptions,
    "store" | "url" | "maxBytes" | "totalBytes" | "requestTimeout" | "credentials"
  > & {
    readonly credentials: FileServerOptions["credentials"] | undefined;
  },
): FileServer | undefined {
  if (files === undefined) return undefined;
  const { credentials, ...rest } = shared;
  if (credentials === undefined && !isLoopback(sip.host) && !sip.allowPlain) {
    throw refusedConfig("files: beyond loopback tls is needed, or sip.allowPlain: true");
  }
  const { totalBytes, keep, maxBytes, port } = files;
  const store = new FileStore({ totalBytes, keepMs: keep * 1000, now: rest.now, random: rest.random });
  const scheme = credentials === undefined ? "http" : "https";
  const base = () => files.origin?.replace(/\/$/, "") ?? urlOf(app, scheme, sip.host);
  const url = () => `${base()}${FILES_PATH}`;
  const app = createFileServer({
    ...rest,
    ...defined({ credentials }),
    store,
    maxBytes,
    totalBytes,
    requestTimeout: UPLOAD_SECONDS,
    url: base,
  });
  return {
    app,
    url,
    port: () => (app.server.address() as AddressInfo | null)?.port,
    async listen() {
      await app.listen({ host: sip.host, port });
    },
    fileAt(given) {
      const root = base();
      const id = given.startsWith(root) ? idOf(given.slice(root.length)) : undefined;
      return id === undefined ? undefined : store.get(id);
    },
  };
}
