/** `provision`: the keys of an identity from a KMS, as files or in sealed storage. */
import { join } from "node:path";
import { fromUtf8, wipe } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { systemRandom } from "../../base/random.ts";
import { load } from "../../bindings/core/core.ts";
import type { KeySet, KmsCertificate } from "../../bindings/identity/kms-material.ts";
import { writeKmsResponse } from "../../documents/kms-xml/index.ts";
import { FileStorage, openStorageKeyFile } from "../../roles/identity/file-storage-node.ts";
import {
  KeyStore,
  KmsClient,
  KmsTrust,
  MemoryStorage,
  type ProvisionEvent,
  Provisioner,
  SealedStorage,
  type SecretStorage,
  type TransportKeys,
} from "../../roles/identity/index.ts";
import { requestUrl } from "../files/kms-url.ts";
import { type KeyKind, readTransportKeys, type SharedKeys, writeNamedKey } from "../files/named-key.ts";
import { developmentToken } from "../server/folder-tokens.ts";
import { httpsFetch } from "../server/https.ts";
import { readFile, requireAbsent, writeOutput } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";

export interface ProvisionOptions {
  readonly kmsUrl: string;
  /** Asked of the KMS when absent. */
  readonly kmsUri?: string;
  readonly userUri: string;
  readonly clientId?: string;
  readonly token: TokenSource;
  readonly ca?: string;
  readonly trk?: string;
  readonly ink?: string;
  /** Folder for documents in clear. */
  readonly out?: string;
  /** Folder of sealed storage, and the file of its key. */
  readonly store?: { readonly folder: string; readonly keyFile: string };
  readonly migration: readonly string[];
  readonly force: boolean;
}

export type TokenSource =
  | { readonly text: string }
  | { readonly file: string }
  | { readonly developmentOf: string };

export interface Provisioned {
  readonly kmsUri: string;
  readonly periods: readonly number[];
  /** KmsUris of the certificates. */
  readonly certificates: readonly string[];
  /** TrKs and InKs that the KMS sent. */
  readonly newKeys: readonly { readonly kind: KeyKind; readonly id: string; readonly file?: string }[];
  readonly refreshAt: number;
  readonly files: readonly string[];
}

/** Names in the folder of documents. */
const CERTIFICATES = "kms.xml";
const KEYS = "keys.xml";
const MAX_TOKEN = 64 << 10;

export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const { kmsUrl, kmsUri, userUri, clientId, out, force } = options;
  const files = out === undefined ? [] : [join(out, CERTIFICATES), join(out, KEYS)];
  await requireAbsent(files, force);
  const keys = await readTransportKeys(options);
  const store = new KeyStore(await storageOf(options));
  const { fetch, close } = await httpsFetch(options.ca);
  const core = await load();
  try {
    const known = kmsUriOf(kmsUri, keys);
    const client = new KmsClient({
      url: kmsUrl,
      userUri,
      fetch,
      token: tokenOf(options),
      now: Date.now,
      protection: () => keys,
      ...defined({ kmsUri: known, clientId }),
    });
    const home = known ?? (await client.discover());
    const trust = new KmsTrust({ home, migration: options.migration });
    const events: ProvisionEvent[] = [];
    const onEvent = (event: ProvisionEvent) => void events.push(event);
    const tools = { client, store, trust, core, now: Date.now, random: systemRandom, onEvent };
    const { periods, refreshAt } = await new Provisioner(tools).provision();
    const certificates = await permittedCertificates(store, trust);
    if (out !== undefined) await writeDocuments(options, home, certificates, store, files);
    return {
      kmsUri: home,
      periods: periods.get(userUri) ?? [],
      certificates: [...new Set(certificates.map((certificate) => certificate.kmsUri))],
      newKeys: await saveNewKeys(options, home, keys, store),
      refreshAt,
      files,
    };
  } finally {
    for (const named of [keys.trk, keys.ink]) if (named !== undefined) wipe(named.key);
    core.destroy();
    await close();
  }
}

