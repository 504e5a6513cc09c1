/** The KMS under test: what is known of it, and requests to it with one thing changed. */
import { toHex, wipe } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { Core } from "../../../bindings/core/core.ts";
import type { KmsDomain } from "../../../bindings/identity/kms-domain.ts";
import type { KmsCertificate } from "../../../bindings/identity/kms-material.ts";
import {
  type KmsKeySet,
  type KmsRequest,
  type OpenedKmsResponse,
  openKmsResponse,
  sealKmsRequest,
} from "../../../documents/kms-xml/index.ts";
import { lookupIn } from "../../../roles/identity/check-answer.ts";
import type { TransportKeys } from "../../../roles/identity/index.ts";
import { kmsRoot } from "../../../roles/identity/kms-resource.ts";
import { fail, known, must } from "../case.ts";
import { type CheckFetch, HttpClient, type Reply } from "../http.ts";
import type { CheckTokens } from "../tokens.ts";
import { Transcript } from "../transcript.ts";

export interface KmsCheckOptions {
  readonly url: string;
  readonly userUri: string;
  /** The KMS says it where it is not given. */
  readonly kmsUri?: string;
  /** Another user of the KMS, whose keys the token must not open. */
  readonly otherUserUri: string;
  readonly tokens: CheckTokens;
  readonly protection: TransportKeys;
  readonly fetch: CheckFetch;
  readonly core: Core;
  readonly now: () => number;
  readonly random: RandomSource;
}

export interface Post {
  readonly method?: string;
  /** Changes to a request that is right; null: no body; text: the body as it is. */
  readonly request?: Partial<KmsRequest> | string | null;
  /** null: none. The user's when absent. */
  readonly token?: string | null;
  readonly contentType?: string;
  /** In place of a long body in the report. */
  readonly about?: string;
  readonly secret?: string;
}

/** Elements of an answer, as a client limits them. */
const LIMITS = { maxLength: 4 << 20, maxElements: 50_000 };
const ID_BYTES = 16;

export class KmsPeer {
  readonly transcript = new Transcript();
  readonly options: KmsCheckOptions;
  readonly root: string;
  readonly http: HttpClient;
  /** Filled in by the cases that find them out. */
  kmsUri: string | undefined;
  certificate: KmsCertificate | undefined;
  domain: KmsDomain | undefined;
  keySets: readonly KmsKeySet[] | undefined;
  /** TrK-ID of the TrK that these were wrapped with. */
  wrappedWith: string | undefined;
  cacheNum: number | undefined;

  constructor(options: KmsCheckOptions) {
    this.options = options;
    this.root = kmsRoot(options.url);
    this.kmsUri = options.kmsUri;
    this.http = new HttpClient(options.fetch, this.transcript);
  }

  get reached(): boolean {
    return this.http.reached;
  }

  get now(): number {
    return this.options.now();
  }

  /** The key that signs by D.2.2: the InK, or the TrK where there is none. */
  get signingKey() {
    const { ink, trk } = this.options.protection;
    return ink ?? trk;
  }

  request(path: string, changes: Partial<KmsRequest> = {}): KmsRequest {
    const { userUri, random, protection } = this.options;
    return {
      id: `check-${toHex(random(ID_BYTES))}`,
      userUri,
      kmsUri: known(this.kmsUri, "KMS-002"),
      time: this.now,
      clientReqUrl: `${this.root}/${path}`,
      ...defined({ trkId: protection.trk?.id }),
      ...changes,
    };
  }

  /** The request as XML, signed where there is a key for that. */
  body(path: string, changes: Partial<KmsRequest> = {}): string {
    const signWith = this.signingKey;
    return sealKmsRequest(this.request(path, changes), signWith === undefined ? {} : { signWith });
  }

  async post(path: string, options: Post = {}): Promise<Reply> {
    return this.http.ask(await this.#ask(path, options));
  }

  /** As `post`, for what a server may refuse by closing the connection. */
  async postHostile(path: string, options: Post): Promise<Reply> {
    return this.http.askHostile(await this.#ask(path, options));
  }

  async #ask(path: string, { method = "POST", request = {}, contentType, about, secret, ...rest }: Post) {
    const body = request === null ? "" : typeof request === "string" ? request : this.body(path, request);
    const token = rest.token === undefined ? await this.options.tokens.valid() : rest.token;
    return {
      method,
      url: `${this.root}/${path}`,
      token,
      headers: { "content-type": contentType ?? "application/xml", accept: "application/xml" },
      ...(method !== "GET" && { body }),
      ...defined({ about, secret }),
    };
  }

  /** The answer to what must be answered. */
  async open(reply: Reply): Promise<OpenedKmsResponse> {
    must(reply.status === 200, `answered with status ${reply.status}, and not with 200`);
    const opened = await openKmsResponse(reply.body, lookupIn(this.options.protection), LIMITS);
    const { error } = opened.response;
    if (error !== undefined) fail(`answered with KmsError ${error.errorCode}: ${error.errorMsg}`);
    return opened;
  }

  /**
   * A refusal: status 4xx, or a KmsError, as the standard names no statuses (D.3.1). Whatever it is, no key and no
   * certificate comes with it.
   */
  requireRefused(reply: Reply): void {
    const { status } = reply;
    if (status === 0) return;
    must(status < 500, `status ${status}: the KMS failed, and did not refuse`);
    const text = new TextDecoder().decode(reply.body);
    must(!/<(?:[\w.-]+:)?KmsMessage[\s>/]/.test(text), "answered, with a KmsMessage");
    if (status >= 400) return;
    must(/<(?:[\w.-]+:)?KmsError[\s>]/.test(text), `status ${status} without a KmsError: not refused`);
  }

  close(): void {
    this.domain?.destroy();
    for (const { rsk, ssk } of this.keySets ?? []) wipe(rsk, ssk);
  }
}
