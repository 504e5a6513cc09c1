/** The report of a client on the messages that it fetched (5.7.2.y): the answer that HTTP has no place for. */
import { createHash } from "node:crypto";
import { MEDIA, type ReportedMessage, readGktpReport } from "../../../documents/group-xml/index.ts";
import type { DeliveryResult, GktpRecord } from "../../../store/gms/records.ts";
import { TIME_TEXT } from "../../group-keys/notify-answer.ts";
import { logDone, logOutcome } from "../common/rekey-log.ts";
import { type KeyPath, ownMessages } from "./access.ts";
import { requireBody } from "./body.ts";
import type { Exchange, XcapContext } from "./exchange.ts";
import type { Answered } from "./read.ts";
import { conflict, documentRefusal } from "./xcap-refusal.ts";

/** In the audit log. */
export const REPORT = "gktp-report";

/**
 * All messages of the report are recorded, or none. What the GMS knows already is neither written nor audited again:
 * otherwise a member could fill the audit log with one report.
 *
 * @throws {XcapRefusal} BODY_TYPE, WRONG_IDENTITY, NOT_FOUND, CONFLICT
 */
export async function takeReport(exchange: Exchange, path: KeyPath, context: XcapContext): Promise<Answered> {
  const { store, metrics, log } = context;
  const records = await ownMessages(exchange, path, context);
  const reported = readReport(requireBody(exchange.request, MEDIA.gktpReport));
  const byDigest = new Map(records.map((record) => [digestOf(record), record]));
  const news: { readonly record: GktpRecord; readonly result: DeliveryResult }[] = [];
  for (const message of reported.values()) {
    const record = byDigest.get(message.sha256);
    if (record === undefined) {
      throw conflict("constraint-failure", `no message here has the digest ${message.sha256}`);
    }
    const result = resultOf(message, record);
    if (isNews(result, record)) news.push({ record, result });
  }
  const response = { status: 204, headers: { "cache-control": "no-store" }, body: "" };
  if (news.length === 0) return { response };
  const results = news.map(({ result }) => result);
  const done = await store.record(results);
  for (const { record, result } of news) logOutcome(log, record, "http", result);
  void logDone(context, done);
  const failed = results.filter(({ state }) => state === "refused").length;
  metrics.delivered("refused", failed);
  metrics.delivered("acknowledged", results.length - failed);
  const detail = { rekeys: results.map(({ rekey }) => rekey), failed };
  return { response, audit: { action: REPORT, detail } };
}

/** By digest: each message once. */
function readReport(body: Uint8Array): Map<string, ReportedMessage> {
  let messages: ReportedMessage[];
  try {
    messages = readGktpReport(body);
  } catch (error) {
    throw documentRefusal(error);
  }
  if (messages.length === 0) throw conflict("constraint-failure", "the report has no messages");
  const reported = new Map<string, ReportedMessage>();
  for (const message of messages) {
    const other = reported.get(message.sha256);
    if (other !== undefined && other.result !== message.result) {
      throw conflict("uniqueness-failure", `two results of the message ${message.sha256}`);
    }
    reported.set(message.sha256, message);
  }
  return reported;
}

/** As the store sees it: nothing comes after `acknowledged`, and a refusal is none the more for being repeated. */
function isNews({ state }: DeliveryResult, before: GktpRecord): boolean {
  return before.state !== "acknowledged" && before.state !== state;
}

function digestOf({ octets }: GktpRecord): string {
  return createHash("sha256").update(octets).digest("hex");
}

function resultOf({ result, warning }: ReportedMessage, { rekey, memberUri }: GktpRecord): DeliveryResult {
  if (result === "stored") return { rekey, memberUri, state: "acknowledged" };
  // When the clock is right again, the same message will do.
  if (warning?.includes(TIME_TEXT)) return { rekey, memberUri, state: "delivered", reason: warning };
  return { rekey, memberUri, state: "refused", reason: warning ?? "not accepted" };
}
