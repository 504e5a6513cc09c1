/** Files under a group key, as they are uploaded for distribution over HTTP (TS 33.180 8.1, TS 24.282 10.2). */
import { describe, expect, it } from "vitest";
import { concat } from "../../../base/bytes.ts";
import { MikeySakkeError, systemRandom, toHex } from "../../../bindings/index.ts";
import {
  decodeFdSignalling,
  decodeNotification,
  encodeDataPayload,
  encodeFdSignalling,
  encodeNotification,
  FD_DISPOSITIONS,
  MAX_FILE_BYTES,
  MAX_SEALED_FILE_BYTES,
  openMcDataFile,
  PAYLOAD_CONTENT_TYPES,
  SDS_DISPOSITIONS,
  sealMcData,
  sealMcDataFile,
} from "../../../bindings/mcdata/index.ts";
import { NOW } from "../../support/names.ts";
import { gmkOf, text } from "../packets.ts";

const GMK_ID = 0x0123456;
const [alice, bob] = gmkOf(GMK_ID, ["sip:alice@example.org", "sip:bob@example.org"]);
const atBob = (keyId: number) => (keyId === GMK_ID ? bob : undefined);
const PART = 65_000;
const [id, messageId] = [systemRandom(16), systemRandom(16)];

const fileOf = (size: number) => {
  const data = new Uint8Array(size);
  for (let i = 0; i < size; i++) data[i] = (i * 31 + (i >> 8)) & 0xff;
  return { name: "lageplan süd.pdf", mediaType: "application/pdf", data };
};
const seal = (size: number) => sealMcDataFile(alice!, fileOf(size), { now: NOW });
const refusalOf = (octets: Uint8Array) =>
  openMcDataFile(octets, atBob).then(
    () => "opened",
    (error) => (error instanceof MikeySakkeError ? error.code : error),
  );
/** The parts, by the lengths in their headers. */
function partsOf(sealed: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < sealed.length; ) {
    const end = at + 35 + sealed[at + 33]! * 256 + sealed[at + 34]!;
    parts.push(sealed.subarray(at, end));
    at = end;
  }
  return parts;
}

describe("a sealed file", () => {
  it.each([0, 1, PART, PART + 1, 3 * PART - 1])(
    "of %d octets opens at another member, and shows nothing before",
    async (size) => {
      const sealed = await seal(size);
      expect(await openMcDataFile(sealed, atBob)).toEqual(fileOf(size));
      expect(partsOf(sealed)).toHaveLength(1 + Math.ceil(size / PART));
      const seen = Buffer.from(sealed);
      for (const secret of ["lageplan", "application/pdf", Buffer.from(fileOf(PART).data.subarray(0, 16))])
        expect(seen.indexOf(secret)).toBe(-1);
      await expect(openMcDataFile(sealed, () => undefined)).rejects.toMatchObject({ code: "MCDATA_REFUSED" });
    },
  );

  it("is refused when parts of it are missing, doubled, reordered, or of another file", async () => {
    const [a, b, c] = partsOf(await seal(2 * PART)) as [Uint8Array, Uint8Array, Uint8Array];
    const [, , other] = partsOf(await seal(2 * PART)) as [Uint8Array, Uint8Array, Uint8Array];
    const wrong = {
      nothing: [],
      alone: [a],
      cut: [a, b],
      doubled: [a, b, b],
      longer: [a, b, c, c],
      order: [a, c, b],
    };
    for (const [name, parts] of Object.entries({ ...wrong, headless: [b, c], mixed: [a, b, other] }))
      expect(await refusalOf(Buffer.concat(parts)), name).toBe("MCDATA_REFUSED");
    const whole = Buffer.concat([a, b, c]);
    for (const end of [1, 34, 35, a.length - 1, a.length + 34, whole.length - 1])
      expect(await refusalOf(whole.subarray(0, end)), `${end} octets`).toBe("MCDATA_REFUSED");
  });

  it("is refused when any octet of it was changed, apart from the IEIs", async () => {
    const sealed = await seal(100);
    const ieis = new Set<number>();
    let at = 0;
    for (const part of partsOf(sealed)) {
      ieis.add(at + 32);
      at += part.length;
    }
    for (let n = 0; n < sealed.length; n++) {
      const changed = sealed.slice();
      changed[n]! ^= 1;
      expect(await refusalOf(changed), `octet ${n}`).toBe(ieis.has(n) ? "opened" : "MCDATA_REFUSED");
    }
  });

  it("is refused if it is too large or its name contains a path", async () => {
    const wrong = [
      { ...fileOf(0), data: new Uint8Array(MAX_FILE_BYTES + 1) },
      ...["", ".", "..", "a/b", "a\\b", "c:d", "a\0b", "a\nb", "x".repeat(256)].map((name) => ({
        ...fileOf(1),
        name,
      })),
      ...["", "text", "text/", "a b/c", "text/plain\r\nx: y"].map((mediaType) => ({
        ...fileOf(1),
        mediaType,
      })),
    ];
    for (const file of wrong)
      await expect(sealMcDataFile(alice!, file, { now: NOW })).rejects.toMatchObject({
        kind: "usage",
        code: "BAD_MCDATA_FILE",
      });
    expect(await refusalOf(new Uint8Array(MAX_SEALED_FILE_BYTES + 1))).toBe("BAD_MCDATA_FILE");
  });

  it("counts as no file if it seals something else", async () => {
    const good = { name: "a", mediaType: "a/b", size: 0, sha256: "00" };
    const descriptions = [
      "no JSON",
      "null",
      ...[
        { name: "../../etc/passwd" },
        { name: 7 },
        { mediaType: null },
        { size: -1 },
        { size: 1e9 },
        { size: 0.5 },
        { sha256: 1 },
      ].map((wrong) => JSON.stringify({ ...good, ...wrong })),
    ];
    const sealOf = (contentType: number, data: Uint8Array) =>
      sealMcData(alice!, encodeDataPayload([{ contentType, data }]), { now: NOW, payloadId: 1 });
    for (const description of descriptions)
      expect(await refusalOf(await sealOf(PAYLOAD_CONTENT_TYPES.TEXT, text(description))), description).toBe(
        "BAD_MCDATA_FILE",
      );
    expect(await refusalOf(await sealOf(PAYLOAD_CONTENT_TYPES.BINARY, text(JSON.stringify(good))))).toBe(
      "BAD_MCDATA_FILE",
    );
    // The digest is not that of no octets.
    expect(await refusalOf(await sealOf(PAYLOAD_CONTENT_TYPES.TEXT, text(JSON.stringify(good))))).toBe(
      "MCDATA_REFUSED",
    );
  });

  it("has MAX_SEALED_FILE_BYTES octets at most", {
    timeout: 60_000,
  }, async () => {
    const sealed = await seal(MAX_FILE_BYTES);
    expect(sealed.length).toBeLessThanOrEqual(MAX_SEALED_FILE_BYTES);
    expect((await openMcDataFile(sealed, atBob)).data.length).toBe(MAX_FILE_BYTES);
  });
});

