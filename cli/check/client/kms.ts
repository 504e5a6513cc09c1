/** The KMS that a client under test asks: it answers what can be answered, and keeps what was asked (TS 33.180 annex D). */
import { wipe } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { Core } from "../../../bindings/core/core.ts";
import {
  Initiator,
  type KeySet,
  KmsDomain,
  ntpFromUnixMs,
  ntpSeconds,
  Receiver,
} from "../../../bindings/index.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import {
  type KmsMessage,
  type KmsRequest,
  openKmsRequest,
  sealKmsResponse,
} from "../../../documents/kms-xml/index.ts";
import type { TransportKeys } from "../../../roles/identity/index.ts";
import { parsePath, ROOT, type Target } from "../../../roles/kms/common/path.ts";
import { withoutQuery } from "../../../roles/server/without-query.ts";
import { Arrivals } from "./arrivals.ts";
import type { HttpAnswer, HttpRequest } from "./http.ts";

export interface KmsRequestSeen extends HttpRequest {
  readonly at: number;
  /** Undefined for a path that there is not. */
  readonly target: Target | undefined;
  /** Undefined for an empty body, and for one that cannot be read. */
  readonly request: KmsRequest | undefined;
  readonly error?: MikeySakkeError;
  readonly signedWith?: string;
}

export interface CheckKmsOptions {
  readonly core: Core;
  readonly kmsUri: string;
  /** Before the path of D.2.1. */
  readonly origin: string;
  readonly userUri: string;
  readonly protection: TransportKeys;
  readonly now: () => number;
  readonly random: RandomSource;
}

/** 30 days, as KMSs in the field have it. */
const KEY_PERIOD = 2_592_000;

export class CheckKms {
  readonly seen = new Arrivals<KmsRequestSeen>();
  readonly domain: KmsDomain;
  readonly #options: CheckKmsOptions;
  readonly #master: KmsMaster;

  constructor(options: CheckKmsOptions) {
    const { core, kmsUri, random } = options;
    this.#options = options;
    this.#master = KmsMaster.generate(core, random);
    this.domain = KmsDomain.load(core, {
      role: "Root",
      kmsUri,
      userIdFormat: "2",
      userKeyPeriod: KEY_PERIOD,
      userKeyOffset: 0,
      pubEncKey: this.#master.zt,
      pubAuthKey: this.#master.kpak,
    });
  }

  /** An initiator with the keys of an identity for the key periods of the given times. */
  initiator(uri: string, times: readonly number[]): Initiator {
    const periods = [...new Set(times.map((time) => this.#periodAt(time)))];
    const keySets = periods.map((period) => this.#keySet(uri, period));
    const initiator = Initiator.load(this.domain, keySets);
    wipeKeys(keySets);
    return initiator;
  }

  /** A receiver with the keys of an identity for the present key period. */
  receiver(uri: string): Receiver {
    const keySet = this.#keySet(uri, this.#periodAt(this.#options.now()));
    try {
      return Receiver.load([this.domain], [keySet]);
    } finally {
      wipeKeys([keySet]);
    }
  }

  async answer(http: HttpRequest): Promise<HttpAnswer> {
    const seen = this.#read(http);

    const { userUri, kmsUri, origin, protection, now } = this.#options;
    this.seen.add(seen);
    const { target, request } = seen;
    if (target === undefined) return { status: 404 };
    if (http.method !== "POST") return { status: 405, headers: { allow: "POST" } };
    const message = this.#message(target);
    const signs = seen.signedWith !== undefined ? (protection.ink ?? protection.trk) : undefined;
    const body = await sealKmsResponse(
      {
        userUri: request?.userUri ?? userUri,
        kmsUri,
        time: now(),
        clientReqUrl: request?.clientReqUrl ?? `${origin}${http.path}`,
        message,
      },
      defined({ wrapWith: protection.trk, signWith: signs }),
    );
    if (message.type === "keyprov") wipeKeys(message.keySets);
    return { status: 200, headers: { "content-type": "application/xml", "cache-control": "no-store" }, body };
  }

  destroy(): void {
    this.#master.destroy();
    this.domain.destroy();
  }

  #read(http: HttpRequest): KmsRequestSeen {
    const { protection, now } = this.#options;
    const base = { ...http, at: now(), target: targetOf(http.path), request: undefined };
    if (http.body.length === 0) return base;
    try {
      const keys = Object.values(protection);
      const keyOf = (id: string | undefined) => keys.find((key) => key.id === id);
      return {
        ...base,
        ...openKmsRequest(
          http.body,
          keys.length === 0 ? undefined : { transportKey: keyOf, signatureKey: keyOf },
        ),
      };
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
      return { ...base, error };
    }
  }

  #message({ type, uris, seconds, cacheNum }: Target): KmsMessage {
    const { kmsUri, userUri, now } = this.#options;
    const { certificate } = this.domain;
    switch (type) {
      case "init":
        return { type: "init", certificate };
      case "keyprov": {
        const period = seconds === undefined ? this.#periodAt(now()) : this.domain.keyPeriodNo(seconds);
        return { type: "keyprov", keySets: [this.#keySet(uris?.[0] ?? userUri, period)] };
      }
      case "certcache":
        return { type: "certcache", cacheNum: 1, certificates: cacheNum === 1 ? [] : [certificate] };
      case "cert":
        return { type: "certcache", certificates: uris?.includes(kmsUri) ? [certificate] : [] };
      default:
        return { type: "lookup", kmsUris: [kmsUri] };
    }
  }

  #periodAt(time: number): number {
    return this.domain.keyPeriodNo(ntpSeconds(ntpFromUnixMs(time)));
  }

  #keySet(userUri: string, keyPeriodNo: number): KeySet {
    const uid = this.domain.uid(userUri, keyPeriodNo);
    return { kmsUri: this.#options.kmsUri, userUri, uid, keyPeriodNo, ...this.#master.issue(uid) };
  }
}

/** A token in the query is judged, and answered for all the same. */
function targetOf(path: string): Target | undefined {
  try {
    return parsePath(withoutQuery(path));
  } catch {
    return undefined;
  }
}

export function isKmsPath(path: string): boolean {
  return path.startsWith(`${ROOT}/`);
}

function wipeKeys(keySets: readonly Pick<KeySet, "rsk" | "ssk">[]): void {
  for (const { rsk, ssk } of keySets) wipe(rsk, ssk);
}