/** Returns the KmsUri that the call and the files of keys give, which must agree. */
function kmsUriOf(given: string | undefined, { trk, ink }: SharedKeys): string | undefined {
  const [first, ...others] = new Set([given, trk?.kmsUri, ink?.kmsUri].filter((uri) => uri !== undefined));
  if (others.length === 0) return first;
  throw usageError("OTHER_KMS_KEY", `--kms-uri, --trk and --ink: of ${[first, ...others].join(" and ")}`);
}

/** Storage for this run only, unless a folder was given. */
async function storageOf({ store }: ProvisionOptions): Promise<SecretStorage> {
  if (store === undefined) return new MemoryStorage();
  const key = await openStorageKeyFile(store.keyFile);
  return new SealedStorage(await FileStorage.open(store.folder), key);
}

function tokenOf({ token, userUri, clientId }: ProvisionOptions): () => Promise<string> {
  if ("text" in token) return async () => token.text;
  if ("file" in token) {
    return async () => fromUtf8(await readFile(token.file, MAX_TOKEN), token.file).trim();
  }
  const wanted = { userUri, lifetime: 300, ...defined({ clientId }) };
  return () => developmentToken({ dataDir: token.developmentOf }, wanted);
}

/** The home KMS's first, the older before the newer. */
async function permittedCertificates(store: KeyStore, trust: KmsTrust): Promise<KmsCertificate[]> {
  const stored = (await store.certificates()).map(({ certificate }) => certificate);
  return stored
    .filter(({ kmsUri, revoked }) => revoked !== true && trust.kindOf(kmsUri) !== undefined)
    .map((certificate): KmsCertificate => {
      return { ...certificate, role: certificate.kmsUri === trust.home ? "Root" : "External" };
    })
    .sort(
      (a, b) =>
        Number(a.role === "External") - Number(b.role === "External") ||
        (a.validFrom ?? 0) - (b.validFrom ?? 0),
    );
}

/** As `seal` and `open` take them. */
async function writeDocuments(
  { userUri, force }: ProvisionOptions,
  kmsUri: string,
  certificates: readonly KmsCertificate[],
  store: KeyStore,
  [certificatesFile, keysFile]: readonly string[],
): Promise<void> {
  const common = { userUri, kmsUri, time: Date.now() };
  const cache = writeKmsResponse({
    ...common,
    clientReqUrl: requestUrl(kmsUri, "certcache"),
    message: { type: "certcache", certificates },
  });
  const keySets: KeySet[] = await store.keySets(userUri, kmsUri);
  try {
    const keys = writeKmsResponse({
      ...common,
      clientReqUrl: requestUrl(kmsUri, "keyprov"),
      message: { type: "keyprov", keySets },
    });
    await writeOutput(certificatesFile!, cache, { force });
    await writeOutput(keysFile!, keys, { secret: true, force });
  } finally {
    for (const { rsk, ssk } of keySets) wipe(rsk, ssk);
  }
}

/** Sealed storage has them already; without it a new key replaces the file of the one before. */
async function saveNewKeys(
  { userUri, trk, ink, store: folder }: ProvisionOptions,
  kmsUri: string,
  used: TransportKeys,
  store: KeyStore,
): Promise<Provisioned["newKeys"]> {
  const saved: { kind: KeyKind; id: string; file?: string }[] = [];
  const stored = await store.transportKeys(userUri, kmsUri);
  for (const { kind, id, key } of stored) {
    const file = kind === "TrK" ? trk : ink;
    const isNew = (kind === "TrK" ? used.trk : used.ink)?.id !== id;
    const inFile = isNew && folder === undefined && file !== undefined;
    if (inFile) await writeNamedKey(file, { kind, userUri, kmsUri, id, key });
    if (isNew) saved.push({ kind, id, ...(inFile && { file }) });
    wipe(key);
  }
  return saved;
}

/** Exactly one way to get a token. */
export function tokenSource(options: {
  token?: string;
  tokenFile?: string;
  developmentToken?: string;
}): TokenSource {
  const { token, tokenFile, developmentToken: folder } = options;
  const given = [
    ...(token === undefined ? [] : [{ text: token }]),
    ...(tokenFile === undefined ? [] : [{ file: tokenFile }]),
    ...(folder === undefined ? [] : [{ developmentOf: folder }]),
  ];
  if (given.length !== 1) {
    throw usageError("NO_TOKEN", "give one of --token-file, --token and --development-token");
  }
  return given[0]!;
}
