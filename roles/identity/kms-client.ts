/**
 * A client of one KMS: the requests of TS 33.180 D.2, and whether an answer fits its request (D.3.1). What an answer
 * says of keys and certificates is checked by whoever uses it, such as `Provisioner`.
 */

import { toHex, wipe } from "../../base/bytes.ts";
import { defined } from "../../base/defined.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import {
  type KmsCertCache,
  type KmsErrorInfo,
  type KmsInit,
  type KmsKeyProv,
  type KmsLookup,
  type KmsMessage,
  type KmsRequest,
  type KmsResponse,
  type OpenedKmsResponse,
  sealKmsRequest,
} from "../../documents/kms-xml/index.ts";
import { type KmsFetch, post } from "../../transport/http/exchange.ts";
import { answerOf, openAnswer, requireFit, requireProtected, unfit, wipeSecrets } from "./check-answer.ts";
import type { KmsAnswer } from "./kms-answer.ts";
import { type KeyTarget, keyprovPath, kmsRoot } from "./kms-resource.ts";
import type { TransportKeys } from "./transport-keys.ts";

export interface KmsClientOptions {
  /** Such as https://kms.example.org, with or without the path of D.2.1. */
  readonly url: string;
  /** KmsUri that the KMS must have. When absent, see `discover`. */
  readonly kmsUri?: string;
  readonly userUri: string;
  readonly fetch: KmsFetch;
  /** An access token; asked for at each request. */
  readonly token: () => Promise<string>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** For the Ids of requests. The host's generator when absent. */
  readonly random?: RandomSource;
  /** TrK and InK to use now; asked for at each request. The caller wipes them when the client is done. */
  readonly protection?: () => TransportKeys | Promise<TransportKeys>;
  /**
   * Whether requests are signed and answers must be, when there is an InK or TrK. True when absent; where the KMS gave
   * out an InK it may insist.
   */
  readonly signRequests?: boolean;
  readonly clientId?: string;
  readonly deviceId?: string;
  /** For one request. 30 seconds when absent. */
  readonly timeoutMs?: number;
  /** Octets of an answer. 4 MiB when absent. */
  readonly maxAnswerBytes?: number;
  /** How far Time of an answer may be from the client's clock. 60 seconds when absent. */
  readonly maxClockSkewMs?: number;
}

export interface KmsCallOptions {
  readonly signal?: AbortSignal;
  /** In place of `protection` of the client. */
  readonly keys?: TransportKeys;
  /** Signs in any case: the KMS takes new keys as arrived only when they sign, or an InK does. */
  readonly sign?: boolean;
  /** Tells the KMS of a failure before (D.2.2). */
  readonly clientError?: KmsErrorInfo;
}

const DEFAULTS = { timeoutMs: 30_000, maxAnswerBytes: 4 << 20, maxClockSkewMs: 60_000 };

const ID_BYTES = 16;

export class KmsClient {
  readonly userUri: string;
  readonly #options: KmsClientOptions;
  readonly #root: string;
  #kmsUri: string | undefined;

  constructor(options: KmsClientOptions) {
    this.userUri = options.userUri;
    this.#options = options;
    this.#root = kmsRoot(options.url);
    this.#kmsUri = options.kmsUri;
  }

  /** KmsUri of the KMS; undefined before the first answer when the options had none. */
  get kmsUri(): string | undefined {
    return this.#kmsUri;
  }

