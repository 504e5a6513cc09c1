/**
 * The audit trail of requests: who asked for what, and what came of it. Refusals are written too, but only so many a
 * minute for one identity, and for all requests without a good token, or anybody could fill the database.
 */
import { defined, ifDefined } from "../../../base/defined.ts";
import type { AuditEntry } from "../../../store/index.ts";
import { RefusalBudget } from "../../server/refusal-budget.ts";
import type { KmsRefusal, RefusalCode } from "../common/errors.ts";
import type { Exchange, KmsHttpRequest, Tools } from "../common/exchange.ts";
import type { Outcome } from "../procedures/procedure.ts";
import type { Known } from "./read-exchange.ts";

const ANONYMOUS = "anonymous";
/** Probes and scans of a public port: metrics count them. */
const PROBES: ReadonlySet<RefusalCode> = new Set(["NOT_FOUND", "BAD_PATH", "METHOD", "BAD_REQUEST"]);
/** Error texts may quote what the client sent. */
const MAX_TEXT = 500;

export class Audit {
  readonly #tools: Tools;
  readonly #budget: RefusalBudget;

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#budget = new RefusalBudget(tools.config.limits);
  }

  /** One entry for each key set that goes out. What cannot be written down is not given out. */
  async answered(
    http: KmsHttpRequest,
    exchange: Exchange,
    { keySets }: Outcome,
    trkId?: string,
  ): Promise<void> {
    const { now, target, userUri, token, signedWith, request } = exchange;
    const entry: AuditEntry = {
      at: now,
      actor: userUri,
      action: target.type,
      userUri,
      outcome: "ok",
      requestId: http.requestId,
      detail: {
        remote: http.remote,
        ...defined({ clientId: ifDefined(token.clientId, cut), signedWith }),
        ...(keySets !== undefined && trkId !== undefined && { wrappedWith: trkId }),
        ...defined({ clientError: request?.clientError?.errorCode }),
      },
    };
    const entries = (keySets ?? []).map((keySet) => ({
      ...entry,
      userUri: keySet.userUri,
      periodNo: keySet.keyPeriodNo,
    }));
    await this.#tools.store.auditAll(entries.length > 0 ? entries : [entry]);
  }

  async refused(http: KmsHttpRequest, now: number, known: Known, refusal: KmsRefusal): Promise<void> {
    const who = known.permitted?.[0];
    if (who === undefined && PROBES.has(refusal.code)) return;
    const entry: AuditEntry = {
      at: now,
      actor: who ?? ANONYMOUS,
      action: known.type ?? "unknown",
      ...defined({ userUri: who }),
      outcome: "refused",
      code: refusal.code,
      requestId: http.requestId,
      detail: {
        remote: http.remote,
        ...defined({ reason: ifDefined(refusal.detail, cut) }),
      },
    };
    if (this.#budget.take(who, now, entry)) await this.#tools.store.audit(entry);
  }
}

/** By characters: half a surrogate pair is no text. */
function cut(text: string): string {
  return [...text].slice(0, MAX_TEXT).join("");
}
