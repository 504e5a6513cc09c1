/** GET and HEAD: whole documents, parts of them, collections; and a group without its members by POST. */
import { toHex } from "../../../base/bytes.ts";
import {
  isGmopGetExcludingMembers,
  MEDIA,
  select,
  type XcapPath,
} from "../../../documents/group-xml/index.ts";
import type { GktpRecord } from "../../../store/gms/records.ts";
import { logDone, logSent } from "../common/rekey-log.ts";
import { visibleGroup } from "./access.ts";
import { requireBody } from "./body.ts";
import { isNotModified } from "./conditions.ts";
import { documentOf, groupDocument, type XcapDocument } from "./documents.ts";
import type { AuditFacts, Exchange, XcapContext, XcapResponse } from "./exchange.ts";
import { conflict, documentRefusal, XcapRefusal } from "./xcap-refusal.ts";

/** A document that changes while it is read is read again, so often. */
const READINGS = 5;
const CHANGES = "the document changes all the time";

type Found =
  | { readonly document: XcapDocument; readonly text: string }
  | { readonly document: XcapDocument; readonly text: undefined };

export interface Answered {
  readonly response: XcapResponse;
  /** The facts for the audit log; absent for a request of no weight. */
  readonly audit?: AuditFacts;
}

export async function read(exchange: Exchange, context: XcapContext): Promise<Answered> {
  for (let reading = 0; reading < READINGS; reading++) {
    const { document, text } = await found(exchange, context, () => documentOf(exchange, context));
    const headers = headersOf(document);
    if (text === undefined) return { response: { status: 304, headers, body: "" } };
    const part = partOf(exchange.path, text, document.contentType);
    const response = {
      status: 200,
      headers: { ...headers, "content-type": part.contentType },
      body: part.body,
    };
    if (exchange.request.method === "HEAD") return { response };
    const given = await handOver(document.messages, part.body, context);
    if (given !== undefined) return { response, ...given };
  }
  throw new XcapRefusal("BUSY", { detail: CHANGES });
}

/** @throws {XcapRefusal} BODY_TYPE, CONFLICT, NOT_FOUND */
export async function readWithoutMembers(
  exchange: Exchange<Extract<XcapPath, { kind: "group" }>>,
  context: XcapContext,
): Promise<Answered> {
  const { group } = await visibleGroup(exchange, exchange.path.group, context);
  const body = requireBody(exchange.request, MEDIA.gmop);
  if (!isGetExcludingMembers(body)) {
    throw conflict("constraint-failure", "only get-excluding-memberlist is supported");
  }
  const without = async () => groupDocument(group, context, false);
  const { document, text } = await found(exchange, context, without);
  // RFC 9110 13.1.2: only GET and HEAD are answered with 304.
  if (text === undefined) throw new XcapRefusal("PRECONDITION");
  const headers = { ...headersOf(document), "content-type": document.contentType };
  return { response: { status: 200, headers, body: text } };
}

function isGetExcludingMembers(body: Uint8Array): boolean {
  try {
    return isGmopGetExcludingMembers(body);
  } catch (error) {
    throw documentRefusal(error);
  }
}

/** Without text: nothing that the client does not have. */
async function found(
  { conditions }: Exchange,
  { log }: XcapContext,
  get: () => Promise<XcapDocument>,
): Promise<Found> {
  for (let reading = 0; reading < READINGS; reading++) {
    const document = await get();
    if (isNotModified(conditions, document.etag)) return { document, text: undefined };
    const text = await document.text();
    if (text !== undefined) return { document, text };
    log.debug({ etag: document.etag }, "the document changed while it was read");
  }
  throw new XcapRefusal("BUSY", { detail: CHANGES });
}

function headersOf({ etag, cacheControl }: XcapDocument): Record<string, string> {
  return { etag: `"${etag}"`, "cache-control": cacheControl };
}

/** @throws {XcapRefusal} NOT_FOUND */
function partOf(path: XcapPath, text: string, contentType: string): { contentType: string; body: string } {
  if (!("node" in path) || path.node === undefined) return { contentType, body: text };
  const part = select(text, path.node);
  if (part === undefined) throw new XcapRefusal("NOT_FOUND", { detail: "no such node" });
  return part;
}

/**
 * Marks what goes out as delivered. What cannot be written down is not given out; undefined: the member has lost some of
 * it since it was read.
 */
async function handOver(
  messages: readonly GktpRecord[],
  body: string,
  context: XcapContext,
): Promise<Pick<Answered, "audit"> | undefined> {
  const { store, metrics, log, tracing } = context;
  const going = messages.filter(({ octets }) => body.includes(toHex(octets).toUpperCase()));
  const done = await store.handOver(going);
  if (done === undefined) return undefined;
  const fresh = going.filter(({ state }) => state === "sealed" || state === "unreachable");
  if (fresh.length === 0) return {};
  metrics.delivered("delivered", fresh.length);
  for (const message of fresh) {
    const { rekey, memberUri, traceparent } = message;
    logSent(log, message, "http");
    const attributes = { "mikey_sakke.rekey": rekey, "mikey_sakke.member": memberUri };
    tracing.begin("gms.deliver", { parent: traceparent, kind: "producer", attributes }).end();
  }
  void logDone(context, done);
  return { audit: { action: "gktp-get", detail: { rekeys: fresh.map(({ rekey }) => rekey) } } };
}
