/** The KMS as a function from requests to answers, which knows nothing of sockets (TS 33.180 annex D). */
import { wipe } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { systemClock } from "../../../transport/sip/index.ts";
import { RefusedLog } from "../../server/refused-log.ts";
import { KmsRefusal, refusalOf } from "../common/errors.ts";
import type { Exchange, KmsHttpRequest, KmsHttpResponse, KmsServiceDeps, Tools } from "../common/exchange.ts";
import { ownUrls } from "../common/own-urls.ts";
import { activateProven, protectionOf } from "../common/transport-keys.ts";
import { PROCEDURES } from "../procedures/index.ts";
import type { Outcome } from "../procedures/procedure.ts";
import { answerOf, refusalAnswer } from "./answer.ts";
import { Audit } from "./audit.ts";
import { CHECKS } from "./checks.ts";
import { type Known, readExchange } from "./read-exchange.ts";

export type { KmsHttpRequest, KmsHttpResponse, KmsServiceDeps } from "../common/exchange.ts";

export interface KmsService {
  /** Answers a POST. Does not throw: whatever goes wrong is a KmsError. */
  handle(request: KmsHttpRequest): Promise<KmsHttpResponse>;
  /** Answers what never became a request: another method, a body too large. */
  refuse(request: KmsHttpRequest, refusal: KmsRefusal): Promise<KmsHttpResponse>;
}

/** @throws {MikeySakkeError} usage `NO_SCHEMA` where the configuration wants one */
export function createKmsService(deps: KmsServiceDeps): KmsService {
  if (deps.config.policy.strictSchema && deps.schema === undefined) {
    throw new MikeySakkeError("usage", "NO_SCHEMA", "policy.strictSchema: no schema was handed over");
  }
  const tools: Tools = { ...deps, urls: ownUrls(deps.config) };
  const { config, metrics, now } = tools;
  const refusedLog = deps.refused ?? new RefusedLog(deps.log, systemClock);
  const audit = new Audit(tools);
  const masters = new Masters(tools);
  let inFlight = 0;

  async function handle(http: KmsHttpRequest): Promise<KmsHttpResponse> {
    const received = now();
    const known: Known = {};
    metrics.inFlight(++inFlight);
    try {
      if (inFlight > config.limits.inFlight) throw new KmsRefusal("BUSY");
      const exchange = await readExchange(http, received, tools, known);
      await masters.refreshed(received);
      for (const check of CHECKS) await check.run(exchange, tools);
      const answer = await answered(http, exchange);
      metrics.answered(exchange.target.type, "ok", now() - received);
      return answer;
    } catch (error) {
      return await refused(http, received, known, refusalOf(error));
    } finally {
      for (const { key } of known.keys ?? []) wipe(key);
      metrics.inFlight(--inFlight);
    }
  }

  async function answered(http: KmsHttpRequest, before: Exchange): Promise<KmsHttpResponse> {
    const exchange = { ...before, keys: await activateProven(before, tools) };
    const outcome = await PROCEDURES[exchange.target.type](exchange, tools);
    try {
      const protection = protectionOf(exchange);
      const answer = await answerOf(http, exchange, outcome, protection, tools);
      await audit.answered(http, exchange, outcome, protection.wrapWith?.id);
      metrics.issued(outcome.keySets?.length ?? 0);
      return answer;
    } finally {
      wipeOutcome(outcome);
    }
  }

  async function refused(
    http: KmsHttpRequest,
    received: number,
    known: Known,
    refusal: KmsRefusal,
  ): Promise<KmsHttpResponse> {
    const { code, detail } = refusal;
    const facts = { requestId: http.requestId, remote: http.remote, type: known.type, code, detail };
    if (refusal.status === 500) tools.log.error(facts, "request failed");
    else if (known.permitted !== undefined) tools.log.info(facts, "request refused");
    else refusedLog.note({ reason: code, transport: "HTTP", source: http.remote, detail });
    metrics.answered(known.type ?? "other", code, now() - received);
    await audit.refused(http, received, known, refusal).catch((error: unknown) => {
      tools.log.error({ requestId: http.requestId, detail: String(error) }, "refusal not in the audit log");
    });
    return refusalAnswer(http, known, refusal, tools);
  }

  return { handle, refuse: (http, refusal) => refused(http, now(), {}, refusal) };
}

/** Another process may have made a master key, or revoked a certificate: looked up again when a request comes in. */
class Masters {
  readonly #tools: Tools;
  #at: number;
  #running: Promise<void> | undefined;

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#at = tools.now();
  }

  async refreshed(now: number): Promise<void> {
    if (now - this.#at < this.#tools.config.limits.masterAge * 1000) return;
    this.#running ??= this.#tools.issuer
      .refresh()
      .then(() => {
        this.#at = now;
      })
      .finally(() => {
        this.#running = undefined;
      });
    await this.#running;
  }
}

function wipeOutcome({ keySets, message }: Outcome): void {
  for (const { rsk, ssk } of keySets ?? []) wipe(rsk, ssk);
  const { transport = [], integrity = [] } = message.newKeys ?? {};
  for (const { key } of [...transport, ...integrity]) wipe(key);
}
