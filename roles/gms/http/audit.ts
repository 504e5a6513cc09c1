/** The audit trail of XCAP: keys that went out, and of reports and refusals only so many. */
import { RefusalBudget } from "../../server/refusal-budget.ts";
import type { AuditFacts, Exchange, XcapContext, XcapRequest } from "./exchange.ts";
import type { XcapRefusal } from "./refusals.ts";
import { REPORT } from "./report.ts";
import type { Known } from "./service.ts";

const ANONYMOUS = "anonymous";
/** Error texts may quote what the client sent. */
const MAX_TEXT = 500;

export class XcapAudit {
  readonly #context: XcapContext;
  readonly #budget: RefusalBudget;
  /** Its own, so that neither reports nor refusals hide the other. */
  readonly #reports: RefusalBudget;

  constructor(context: XcapContext) {
    this.#context = context;
    this.#budget = new RefusalBudget(context.config.limits);
    this.#reports = new RefusalBudget(context.config.limits);
  }

  async answered({ now, identities, request }: Exchange, known: Known, facts: AuditFacts): Promise<void> {
    if (facts.action === REPORT && !this.#reports.take(identities[0], now)) return;
    const { groupUri } = known;
    const detail = { remote: request.remote, requestId: request.requestId, ...facts.detail };
    const group = groupUri === undefined ? {} : { groupUri };
    await this.#context.store.audit([
      { at: now, actor: identities[0]!, outcome: "ok", action: facts.action, ...group, detail },
    ]);
  }

  async refused(request: XcapRequest, now: number, known: Known, refusal: XcapRefusal): Promise<void> {
    const { who, groupUri } = known;
    if (!this.#budget.take(who, now)) return;
    const { requestId, remote, method } = request;
    const reason = refusal.detail === undefined ? {} : { reason: cut(refusal.detail) };
    await this.#context.store.audit([
      {
        at: now,
        actor: who ?? ANONYMOUS,
        action: `xcap-${method.toLowerCase()}`,
        ...(groupUri !== undefined && { groupUri: cut(groupUri) }),
        outcome: "refused",
        code: refusal.code,
        detail: { requestId, remote, type: known.type, ...reason },
      },
    ]);
  }
}

/** By characters: half a surrogate pair is no text. */
function cut(text: string): string {
  return [...text].slice(0, MAX_TEXT).join("");
}
