/** One subscription as the GMS sees it: what it is about, what it was told last, and what came of it. */
import type { GktpRecord } from "../../../store/gms/records.ts";
import { EVENT, type NotifierSubscription, type StateContent } from "../../../transport/sip/index.ts";
import type { Verdict } from "./answers.ts";
import { compose, contentOf, type ToldDocument } from "./diff.ts";
import { covers, type MemberView, readableDocuments } from "./documents.ts";
import { NotifyLock } from "./notify-lock.ts";
import type { Subscribed } from "./subscribed.ts";

/** A NOTIFY that is to be sent. */
export interface NotifyDraft {
  readonly content: StateContent;
  /** The messages whose fate the answer decides. */
  readonly messages: readonly GktpRecord[];
  readonly told: ReadonlyMap<string, ToldDocument>;
}

export interface NotifyDraftOptions {
  readonly xcapRoot: string;
  /** Messages in one NOTIFY. */
  readonly most: number;
  /** A NOTIFY is due also when there is nothing to tell. */
  readonly always?: boolean;
}

export class Subscriber {
  readonly link: NotifierSubscription;
  readonly member: string;
  /** One NOTIFY at a time (RFC 5875 4.6). Taken from the start, as the first one is that after the SUBSCRIBE. */
  readonly lock = new NotifyLock();
  /** The NOTIFY after the first SUBSCRIBE is still due. */
  isNew = true;
  /** The list that the last SUBSCRIBE asked for, which counts since the NOTIFY after it. */
  wanted: Subscribed;
  #subscribed: Subscribed;
  /**
   * Groups whose changes concern it, as of the last draft: its own. To become a member of another brings a message, and
   * the changes of the others are none of its business, however many it lists.
   */
  groups: readonly string[] = [];
  /** The last answer of `gktpStamps`. */
  stamp: string | undefined;
  /** Tries that came to nothing, one after the other. */
  failures = 0;
  #told: ReadonlyMap<string, ToldDocument> = new Map();
  /** Told before it subscribed anew. */
  #before: ReadonlyMap<string, ToldDocument> = new Map();
  /** Rekeys whose messages it has taken or refused: they are not sent again before it subscribes anew. */
  readonly #settled = new Set<number>();
  /** After a refusal of several messages: those to be sent alone, so as to learn which it was. */
  #alone: readonly number[] = [];
  /** Whether it made anything of the last NOTIFY is not known. */
  #unsure = false;

  constructor(link: NotifierSubscription, member: string, subscribed: Subscribed) {
    this.link = link;
    this.member = member;
    this.wanted = subscribed;
    this.#subscribed = subscribed;
    this.lock.take();
  }

  get over(): boolean {
    return this.link.state === "terminated";
  }

  /** Returns whether this subscription brought the message, and had an answer that says what came of it. */
  hasSettled(rekey: number): boolean {
    return this.#settled.has(rekey);
  }

  /** After a SUBSCRIBE the full state is due (RFC 6665 4.2.1.2): nothing counts as told. */
  begin(): void {
    this.#subscribed = this.wanted;
    this.#before = new Map([...this.#before, ...this.#told]);
    this.#told = new Map();
    this.#settled.clear();
    this.#alone = [];
    this.#unsure = false;
  }

  /** Undefined: nothing to tell. */
  draft(view: MemberView, { xcapRoot, most, always = false }: NotifyDraftOptions): NotifyDraft | undefined {
    const { entries, mode, mikey } = this.#subscribed;
    const documents = readableDocuments(entries, view);
    this.groups = [...view.groups.keys()];
    const patching = mode !== "no-patching";
    const records = new Map<number, GktpRecord>();
    for (const document of documents.values()) {
      if (document.kind === "gktp") for (const record of document.records) records.set(record.rekey, record);
    }
    this.#forget(records);
    const carried = [...records.values()].filter(({ kind }) => patching || (mikey && kind === "revoke"));
    const messages = this.#choose(carried, most);
    const gone = [...this.#before].filter(([sel]) => !documents.has(sel) && covers(entries, sel));
    const composed = compose({
      documents,
      told: new Map([...gone, ...this.#told]),
      patching,
      unsure: this.#unsure,
      chosen: new Set(messages.map(({ rekey }) => rekey)),
    });
    if (composed.documents.length === 0 && messages.length === 0 && !always) return undefined;
    const content = contentOf(xcapRoot, composed.documents, patching ? [] : messages);
    return { content: this.#withMode(content), messages, told: composed.told };
  }

  /** Forgets messages that are in no document any more. */
  #forget(records: ReadonlyMap<number, GktpRecord>): void {
    for (const rekey of this.#settled) if (!records.has(rekey)) this.#settled.delete(rekey);
  }

  #choose(records: readonly GktpRecord[], most: number): GktpRecord[] {
    const fresh = records.filter(({ rekey }) => !this.#settled.has(rekey));
    const alone = fresh.filter(({ rekey }) => this.#alone.includes(rekey));
    if (alone.length > 0) return alone.slice(0, 1);
    return fresh.sort((a, b) => a.rekey - b.rekey).slice(0, most);
  }

  /** RFC 5875 4.3: the notifier says which mode it uses, where that is another than was asked for. */
  #withMode(content: StateContent): StateContent {
    const { event } = this.link;
    const { mode } = this.#subscribed;
    if ((event.params.get("diff-processing") ?? "no-patching").toLowerCase() === mode) return content;
    const params = new Map([...event.params, ["diff-processing", mode] as const]);
    return { ...content, headers: (headers) => void headers.set(EVENT, { ...event, params }) };
  }

  /** Takes note of what came of a draft. True when there may be more to tell at once. */
  answered({ messages, told }: NotifyDraft, verdict: Verdict): boolean {
    const rekeys = messages.map(({ rekey }) => rekey);
    const isTaken = verdict === "taken";
    // A refusal of what has no messages would be the same again.
    if (isTaken || (verdict === "refused" && rekeys.length === 0)) {
      this.#told = told;
      this.#before = new Map();
    }
    this.#unsure = !isTaken && rekeys.length > 0;
    if (verdict === "later" || verdict === "gone") {
      this.failures++;
      return false;
    }
    this.failures = 0;
    if (isTaken || rekeys.length === 1) for (const rekey of rekeys) this.#settled.add(rekey);
    else this.#alone = rekeys;
    return rekeys.length > 0;
  }
}
