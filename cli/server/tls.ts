/** Certificate and key for HTTPS: those that the configuration names, or a self-signed pair for this machine. */
import { X509Certificate } from "node:crypto";
import { fromUtf8 } from "../../base/bytes.ts";
import type { KmsConfig } from "../../roles/kms/common/config.ts";
import { isLoopback } from "../../roles/server/loopback.ts";
import type { Secured } from "../../transport/http/server-node.ts";
import { replaceFile } from "../files/durable.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";
import { type DataFiles, exists } from "./data-folder.ts";
import { belongsTo, selfSigned } from "./self-signed.ts";

export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** The certificate's file, for clients to trust. */
  readonly certFile: string;
  readonly selfSigned: boolean;
  readonly secured: Secured;
  /** The certificate that is in use now, and its file. */
  readonly used: () => { readonly file: string; readonly cert: string };
  /** Reads the files anew, and gives what is in them to all servers. Usage errors, after which the old ones stay in use. */
  renew(): Promise<void>;
}

interface Reachable {
  readonly listen: { readonly host: string };
  readonly tls?: KmsConfig["tls"];
  readonly tokens?: object | undefined;
}

interface Place {
  readonly config: Reachable;
  readonly files: Pick<DataFiles, "tlsCertificate" | "tlsKey">;
}

const HOSTS = ["localhost", "127.0.0.1", "::1"];
/** The longest life of a certificate that clients accept. */
const DAYS = 825;
const RENEW_DAYS = 30;
const DAY_MS = 24 * 3600 * 1000;
const MAX_PEM = 1 << 20;

/** Before anything is made: what others can reach needs HTTPS with a certificate for its name, and real tokens. */
export function requireFitToServe({ listen, tls, tokens }: Reachable): void {
  if (isLoopback(listen.host)) return;
  if (tls === undefined) {
    const text = `listening on ${listen.host} takes HTTPS with a certificate: tls.certFile and tls.keyFile`;
    throw usageError("TLS_NEEDED", text);
  }
  if (tokens === undefined) {
    const text = `listening on ${listen.host} takes an issuer of access tokens: tokens`;
    throw usageError("TOKENS_NEEDED", text);
  }
}

export async function credentialsOf({ config, files }: Place, now: number): Promise<Credentials> {
  if (config.tls !== undefined) return requireCredentials(config.tls);
  const { tlsCertificate: certFile, tlsKey: keyFile } = files;
  if (!(await exists(keyFile)) || !(await isFresh(certFile, now))) {
    const made = selfSigned([...new Set([...HOSTS, config.listen.host])], now, DAYS);
    await replaceFile(keyFile, made.key, { secret: true });
    await replaceFile(certFile, made.certificate);
  }
  return credentialsIn(certFile, keyFile, true);
}

/** Certificate and key that a configuration names. Usage errors FILE_NOT_FOUND and BAD_TLS. */
export async function requireCredentials(tls: NonNullable<KmsConfig["tls"]>): Promise<Credentials>;
export async function requireCredentials(tls: KmsConfig["tls"]): Promise<Credentials | undefined>;
export async function requireCredentials(tls: KmsConfig["tls"]): Promise<Credentials | undefined> {
  if (tls === undefined) return undefined;
  return credentialsIn(tls.certFile, tls.keyFile, false);
}

async function credentialsIn(certFile: string, keyFile: string, selfSigned: boolean): Promise<Credentials> {
  const read = async () => {
    const [cert, key] = [await pem(certFile), await pem(keyFile)];
    requirePair(cert, key, certFile, keyFile);
    return { cert, key };
  };
  let present = await read();
  const servers: Parameters<Secured>[0][] = [];
  return {
    ...present,
    certFile,
    selfSigned,
    used: () => ({ file: certFile, cert: present.cert }),
    secured: (server) => void servers.push(server),
    async renew() {
      present = await read();
      for (const server of servers) server.setSecureContext(present);
    },
  };
}

/** Made again some time before it ends. */
async function isFresh(certFile: string, now: number): Promise<boolean> {
  if (!(await exists(certFile))) return false;
  const { validTo } = new X509Certificate(await pem(certFile));
  return Date.parse(validTo) > now + RENEW_DAYS * DAY_MS;
}

async function pem(file: string): Promise<string> {
  return fromUtf8(await readFile(file, MAX_PEM), file);
}

function requirePair(cert: string, key: string, certFile: string, keyFile: string): void {
  let pair = false;
  try {
    pair = belongsTo(cert, key);
  } catch (cause) {
    throw usageError("BAD_TLS", `${certFile}, ${keyFile}: not a certificate and its key in PEM`, cause);
  }
  if (!pair) throw usageError("BAD_TLS", `${keyFile}: not the key of ${certFile}`);
}