describe("the signalling of files", () => {
  const fd = { dateTime: 1_900_000_000, conversationId: id, messageId, url: "https://mcx.example.org/f/1" };

  it("has the octets of an FD SIGNALLING PAYLOAD", () => {
    const octets = encodeFdSignalling({ ...fd, wantsCompletion: true, isMandatory: true });
    const url = toHex(text(fd.url));
    expect(toHex(octets)).toBe(`0200713fb300${toHex(id)}${toHex(messageId)}91a178001c04${url}`);
    expect(decodeFdSignalling(octets)).toEqual({ ...fd, wantsCompletion: true, isMandatory: true });
  });

  it("passes over other elements of an FD SIGNALLING PAYLOAD, and refuses one without a URL", () => {
    const octets = encodeFdSignalling({ ...fd, applicationId: 3, inReplyTo: messageId });
    const head = octets.subarray(0, 38);
    const metadata = Uint8Array.of(0x79, 0, 2, 1, 2);
    const more = concat(head, Uint8Array.of(0x81), metadata, octets.subarray(38), Uint8Array.of(0x33, 1));
    expect(decodeFdSignalling(more)).toEqual({ ...fd, applicationId: 3, inReplyTo: messageId });
    for (const wrong of [
      head,
      concat(head, Uint8Array.of(0x78, 0, 2, 1, 65)),
      concat(head, Uint8Array.of(0x78, 0, 1, 4)),
    ])
      expect(() => decodeFdSignalling(wrong)).toThrow(
        expect.objectContaining({ code: "BAD_MCDATA_SIGNALLING" }),
      );
    expect(() => decodeFdSignalling(octets.subarray(0, 50))).toThrow(
      expect.objectContaining({ code: "TRUNCATED" }),
    );
    for (const url of ["", "x".repeat(2049)])
      expect(() => encodeFdSignalling({ ...fd, url })).toThrow(
        expect.objectContaining({ code: "BAD_MCDATA_SIGNALLING" }),
      );
  });

  it("has the octets of notifications", () => {
    const { dateTime } = fd;
    const told = { dateTime, conversationId: id, messageId };
    const completed = encodeNotification({ of: "fd", disposition: FD_DISPOSITIONS.COMPLETED, ...told });
    expect(toHex(completed)).toBe(`060300713fb300${toHex(id)}${toHex(messageId)}`);
    const read = { of: "sds" as const, disposition: SDS_DISPOSITIONS.READ, ...told };
    expect(toHex(encodeNotification(read)).slice(0, 4)).toBe("0503");
    expect(decodeNotification(encodeNotification(read))).toEqual(read);
    expect(() => decodeNotification(Uint8Array.of(1))).toThrow(
      expect.objectContaining({ code: "BAD_MCDATA_SIGNALLING" }),
    );
    expect(() => decodeNotification(completed.subarray(0, 20))).toThrow(
      expect.objectContaining({ code: "TRUNCATED" }),
    );
  });
});
