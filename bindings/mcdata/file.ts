/**
 * A file as it is uploaded for distribution over HTTP (TS 24.282 10.2.4): sealed before under the key of the conversation, so
 * that the store has nothing to read (TS 33.180 8.1). A protected payload holds 64 KiB, so a file is a row of them, told apart
 * by the payload sequence number; decision D-186 has the layout.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal, fromUtf8, toHex, utf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import type { KeyId } from "../identity/purpose-tag.ts";
import type { DeliveredKey } from "../mikey/delivered-key.ts";
import { decodeDataPayload, encodeDataPayload } from "./data-payload.ts";
import { PAYLOAD_CONTENT_TYPES } from "./message-types.ts";
import { openMcData, sealMcData } from "./protection.ts";

export interface McDataFile {
  /** A name without a path, of 1 to 255 octets in UTF-8. */
  readonly name: string;
  /** A media type, such as `image/jpeg`. */
  readonly mediaType: string;
  readonly data: Uint8Array;
}

export interface SealFileOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly random?: RandomSource;
}

/** Octets of the file in a part. */
const PART_BYTES = 65_000;
/** Payload sequence numbers are octets, and number 0 is the description. */
const MAX_PARTS = 0xff;
/** The most that a file may have: 16,575,000 octets. */
export const MAX_FILE_BYTES = MAX_PARTS * PART_BYTES;
/** Octets that the protection adds to a part: header, tag, and the headers of payload and message. */
const PART_OVERHEAD = 35 + 16 + 6;
const MAX_DESCRIPTION = 4096;
/** The most that a sealed file may have. */
export const MAX_SEALED_FILE_BYTES = MAX_FILE_BYTES + MAX_PARTS * PART_OVERHEAD + MAX_DESCRIPTION;
/** The offset at which a protected payload has the length of the rest (TS 33.180 8.5.4.1). */
const LENGTH_AT = 33;
const HEADER_BYTES = 35;

const MAX_NAME = 255;
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/;

interface Description {
  readonly name: string;
  readonly mediaType: string;
  readonly size: number;
  readonly sha256: string;
}

/** @throws MikeySakkeError usage `BAD_MCDATA_FILE`: too large, or a name or media type that cannot be sent */
export async function sealMcDataFile(
  key: DeliveredKey,
  { name, mediaType, data }: McDataFile,
  { now, random = systemRandom }: SealFileOptions,
): Promise<Uint8Array> {
  if (data.length > MAX_FILE_BYTES) {
    throw bad("usage", `${data.length} octets, at most ${MAX_FILE_BYTES}`);
  }
  const fault = faultOf(name, mediaType);
  if (fault !== undefined) throw bad("usage", fault);
  const payloadId = new DataView(random(4).buffer).getUint32(0);
  const description: Description = { name, mediaType, size: data.length, sha256: toHex(sha256(data)) };
  const messages = [
    encodeDataPayload([{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8(JSON.stringify(description)) }]),
    ...partsOf(data).map((part) =>
      encodeDataPayload([{ contentType: PAYLOAD_CONTENT_TYPES.BINARY, data: part }]),
    ),
  ];
  const sealed: Uint8Array[] = [];
  for (const [sequenceNo, message] of messages.entries()) {
    sealed.push(await sealMcData(key, message, { now, payloadId, sequenceNo, random }));
  }
  return concat(...sealed);
}

/**
 * Opens a file that was downloaded, whole or not at all.
 *
 * @param findKey the key of a DPPK-ID that may be used: not one expired or revoked
 * @throws MikeySakkeError verification `MCDATA_REFUSED`: changed, cut, put together from several files, or no such key; codec
 * `BAD_MCDATA_FILE`: what the sender has sealed is no file
 */
