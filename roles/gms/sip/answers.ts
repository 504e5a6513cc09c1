/** Reads what the answer to a NOTIFY says of the messages in it (5.7.2.x step 2: it is the answer of the member). */

import type { NotifyResult } from "../../../transport/sip/index.ts";
import { TIME_TEXT } from "../../group-keys/notify-answer.ts";

/**
 * taken: all is stored. refused: at least one message is not taken, and would not be another time. later: nothing is known,
 * try again. gone: as later, and there is no subscription any more.
 */
export type Verdict = "taken" | "refused" | "later" | "gone";

/** Responses in the 400s that tell of the path or of the moment, not of the message. */
const PASSING = new Set([401, 407, 408, 429, 430, 480, 482, 483, 491, 494]);

/**
 * @param over whether the subscription has ended with that answer (RFC 6665 4.2.2)
 * @param messages how many there were: of several it is not known which one was refused
 */
export function verdictOf(result: NotifyResult, over: boolean, messages: number): Verdict {
  const { status } = result;
  if (status >= 200 && status < 300) return "taken";
  if (over) return "gone";
  if (messages === 1 && isUntimely(result)) return "later";
  const isRefusal = (status >= 400 && status < 500) || status >= 600;
  return isRefusal && !PASSING.has(status) ? "refused" : "later";
}

/** The member refuses T and nothing else: its clock or that of the database is wrong, and will be right again. */
export function isUntimely({ status, warnings }: NotifyResult): boolean {
  return status === 488 && warnings.some(({ text }) => text === TIME_TEXT);
}

/** Characters of a reason that are kept. */
const LONGEST = 200;

/** The texts of Warning, which say what failed; else the reason phrase. From outside, so without what may harm a log. */
export function reasonOf({ warnings, reason }: NotifyResult): string {
  const texts = warnings.map(({ text }) => text).filter((text) => text !== "");
  const text = texts.length > 0 ? texts.join("; ") : reason;
  return text.replace(/[^\x20-\x7e\xa0-\ud7ff\uf900-\ufffd]/g, "?").slice(0, LONGEST);
}
