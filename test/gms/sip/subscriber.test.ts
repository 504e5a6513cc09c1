/** Tests what a subscription is told, in the light of what it answered. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  mediaTypeOf,
  readMultipart,
  readXcapDiff,
  type XcapDiffDocument,
} from "../../../documents/group-xml/index.ts";
import type { Verdict } from "../../../roles/gms/sip/answers.ts";
import type { DiffMode, Entry, Subscribed } from "../../../roles/gms/sip/subscribed.ts";
import { type NotifyDraft, Subscriber } from "../../../roles/gms/sip/subscriber.ts";
import type { GktpRecord } from "../../../store/gms/records.ts";
import { EVENT, Headers, type NotifierSubscription } from "../../../transport/sip/index.ts";
import { MEMBER, record } from "./support/records.ts";

const GROUP: Entry = { kind: "group", sel: "group", group: "g" };
const KEYS: Entry = { kind: "gktp", sel: "keys" };

function subscribed(mode: DiffMode, mikey = false, entries: readonly Entry[] = [GROUP, KEYS]): Subscribed {
  return { mode, mikey, entries, leftOut: 0 };
}

function make(what: Subscribed, event: [string, string][] = [["diff-processing", what.mode]]): Subscriber {
  const link = { event: { value: "xcap-diff", params: new Map(event) }, state: "active" };
  const made = new Subscriber(link as unknown as NotifierSubscription, MEMBER, what);
  made.begin();
  return made;
}

let revision = 1;
let records: GktpRecord[];
beforeEach(() => {
  revision = 1;
  records = [record(1), record(2), record(3)];
});

/** `member`: false when it has left its only group. */
function draft(subscriber: Subscriber, options: { most?: number; always?: boolean; member?: boolean } = {}) {
  const { most = 16, member = true, ...more } = options;
  const groups = new Map(member ? [["g", revision]] : []);
  const view = { groups, gktp: member ? records : [] };
  return subscriber.draft(view, { xcapRoot: "https://x/", most, ...more });
}

function documentsOf({ content }: NotifyDraft): readonly XcapDiffDocument[] {
  const { contentType = "", body = new Uint8Array() } = content;
  const isMultipart = mediaTypeOf(contentType) === "multipart/mixed";
  return readXcapDiff(isMultipart ? readMultipart(contentType, body)[0]!.body : body).documents;
}

/** Drafts and answers until there is nothing to tell; the rekeys of each draft. */
function run(subscriber: Subscriber, answer: (rekeys: readonly number[]) => Verdict, most = 16): number[][] {
  const sent: number[][] = [];
  for (let made = draft(subscriber, { most }); made !== undefined; made = draft(subscriber, { most })) {
    const rekeys = made.messages.map(({ rekey }) => rekey);
    sent.push(rekeys);
    expect(sent.length).toBeLessThan(50);
    if (!subscriber.answered(made, answer(rekeys)) && answer(rekeys) !== "taken") break;
  }
  return sent;
}