export async function openMcDataFile(
  octets: Uint8Array,
  findKey: (keyId: KeyId) => DeliveredKey | undefined,
): Promise<McDataFile> {
  if (octets.length > MAX_SEALED_FILE_BYTES) {
    throw bad("codec", `${octets.length} octets, at most ${MAX_SEALED_FILE_BYTES}`);
  }
  const [head, ...rest] = messagesOf(octets);
  if (head === undefined) throw refused("it is empty");
  const first = await openMcData(head, findKey);
  if (first.sequenceNo !== 0) throw refused("it does not begin with its description");
  const { name, mediaType, size, sha256: digest } = descriptionOf(first.message);
  if (rest.length !== Math.ceil(size / PART_BYTES)) {
    throw refused(`${rest.length} parts, and not those of ${size} octets`);
  }
  const data = new Uint8Array(size);
  let at = 0;
  for (const [n, part] of rest.entries()) {
    const { message, sequenceNo, payloadId, keyId } = await openMcData(part, findKey);
    if (sequenceNo !== n + 1 || payloadId !== first.payloadId || keyId !== first.keyId) {
      throw refused(`part ${n + 1} is of another place or file`);
    }
    const content = contentOf(message, PAYLOAD_CONTENT_TYPES.BINARY);
    if (content.length !== Math.min(PART_BYTES, size - at))
      throw bad("codec", `part ${n + 1} has a wrong length`);
    data.set(content, at);
    at += content.length;
  }
  if (!equal(utf8(toHex(sha256(data))), utf8(digest))) throw refused("it is not what its description says");
  return { name, mediaType, data };
}

function partsOf(data: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(data.length / PART_BYTES) }, (_, n) =>
    data.subarray(n * PART_BYTES, (n + 1) * PART_BYTES),
  );
}

/** Cut where the lengths say; that they are right shows when the parts are opened. */
function messagesOf(octets: Uint8Array): Uint8Array[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < octets.length; ) {
    if (octets.length - at < HEADER_BYTES) throw refused("it ends in the midst of a part");
    const end = at + HEADER_BYTES + view.getUint16(at + LENGTH_AT);
    if (end > octets.length) throw refused("it ends in the midst of a part");
    if (messages.length > MAX_PARTS) throw refused(`more than ${MAX_PARTS} parts`);
    messages.push(octets.subarray(at, end));
    at = end;
  }
  return messages;
}

function contentOf(message: Uint8Array, contentType: number): Uint8Array {
  const [payload, ...others] = decodeDataPayload(message);
  if (payload?.contentType !== contentType || others.length > 0) {
    throw bad("codec", "a part is not one payload of its kind");
  }
  return payload.data;
}

function descriptionOf(message: Uint8Array): Description {
  const text = fromUtf8(contentOf(message, PAYLOAD_CONTENT_TYPES.TEXT), "description of a file");
  let value: Partial<Record<keyof Description, unknown>> | null;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad("codec", "the description is not JSON", cause);
  }
  const { name, mediaType, size, sha256: digest } = value ?? {};
  if (typeof name !== "string" || typeof mediaType !== "string") throw bad("codec", "no name or media type");
  const fault = faultOf(name, mediaType);
  if (fault !== undefined) throw bad("codec", fault);
  if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > MAX_FILE_BYTES) {
    throw bad("codec", `size ${String(size)}`);
  }
  if (typeof digest !== "string") throw bad("codec", "no digest");
  return { name, mediaType, size: size as number, sha256: digest };
}

/** A receiver may save a file under its name, which therefore cannot lead to another folder. */
function faultOf(name: string, mediaType: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no name has them
  const isPlain = !/[\u0000-\u001f\u007f/\\:]/.test(name) && name !== "." && name !== "..";
  const length = utf8(name).length;
  if (!isPlain || length === 0 || length > MAX_NAME)
    return `name ${JSON.stringify(name)}: not a name without a path`;
  return MEDIA_TYPE.test(mediaType) ? undefined : `media type ${JSON.stringify(mediaType)}`;
}

function bad(kind: "usage" | "codec", text: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError(kind, "BAD_MCDATA_FILE", `file: ${text}`, { cause });
}

function refused(text: string): MikeySakkeError {
  return new MikeySakkeError("verification", "MCDATA_REFUSED", `file: ${text}`);
}
