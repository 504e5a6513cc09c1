/** The addresses of the servers that run on a data folder, in a file of the folder: for `client run` on the same machine. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../files/durable.ts";
import { usageError } from "../terminal/usage.ts";

export interface Running {
  readonly kmsUri: string;
  readonly kmsUrl: string;
  readonly gmsUri: string;
  readonly xcapRoot: string;
  /** SIP URIs by transport. */
  readonly sip: Readonly<Record<string, string>>;
  /** The MCX server, where one runs. */
  readonly mcx?: {
    readonly uri: string;
    readonly sip: Readonly<Record<string, string>>;
    /** WebSocket for the media of pages, where there is one. */
    readonly mediaUrl?: string;
    /** The URL to which members upload files, where there is file distribution. */
    readonly filesUrl?: string;
  };
  /** PEM file of the certificate to trust, where it is self-signed. */
  readonly ca?: string;
}

const fileOf = (dataDir: string) => join(dataDir, "running.json");

export async function writeRunning(dataDir: string, running: Running): Promise<void> {
  await replaceFile(fileOf(dataDir), `${JSON.stringify(running, null, 2)}\n`);
}

export async function removeRunning(dataDir: string): Promise<void> {
  await rm(fileOf(dataDir), { force: true });
}

/** Usage error GMS_NOT_RUNNING. */
export async function readRunning(dataDir: string): Promise<Running> {
  try {
    return JSON.parse(await readFile(fileOf(dataDir), "utf8")) as Running;
  } catch (cause) {
    throw usageError("GMS_NOT_RUNNING", `${dataDir}: no GMS runs on this data folder`, cause);
  }
}