  /** The TrK and InK that the client was set up with. */
  async protection(): Promise<TransportKeys> {
    return (await this.#options.protection?.()) ?? {};
  }

  /**
   * Asks the KMS for its KmsUri, which holds from then on. The body is empty, which a KMS that demands signatures
   * refuses (D.2.2). Requests do so themselves where the KmsUri is not known.
   *
   * @throws {MikeySakkeError} verification `KMS_ANSWER_UNSIGNED`: there is an InK
   */
  async discover(options: KmsCallOptions = {}): Promise<string> {
    const sent = this.#options.now();
    const keys = options.keys ?? (await this.protection());
    const check = ({ time }: KmsResponse) => this.#requireRecent(time, sent);
    const opened = await this.#post(`${this.#root}/init`, "", keys, check, options.signal);
    const { response } = opened;
    wipeSecrets(response.message);
    // With a TrK alone, a KMS signs only its answers to signed requests.
    requireProtected(opened, {}, this.#options.signRequests === false ? undefined : keys.ink);
    this.#kmsUri = response.kmsUri;
    return response.kmsUri;
  }

  /** The certificate of the KMS (D.2.3). */
  async init(options: KmsCallOptions = {}): Promise<KmsAnswer<KmsInit>> {
    return this.#call("init", ["init"], options);
  }

  /** Key sets: of one identity, at one time, or of all that the token proves (D.2.4). */
  async keyprov(target: KeyTarget = {}, options: KmsCallOptions = {}): Promise<KmsAnswer<KmsKeyProv>> {
    return this.#call(keyprovPath(target), ["keyprov"], options);
  }

  /** Certificates of all KMSs (D.2.5). `cacheNum` is the number of the answer before. */
  async certcache(cacheNum?: number, options: KmsCallOptions = {}): Promise<KmsAnswer<KmsCertCache>> {
    return this.#call(cacheNum === undefined ? "certcache" : `certcache/${cacheNum}`, ["certcache"], options);
  }

  /** The certificates of one KMS (D.2.6). */
  async cert(kmsUri: string, options: KmsCallOptions = {}): Promise<KmsAnswer<KmsCertCache>> {
    return this.#call(`cert/${encodeURIComponent(kmsUri)}`, ["certcache"], options);
  }

  /** The KMSs that the client may use, or those of one user (D.2.7). */
  async lookup(uri?: string, options: KmsCallOptions = {}): Promise<KmsAnswer<KmsLookup>> {
    const path = uri === undefined ? "lookup" : `lookup/${encodeURIComponent(uri)}`;
    return this.#call(path, ["lookup"], options);
  }

  /** Uploads the KMSs that redirect responses proposed; the answer has those that may be used (D.2.8). */
  async redirect(
    proposed: readonly string[],
    options: KmsCallOptions = {},
  ): Promise<KmsAnswer<KmsLookup | KmsCertCache>> {
    return this.#call("redirect", ["lookup", "certcache"], options, { krrKmsUris: proposed });
  }

  async #call<T extends KmsMessage["type"]>(
    path: string,
    types: readonly T[],
    options: KmsCallOptions,
    content: Pick<KmsRequest, "krrKmsUris"> = {},
  ): Promise<KmsAnswer<Extract<KmsMessage, { type: T }>>> {
    const keys = options.keys ?? (await this.protection());
    const kmsUri = this.#kmsUri ?? (await this.discover(options));
    const url = `${this.#root}/${path}`;
    const signs = options.sign === true || this.#options.signRequests !== false;
    const signWith = signs ? (keys.ink ?? keys.trk) : undefined;
    const sent = this.#options.now();
    const { clientId, deviceId } = this.#options;
    const { clientError } = options;
    const request = {
      // Two devices that sign with one key must not send the same octets: a KMS takes the second for a replay.
      id: `request-${toHex((this.#options.random ?? systemRandom)(ID_BYTES))}`,
      userUri: this.userUri,
      kmsUri,
      time: sent,
      clientReqUrl: url,
      ...content,
      ...defined({ clientId, deviceId, clientError, trkId: keys.trk?.id }),
    };
    const body = sealKmsRequest(request, signWith === undefined ? {} : { signWith });
    const check = (response: KmsResponse) => {
      requireFit(response, request);
      this.#requireRecent(response.time, sent);
    };
    const opened = await this.#post(url, body, keys, check, options.signal);
    try {
      requireProtected(opened, keys, signWith);
      return answerOf(opened, types);
    } catch (error) {
      wipeSecrets(opened.response.message);
      throw error;
    }
  }

  async #post(
    url: string,
    body: string,
    keys: TransportKeys,
    check: (response: KmsResponse) => void,
    signal: AbortSignal | undefined,
  ): Promise<OpenedKmsResponse> {
    const { fetch, token, timeoutMs, maxAnswerBytes } = { ...DEFAULTS, ...this.#options };
    const limits = { timeoutMs, maxBytes: maxAnswerBytes };
    const answer = await post(fetch, url, { body, token: await token() }, limits, signal);
    try {
      return await openAnswer(answer, keys, maxAnswerBytes, check);
    } finally {
      wipe(answer.body);
    }
  }

  /** An old answer may be one that somebody kept. */
  #requireRecent(time: number, sent: number): void {
    const skew = this.#options.maxClockSkewMs ?? DEFAULTS.maxClockSkewMs;
    if (time >= sent - skew && time <= this.#options.now() + skew) return;
    throw unfit("KMS_ANSWER_TIME", `Time ${new Date(time).toISOString()} is not that of the client's clock`);
  }
}
