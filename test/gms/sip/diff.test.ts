/** Diffs, applied by a client that goes by RFC 5874 to the letter. */
import { describe, expect, it } from "vitest";
import {
  applyPatches,
  type GktpEntry,
  readMultipart,
  readXcapDiff,
} from "../../../documents/group-xml/index.ts";
import { gktpEtagOf, messageDigest } from "../../../roles/gms/common/etags.ts";
import { compose, contentOf, type ToldDocument } from "../../../roles/gms/sip/diff.ts";
import type { ReadableDocument } from "../../../roles/gms/sip/documents.ts";
import type { GktpRecord } from "../../../store/gms/records.ts";
import { record } from "./support/records.ts";

const ROOT = "https://gms.example.com/xcap/";
const SEL = "keys";

/** Its copy of the document; undefined etag: none. */
class Client {
  etag: string | undefined;
  entries: readonly GktpEntry[] = [];

  apply(body: Uint8Array): void {
    for (const document of readXcapDiff(body).documents) {
      const { newEtag, previousEtag, patches } = document;
      if (newEtag === undefined) {
        expect(previousEtag).toBe(this.etag);
        this.etag = undefined;
        this.entries = [];
        continue;
      }
      if (patches === undefined) {
        expect(newEtag).toBe("0");
        this.entries = [];
      } else {
        if (previousEtag !== "0") expect(previousEtag).toBe(this.etag);
        this.entries = applyPatches(previousEtag === "0" ? [] : this.entries, patches);
      }
      this.etag = newEtag;
    }
  }

  get rekeys(): number[] {
    return this.entries.map(({ octets }) => octets[0]! * 256 + octets[1]!);
  }
}

const gktp = (...records: GktpRecord[]): ReadonlyMap<string, ReadableDocument> =>
  new Map([[SEL, { kind: "gktp", records }]]);
const group = (etag: string): ReadonlyMap<string, ReadableDocument> =>
  new Map([[SEL, { kind: "group", etag }]]);
const NOTHING: ReadonlyMap<string, ReadableDocument> = new Map();

describe("a document of which only the tag is sent", () => {
  it("is shown created, changed, the same, and deleted (RFC 5874 3.3)", () => {
    const options = { patching: true, unsure: false, chosen: new Set<number>() };
    const first = compose({ documents: group("1"), told: new Map(), ...options });
    expect(first.documents).toEqual([{ sel: SEL, newEtag: "1" }]);
    expect(compose({ documents: group("1"), told: first.told, ...options }).documents).toEqual([]);
    const second = compose({ documents: group("2"), told: first.told, ...options });
    expect(second.documents).toEqual([{ sel: SEL, newEtag: "2", previousEtag: "1" }]);
    const gone = compose({ documents: NOTHING, told: second.told, ...options });
    expect(gone).toEqual({ documents: [{ sel: SEL, previousEtag: "2" }], told: new Map() });
  });

  it("is every document without patching", () => {
    const options = {
      told: new Map<string, ToldDocument>(),
      patching: false,
      unsure: false,
      chosen: new Set([1]),
    };
    const { documents } = compose({ documents: gktp(record(1)), ...options });
    expect(documents).toEqual([{ sel: SEL, newEtag: gktpEtagOf([record(1)]) }]);
  });
});

describe("a patched document", () => {
  it("follows whatever happens to it", () => {
    let seed = 1;
    const dice = (n: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * n);
    };
    const client = new Client();
    let told: ReadonlyMap<string, ToldDocument> = new Map();
    let records: GktpRecord[] = [];
    let unsure = false;
    const refused = new Set<number>();
    for (let step = 0; step < 2000; step++) {
      records = records.filter(() => dice(6) > 0);
      // Some are sealed later than those of a newer rekey.
      for (let i = dice(3); i > 0; i--) {
        const rekey = step * 4 + dice(12);
        if (!records.some((r) => r.rekey === rekey)) records.push(record(rekey));
      }
      records.sort((a, b) => a.rekey - b.rekey);
      const documents = dice(50) === 0 ? NOTHING : gktp(...records);
      const known = new Set(told.get(SEL)?.entries?.map(({ rekey }) => rekey));
      const chosen = new Set(
        records.map(({ rekey }) => rekey).filter((r) => !known.has(r) && !refused.has(r) && dice(4) > 0),
      );
      const composed = compose({ documents, told, patching: true, unsure, chosen });
      if (composed.documents.length === 0) continue;
      const body = contentOf(ROOT, composed.documents, []).body!;
      const outcome = dice(10);
      // A refusal, which the client may have followed all the same.
      if (outcome === 0) {
        for (const rekey of chosen) refused.add(rekey);
        unsure = true;
        continue;
      }
      client.apply(body);
      told = composed.told;
      unsure = false;
      expect(client.etag).toBe(told.get(SEL)?.etag);
      expect(client.rekeys).toEqual(told.get(SEL)?.entries?.map(({ rekey }) => rekey) ?? []);
      if (client.etag === undefined || refused.size > 0) continue;
      if (records.every(({ rekey }) => client.rekeys.includes(rekey))) {
        expect(client.etag).toBe(gktpEtagOf(records));
      }
    }
    expect(refused.size).toBeGreaterThan(0);
  });

  it("is patched from the empty one when the subscriber's version is unknown", () => {
    const told = new Map([
      [SEL, { etag: "x", entries: [{ rekey: 1, digest: messageDigest(record(1).octets) }] }],
    ]);
    const options = { told, patching: true, unsure: true };
    const { documents } = compose({
      documents: gktp(record(1), record(2)),
      ...options,
      chosen: new Set([2]),
    });
    expect(documents[0]).toMatchObject({ previousEtag: "0", patches: [{ add: {} }, { add: {} }] });
    // But only when there is something new.
    const nothing = compose({
      documents: gktp(record(1)),
      ...options,
      told: new Map([[SEL, { ...told.get(SEL)!, etag: gktpEtagOf([record(1)]) }]]),
      chosen: new Set(),
    });
    expect(nothing.documents).toEqual([]);
  });
});

it("messages stand beside the diff for a subscriber who takes no patches", () => {
  const { contentType, body } = contentOf(ROOT, [{ sel: SEL, newEtag: "1" }], [record(7, "revoke")]);
  const parts = readMultipart(contentType!, body!);
  expect(parts.map((part) => part.contentType)).toEqual(["application/xcap-diff+xml", "application/mikey"]);
  expect(parts[1]!.body).toEqual(record(7, "revoke").octets);
});
