/** Reports to the GMS on messages that were fetched over HTTP: that they are stored, or that a check failed (5.7.2.y). */
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../base/bytes.ts";
import {
  type GktpEntry,
  GROUP_XML_LIMITS,
  MEDIA,
  type ReportedMessage,
  writeGktpReport,
} from "../../documents/group-xml/index.ts";
import { WARNING_TEXT } from "./notify-answer.ts";
import type { TakenMessage } from "./take-message.ts";
import type { XcapClient } from "./xcap-client.ts";

export class Reports {
  readonly #xcap: XcapClient;
  /** By digest of the message, of one document each. */
  readonly #told = new Map<string, Map<string, ReportedMessage["result"]>>();
  readonly #due = new Map<string, Map<string, ReportedMessage>>();

  constructor(xcap: XcapClient) {
    this.#xcap = xcap;
  }

  /** The document `path` has these messages. What failed on this side only, and what is not wanted, is not reported. */
  note(path: string, entries: readonly Pick<GktpEntry, "octets">[], taken: readonly TakenMessage[]): void {
    const told = this.#told.get(path);
    const kept = new Map<string, ReportedMessage["result"]>();
    const due = new Map<string, ReportedMessage>();
    for (const [i, { octets }] of entries.entries()) {
      const outcome = taken[i]?.outcome;
      if (outcome === undefined || outcome === "failed" || outcome === "unwanted") continue;
      const digest = toHex(sha256(octets));
      const result = outcome === "refused" ? "failed" : "stored";
      if (told?.get(digest) === result) kept.set(digest, result);
      else due.set(digest, { sha256: digest, result, ...(result === "failed" && { warning: WARNING_TEXT }) });
    }
    this.#told.set(path, kept);
    this.#due.set(path, due);
  }

  /** Sends what is due. What the GMS does not want to know is not sent again. */
  async send(signal: AbortSignal): Promise<void> {
    for (const [path, due] of this.#due) {
      const messages = [...due.values()].slice(0, GROUP_XML_LIMITS.reportMessages);
      if (messages.length === 0) continue;
      await this.#xcap.post(path, MEDIA.gktpReport, writeGktpReport(messages), signal);
      for (const { sha256: digest, result } of messages) {
        due.delete(digest);
        this.#told.get(path)?.set(digest, result);
      }
    }
  }
}