describe("a subscriber with patches gets", () => {
  it("all messages at once, then nothing until something changes", () => {
    const subscriber = make(subscribed("xcap-patching"));
    expect(run(subscriber, () => "taken")).toEqual([[1, 2, 3]]);
    revision = 2;
    const made = draft(subscriber)!;
    expect(documentsOf(made)).toEqual([{ sel: "group", newEtag: "2", previousEtag: "1" }]);
    expect([subscriber.hasSettled(3), subscriber.hasSettled(4)]).toEqual([true, false]);
  });

  it("no more in one NOTIFY than the limit", () => {
    expect(run(make(subscribed("aggregate")), () => "taken", 2)).toEqual([[1, 2], [3]]);
  });

  it("each message alone after a refusal of several, and no more of what is refused", () => {
    const subscriber = make(subscribed("aggregate"));
    const sent = run(subscriber, (rekeys) => (rekeys.includes(2) ? "refused" : "taken"));
    expect(sent).toEqual([[1, 2, 3], [1], [2], [3]]);
    records.push(record(4));
    expect(run(subscriber, () => "taken")).toEqual([[4]]);
    // A SUBSCRIBE asks for everything anew.
    subscriber.begin();
    expect(run(subscriber, () => "taken")).toEqual([[1, 2, 3, 4]]);
  });

  it("the same again after a failure, from the empty document", () => {
    const subscriber = make(subscribed("aggregate"));
    expect(run(subscriber, () => "later")).toEqual([[1, 2, 3]]);
    expect(subscriber.failures).toBe(1);
    const made = draft(subscriber)!;
    expect(documentsOf(made).find(({ sel }) => sel === "keys")).toMatchObject({ previousEtag: "0" });
    expect(run(subscriber, () => "taken")).toEqual([[1, 2, 3]]);
    expect(subscriber.failures).toBe(0);
  });

  it("the removal of documents and keys when no longer a member", () => {
    const subscriber = make(subscribed("aggregate"));
    run(subscriber, () => "taken");
    const made = draft(subscriber, { member: false })!;
    expect(made.messages).toEqual([]);
    expect(documentsOf(made).map(({ newEtag }) => newEtag)).toEqual([undefined, undefined]);
    subscriber.answered(made, "taken");
    expect(draft(subscriber, { member: false })).toBeUndefined();
  });

  it("in a full state the names of documents that are gone since", () => {
    const subscriber = make(subscribed("aggregate"));
    run(subscriber, () => "taken");
    subscriber.begin();
    const made = draft(subscriber, { member: false, always: true })!;
    expect(documentsOf(made).map(({ sel, previousEtag }) => [sel, previousEtag !== undefined])).toEqual([
      ["group", true],
      ["keys", true],
    ]);
  });

  it("only the documents of the new list after a change of its list", () => {
    const subscriber = make(subscribed("aggregate"));
    run(subscriber, () => "taken");
    subscriber.wanted = subscribed("aggregate", false, [GROUP]);
    expect(draft(subscriber)).toBeUndefined();
    subscriber.begin();
    expect(documentsOf(draft(subscriber)!).map(({ sel }) => sel)).toEqual(["group"]);
  });

  it("an empty diff where a NOTIFY is due and nothing may be read", () => {
    const subscriber = make(subscribed("aggregate"));
    expect(documentsOf(draft(subscriber, { member: false, always: true })!)).toEqual([]);
  });
});

describe("a subscriber without patches gets", () => {
  beforeEach(() => void records.push(record(4, "revoke")));

  it("tags alone", () => {
    const subscriber = make(subscribed("no-patching"));
    expect(run(subscriber, () => "taken")).toEqual([[]]);
    expect(subscriber.hasSettled(1)).toBe(false);
  });

  it("revocations beside the diff, if accepted there, alone after a refusal", () => {
    records.push(record(5, "revoke"));
    const subscriber = make(subscribed("no-patching", true));
    const made = draft(subscriber)!;
    expect(readMultipart(made.content.contentType!, made.content.body!)).toHaveLength(3);
    const sent = run(subscriber, (rekeys) => (rekeys.includes(4) ? "refused" : "taken"));
    expect(sent).toEqual([[4, 5], [4], [5]]);
  });
});

describe("the Event of a NOTIFY", () => {
  const eventOf = (subscriber: Subscriber) => {
    const headers = new Headers();
    draft(subscriber)!.content.headers?.(headers);
    return headers.get(EVENT)?.params.get("diff-processing");
  };

  it("names the mode if it is another than requested (RFC 5875 4.3)", () => {
    expect(eventOf(make(subscribed("no-patching"), [["diff-processing", "other"]]))).toBe("no-patching");
    expect(eventOf(make(subscribed("aggregate")))).toBeUndefined();
    expect(eventOf(make(subscribed("no-patching"), []))).toBeUndefined();
  });
});
