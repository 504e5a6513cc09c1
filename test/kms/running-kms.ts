/** A KMS over an in-memory database, with an issuer of tokens and a clock that the tests turn. */
import { systemRandom } from "../../base/random.ts";
import { keyPeriodNo } from "../../bindings/identity/key-period.ts";
import { ntpFromUnixMs, ntpSeconds } from "../../bindings/identity/ntp.ts";
import {
  type KmsKeys,
  type KmsProtection,
  type KmsRequest,
  type KmsResponse,
  type NamedKey,
  openKmsResponse,
  sealKmsRequest,
} from "../../documents/kms-xml/index.ts";
import {
  createKms,
  DevelopmentIssuer,
  type Kms,
  type KmsConfigInput,
  type KmsHttpResponse,
  type KmsOptions,
  kmsAudience,
  type ServerLog,
} from "../../roles/kms/index.ts";
import { type AuditRecord, type Database, Envelope, KmsStore, openDatabase } from "../../store/index.ts";
import { NOW, STORE_KEY, sharedCore } from "../support/world.ts";

export { NOW, STORE_KEY, sharedCore };

export const KMS_URI = "kms.example.org";
export const ORIGIN = "https://kms.example.org";
export const ROOT = "/keymanagement/identity/v1";
export const ALICE = "sip:alice@example.org";
export const BOB = "sip:bob@example.org";
export const GMS = "sip:gms@example.org";
export const PERIOD = keyPeriodNo(ntpSeconds(ntpFromUnixMs(NOW)), { period: 2592000, offset: 0 });

export interface Ask {
  readonly user?: string;
  readonly token?: string | null;
  /** Changes to the KmsRequest; null: empty body; octets or text: as they are. */
  readonly body?: Partial<KmsRequest> | string | Uint8Array | null;
  readonly signWith?: NamedKey;
}

export interface LogLine {
  readonly level: string;
  readonly facts: Record<string, unknown>;
  readonly text: string;
}

type Config = Partial<KmsConfigInput>;
type Parts = Pick<World, "store" | "db" | "envelope" | "issuer" | "log" | "clock">;

export class World {
  readonly kms: Kms;
  readonly store: KmsStore;
  readonly db: Database;
  readonly envelope: Envelope;
  readonly issuer: DevelopmentIssuer;
  readonly log: LogLine[];
  readonly #ownsDatabase: boolean;
  /** Clock of the database and of all processes. */
  readonly clock: { now: number };
  #ids = 0;

  private constructor(kms: Kms, parts: Parts, ownsDatabase: boolean) {
    this.kms = kms;
    this.store = parts.store;
    this.db = parts.db;
    this.envelope = parts.envelope;
    this.issuer = parts.issuer;
    this.log = parts.log;
    this.clock = parts.clock;
    this.#ownsDatabase = ownsDatabase;
  }

  static async create(config: Config = {}, options: Partial<KmsOptions> = {}): Promise<World> {
    const db = await openDatabase({});
    const envelope = await Envelope.open(db, STORE_KEY);
    const clock = { now: NOW };
    const store = KmsStore.open(db, envelope, { now: () => clock.now });
    const issuer = await DevelopmentIssuer.create([kmsAudience(KMS_URI)]);
    return World.#over({ db, envelope, store, issuer, log: [], clock }, config, options, true);
  }

  /** Another KMS process, so to say, over the same database. */
  beside(config: Config = {}, options: Partial<KmsOptions> = {}): Promise<World> {
    return World.#over({ ...this, log: [] }, config, options, false);
  }

  static async #over(
    parts: Parts,
    config: Config,
    options: Partial<KmsOptions>,
    owns: boolean,
  ): Promise<World> {
    const { clock } = parts;
    const own = {
      kmsUri: KMS_URI,
      urls: [ORIGIN],
      listen: { port: 0 },
      admin: { port: 0 },
      domains: ["example.org"],
    };
    const kms = await createKms({
      config: { ...own, ...config },
      store: parts.store,
      envelope: parts.envelope,
      core: await sharedCore(),
      developmentIssuer: parts.issuer,
      random: systemRandom,
      now: () => clock.now,
      log: recordingLog(parts.log),
      ...options,
    });
    return new World(kms, parts, owns);
  }

  get now(): number {
    return this.clock.now;
  }

  set now(now: number) {
    this.clock.now = now;
  }

  /** A token with the identity for all three services. */
  token(
    userUri: string,
    more: { clientId?: string; scopes?: string[]; lifetime?: number } = {},
  ): Promise<string> {
    return this.issuer.token({ userUri, now: this.now, ...more });
  }

  /** Returns what a client would post to `tail`, below the root. */
  body(
    tail: string,
    userUri: string,
    changes: Partial<KmsRequest> = {},
    protection: KmsProtection = {},
  ): string {
    const clientReqUrl = `${ORIGIN}${ROOT}/${tail}`;
    return sealKmsRequest({ userUri, kmsUri: KMS_URI, time: this.now, clientReqUrl, ...changes }, protection);
  }

  /** Posts to the service, without a socket. */
  async ask(tail: string, { user = ALICE, token, body = {}, signWith }: Ask = {}): Promise<KmsHttpResponse> {
    const bearer = token === undefined ? await this.token(user) : token;
    const raw =
      body === null || typeof body === "string" || body instanceof Uint8Array
        ? (body ?? "")
        : this.body(tail, user, body, signWith && { signWith });
    return this.kms.service.handle({
      path: `${ROOT}/${tail}`,
      rawBody: typeof raw === "string" ? new TextEncoder().encode(raw) : raw,
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
      requestId: `request-${++this.#ids}`,
      remote: "192.0.2.1",
    });
  }

  /** Asks as `ask` does, and reads the answer. */
  async response(
    tail: string,
    ask: Ask = {},
    keys?: KmsKeys,
  ): Promise<{ status: number; response: KmsResponse }> {
    const answer = await this.ask(tail, ask);
    return { status: answer.status, response: (await openKmsResponse(answer.body, keys)).response };
  }

  auditLog(): Promise<AuditRecord[]> {
    return this.store.auditLog({ limit: 1000 });
  }

  /** Keys that have been issued to anybody. */
  async issuedCount(): Promise<number> {
    const { rows } = await this.db.query<{ n: number }>("SELECT count(*)::integer AS n FROM kms_issued");
    return rows[0]!.n;
  }

  async close(): Promise<void> {
    await this.kms.close();
    if (!this.#ownsDatabase) return;
    this.envelope.destroy();
    await this.db.close();
  }
}

/** The keys of a client, for `openKmsResponse`. */
export function clientKeys(...keys: readonly NamedKey[]): KmsKeys {
  const find = (id: string | undefined) => keys.find((key) => key.id === id);
  return { transportKey: find, signatureKey: find };
}

function recordingLog(lines: LogLine[]): ServerLog {
  const at = (level: string) => (facts: object, text: string) => {
    lines.push({ level, facts: facts as Record<string, unknown>, text });
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
