/** XCAP as a function from requests to answers, which knows nothing of sockets (RFC 4825 8). */

import { isUri, parseXcapPath, type XcapPath } from "../../../documents/group-xml/index.ts";
import type { RefusedLog } from "../../server/refused-log.ts";
import type { TokenVerifier } from "../../server/tokens.ts";
import { XcapAudit } from "./audit.ts";
import { deleteGroup, putGroup } from "./change.ts";
import { readConditions } from "./conditions.ts";
import type { Exchange, Known, XcapContext, XcapRequest, XcapResponse } from "./exchange.ts";
import { type Answered, read, readWithoutMembers } from "./read.ts";
import { takeReport } from "./report.ts";
import { refusalOf, XcapRefusal } from "./xcap-refusal.ts";

export interface XcapService {
  /** Does not throw: whatever goes wrong is an answer. */
  handle(request: XcapRequest): Promise<XcapResponse>;
  /** Answers what never became a request: a body too large, a broken one. */
  refuse(request: XcapRequest, refusal: XcapRefusal): Promise<XcapResponse>;
}

/** The names of documents in the counters. */
const TYPES: Readonly<Record<XcapPath["kind"], string>> = {
  group: "group",
  "group-collection": "collection",
  "gktp-user": "gktp",
  "gktp-collection": "collection",
  "gktp-group": "gktp",
  "gktp-group-collection": "collection",
  caps: "caps",
};

/** `refusedLog` gets the refusals of requests without a good token. */
export function createXcapService(
  context: XcapContext,
  tokens: TokenVerifier,
  refusedLog: Pick<RefusedLog, "note">,
): XcapService {
  const { config, metrics, now, log } = context;
  const audit = new XcapAudit(context);
  let inFlight = 0;

  async function handle(request: XcapRequest): Promise<XcapResponse> {
    const received = now();
    const known: Known = { type: "other" };
    metrics.inFlight(++inFlight);
    try {
      if (inFlight > config.limits.inFlight) throw new XcapRefusal("BUSY");
      const exchange = await readExchange(request, received, known);
      const { response, audit: facts } = await answer(exchange, context);
      if (facts !== undefined) await audit.answered(exchange, known, facts);
      metrics.answered(known.type, "ok", now() - received);
      return response;
    } catch (error) {
      return await refused(request, received, known, refusalOf(error));
    } finally {
      metrics.inFlight(--inFlight);
    }
  }

  async function readExchange(request: XcapRequest, received: number, known: Known): Promise<Exchange> {
    const path = pathOf(request.path, config.xcapPath);
    known.type = TYPES[path.kind];
    if ("group" in path) known.groupUri = path.group;
    requireMethod(path, request.method);
    if (known.type === "gktp" && request.method === "POST") known.type = "report";
    const proven = await tokens.verify(request.authorization, received);
    const identities = proven.identities.filter(isUri);
    if (identities.length === 0) {
      throw new XcapRefusal("WRONG_IDENTITY", { detail: "no identity in the token" });
    }
    known.who = identities[0]!;
    if ((request.contentEncoding ?? "identity") !== "identity") throw new XcapRefusal("ENCODING");
    const conditions = readConditions(request.ifMatch, request.ifNoneMatch);
    return { request, now: received, path, identities, conditions };
  }

  async function refused(
    request: XcapRequest,
    received: number,
    known: Known,
    refusal: XcapRefusal,
  ): Promise<XcapResponse> {
    const { code, detail } = refusal;
    const { requestId, remote, method } = request;
    const facts = { requestId, remote, method, type: known.type, code, detail };
    if (refusal.status === 500) log.error(facts, "request failed");
    else if (known.who === undefined) {
      refusedLog.note({ reason: code, transport: "HTTP", source: remote, detail });
    } else if (audit.isOrdinary(request, known, refusal)) log.debug(facts, "nothing there");
    else log.info(facts, "request refused");
    metrics.answered(known.type, code, now() - received);
    await audit.refused(request, received, known, refusal).catch((error: unknown) => {
      log.error({ requestId, detail: String(error) }, "refusal not in the audit log");
    });
    return refusal.answer();
  }

  return { handle, refuse: (request, refusal) => refused(request, now(), { type: "other" }, refusal) };
}

/** @throws {XcapRefusal} NOT_FOUND or BAD_PATH */
function pathOf(path: string, root: string): XcapPath {
  if (!path.startsWith(`${root}/`)) throw new XcapRefusal("NOT_FOUND");
  let parsed: XcapPath | undefined;
  try {
    parsed = parseXcapPath(path.slice(root.length + 1));
  } catch (cause) {
    throw new XcapRefusal("BAD_PATH", { cause, detail: cause instanceof Error ? cause.message : "" });
  }
  if (parsed === undefined) throw new XcapRefusal("NOT_FOUND");
  return parsed;
}

/** Parts of documents are read only. */
function methodsOf(path: XcapPath): readonly string[] {
  const isPart = "node" in path && path.node !== undefined;
  if (!isPart && path.kind === "group") return ["GET", "HEAD", "PUT", "DELETE", "POST"];
  if (!isPart && (path.kind === "gktp-user" || path.kind === "gktp-group")) return ["GET", "HEAD", "POST"];
  return ["GET", "HEAD"];
}

/** @throws {XcapRefusal} METHOD */
function requireMethod(path: XcapPath, method: string): void {
  const methods = methodsOf(path);
  if (!methods.includes(method))
    throw new XcapRefusal("METHOD", { detail: method, allow: methods.join(", ") });
}

async function answer(exchange: Exchange, context: XcapContext): Promise<Answered> {
  const { path, request } = exchange;
  if (request.method === "GET" || request.method === "HEAD") return read(exchange, context);
  if (path.kind === "gktp-user" || path.kind === "gktp-group") return takeReport(exchange, path, context);
  if (path.kind !== "group") throw new XcapRefusal("METHOD", { detail: request.method });
  const group = { ...exchange, path };
  if (request.method === "POST") return readWithoutMembers(group, context);
  const change = request.method === "PUT" ? putGroup : deleteGroup;
  return { response: await change(group, context) };
}
