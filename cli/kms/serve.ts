/** `serve kms`: the KMS of a data folder, which is made at the first start. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { MikeySakkeError } from "../../bindings/errors.ts";
import { systemRandom } from "../../bindings/random.ts";
import type { KmsConfigInput } from "../../roles/kms/config.ts";
import { createKms } from "../../roles/kms/create.ts";
import { createLog } from "../../roles/kms/log.ts";
import type { Output } from "../output.ts";
import { usageError } from "../usage.ts";
import { removeAdminFile, writeAdminFile } from "./admin-file.ts";
import { configFileOf, createConfig, type DataFolder, openDataFolder, readConfig } from "./data-folder.ts";
import { developmentIssuerOf } from "./development-tokens.ts";
import { openStore } from "./open-store.ts";
import { listenForStop } from "./stop.ts";
import { ensureStoreKey, STORE_KEY_VARIABLE } from "./store-key.ts";
import { type Credentials, credentialsOf, requireFitToServe } from "./tls.ts";

export interface ServeOptions {
  readonly dataDir: string;
  readonly config?: string;
  /** For the first start; later it must be the same. */
  readonly kmsUri?: string;
  readonly host?: string;
  readonly port?: number;
  readonly adminPort?: number;
  /** For the first start, as kmsUri. */
  readonly database?: string;
  /** Plain HTTP, on loopback, for a proxy there. */
  readonly http: boolean;
  readonly logLevel: string;
}

/** Of a KMS that nobody named. */
const DEFAULT_KMS_URI = "kms.localhost";

export async function serveKms(options: ServeOptions, output: Output): Promise<void> {
  const data = await prepared(options, output);
  const credentials = options.http ? undefined : await credentialsOf(data, Date.now());
  const adminToken = randomBytes(32).toString("base64url");
  const stop = listenForStop();
  const { store, envelope, core, onClose, close } = await openStore(data, process.env);
  try {
    const kms = await createKms({
      config: data.config,
      store,
      envelope,
      ...(await core()),
      ...(credentials && { credentials: { cert: credentials.cert, key: credentials.key } }),
      ...(data.config.tokens === undefined && { developmentIssuer: await developmentIssuerOf(data) }),
      adminToken,
      now: Date.now,
      log: createLog(options.logLevel),
    });
    onClose(() => kms.close());
    const { url, adminUrl } = await kms.listen().catch((error: unknown) => {
      throw listenError(error);
    });
    onClose(() => removeAdminFile(data.files.admin));
    await writeAdminFile(data.files.admin, { url: adminUrl, token: adminToken, pid: process.pid });
    announce(output, data, { url, adminUrl, credentials });
    const name = await stop.stopped;
    output.note(`${name}: stopping`);
  } finally {
    await close();
    stop.release();
  }
}

/** Makes what is missing in the data folder. */
async function prepared(options: ServeOptions, output: Output): Promise<DataFolder> {
  const { dataDir, config, kmsUri, database } = options;
  if (config === undefined) {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const first = {
      kmsUri: kmsUri ?? DEFAULT_KMS_URI,
      ...(database !== undefined && { database: { url: database } }),
    };
    if (await createConfig(dataDir, first)) output.note(`made ${dataDir}, for the KMS ${first.kmsUri}`);
  }
  const file = config ?? configFileOf(dataDir);
  const given = await readConfig(file);
  const data = await openDataFolder(options, overridesOf(options, given));
  requireSame(data, options, file);
  requireFitToServe(data);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (await ensureStoreKey({ file: data.files.storeKey, environment: process.env }, systemRandom)) {
    output.note(
      `made ${data.files.storeKey}: the database cannot be read without it (or ${STORE_KEY_VARIABLE})`,
    );
  }
  return data;
}

/** All commands read from the configuration whose data it is: a start that says otherwise would hide the data. */
function requireSame({ config }: DataFolder, { kmsUri, database }: ServeOptions, file: string): void {
  if (kmsUri !== undefined && config.kmsUri !== kmsUri) {
    throw usageError("OTHER_KMS", `--kms-uri: ${file} is of the KMS ${config.kmsUri}`);
  }
  if (database !== undefined && config.database?.url !== database) {
    throw usageError("OTHER_DATABASE", `--database: ${file} names another, or the one in the data folder`);
  }
}

/** Where to listen: what the command line says before what the file says. */
function overridesOf(options: ServeOptions, given: KmsConfigInput): Partial<KmsConfigInput> {
  const { host, port, adminPort } = options;
  // Two KMSs on one machine differ in one option.
  const admin = adminPort ?? (port === undefined ? undefined : port === 0 ? 0 : port + 1);
  return {
    listen: { ...given.listen, ...(host !== undefined && { host }), ...(port !== undefined && { port }) },
    admin: { ...given.admin, ...(admin !== undefined && { port: admin }) },
    ...(options.http && { tls: undefined }),
  };
}

interface Running {
  readonly url: string;
  readonly adminUrl: string;
  readonly credentials: Credentials | undefined;
}

function announce(output: Output, data: DataFolder, { url, adminUrl, credentials }: Running): void {
  const { folder, config } = data;
  const development = config.tokens === undefined;
  const ca = credentials?.selfSigned ? credentials.certFile : undefined;
  if (development) {
    for (const line of WARNING) output.note(line);
  }
  const provision = [
    `mikey-sakke provision --kms-url ${url}`,
    ...(ca === undefined ? [] : [`--ca ${ca}`]),
    development ? `--development-token ${folder}` : "--token-file TOKEN",
    "--user sip:alice@example.org --out alice",
  ];
  output.ready(
    {
      status: "listening",
      kmsUri: config.kmsUri,
      url,
      adminUrl,
      dataDir: folder,
      ca,
      developmentTokens: development,
      pid: process.pid,
    },
    () => [
      `KMS ${config.kmsUri}, ready at ${url}`,
      `health and metrics  ${adminUrl}`,
      `data folder         ${folder}`,
      "",
      "Get keys with:",
      ...provision.map(
        (part, i) => `${i === 0 ? "  " : "    "}${part}${i + 1 < provision.length ? " \\" : ""}`,
      ),
    ],
  );
}

const WARNING = [
  "*** WARNING: DEVELOPMENT TOKENS ***",
  "*** Whoever can read the data folder gets the keys of anybody. For trying out, on this machine only.",
  "*** For real use give `tokens` (issuer, audience, jwksUri) in the configuration.",
];

const LISTEN_ERRORS: Readonly<Record<string, readonly [code: string, text: string]>> = {
  EADDRINUSE: ["ADDRESS_IN_USE", "is in use"],
  EADDRNOTAVAIL: ["ADDRESS_NOT_HERE", "is not an address of this machine"],
  EACCES: ["ADDRESS_DENIED", "may not be used by this user"],
};

function listenError(error: unknown): unknown {
  if (error instanceof MikeySakkeError) return error;
  const { code = "", address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const known = LISTEN_ERRORS[code];
  return known === undefined ? error : usageError(known[0], `${address}:${port} ${known[1]}`, error);
}
