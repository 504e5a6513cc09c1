/** The audit trail of XCAP: keys that went out, and of reports and refusals only so many. */
import { defined, ifDefined } from "../../../base/defined.ts";
import { RefusalBudget } from "../../server/refusal-budget.ts";
import type { AuditFacts, Exchange, Known, XcapContext, XcapRequest } from "./exchange.ts";
import { REPORT } from "./report.ts";
import type { XcapRefusal, XcapRefusalCode } from "./xcap-refusal.ts";

const ANONYMOUS = "anonymous";
const PROBES: ReadonlySet<XcapRefusalCode> = new Set(["NOT_FOUND", "BAD_PATH", "METHOD", "BAD_REQUEST"]);
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
    const { groupUri } = known;
    const detail = { remote: request.remote, requestId: request.requestId, ...facts.detail };
    const group = groupUri === undefined ? {} : { groupUri };
    const common = { at: now, actor: identities[0]!, outcome: "ok" } as const;
    const entry = { ...common, action: facts.action, ...group, detail };
    if (facts.action === REPORT && !this.#reports.take(identities[0], now, entry)) return;
    await this.#context.store.audit([entry]);
  }

  async refused(request: XcapRequest, now: number, known: Known, refusal: XcapRefusal): Promise<void> {
    const { who, groupUri } = known;
    if (this.isOrdinary(request, known, refusal)) return;
    const { requestId, remote, method } = request;
    const reason = refusal.detail === undefined ? {} : { reason: cut(refusal.detail) };
    const entry = {
      at: now,
      actor: who ?? ANONYMOUS,
      action: `xcap-${method.toLowerCase()}`,
      ...defined({ groupUri: ifDefined(groupUri, cut) }),
      outcome: "refused" as const,
      code: refusal.code,
      detail: { requestId, remote, type: known.type, ...reason },
    };
    if (this.#budget.take(who, now, entry)) await this.#context.store.audit([entry]);
  }

  /**
   * Returns whether a refusal is only counted in metrics, and stands in neither log nor audit log: probes and scans of a
   * public port, and that a group of which an MCX server asks is none here, as it does for each call to such a group.
   */
  isOrdinary(request: XcapRequest, { who }: Known, { code }: XcapRefusal): boolean {
    if (who === undefined) return PROBES.has(code);
    const isRead = request.method === "GET" || request.method === "HEAD";
    return isRead && code === "NOT_FOUND" && this.#context.config.groupReaders.includes(who);
  }
}

/** By characters: half a surrogate pair is no text. */
function cut(text: string): string {
  return [...text].slice(0, MAX_TEXT).join("");
}
