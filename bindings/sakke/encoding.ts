/**
 * Sizes and encodings of SAKKE with parameter set 1 (RFC 6508 section 4, RFC 6509 appendix A).
 */
import { concat } from "../../base/bytes.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";

/** Octets of a shared secret value, n = 128. */
export const SSV_BYTES = 16;
/** Octets of a point: 04 || x || y (RFC 6508 4). */
export const SAKKE_POINT_BYTES = 257;
/** Octets of the hint H. */
export const HINT_BYTES = 16;
/** Octets of SAKKE Encapsulated Data: R || H. */
export const SED_BYTES = SAKKE_POINT_BYTES + HINT_BYTES;
/** The longest identifier the core takes. */
export const MAX_IDENTIFIER_BYTES = 128;

/** Octets of a field element. */
export const ELEMENT = 128;
/** Octets of x || y, as the core takes points. */
export const XY = 2 * ELEMENT;
export const UNCOMPRESSED = 4;
/** An identifier as the 128 octets that the core reads. Throws a usage error. */
export function paddedIdentifier(id: Uint8Array): Uint8Array {
  requireBytes(id, "identifier");
  if (id.length === 0 || id.length > MAX_IDENTIFIER_BYTES) {
    const text = `identifier: expected 1 to ${MAX_IDENTIFIER_BYTES} octets, got ${id.length}`;
    throw new MikeySakkeError("usage", "WRONG_LENGTH", text);
  }
  const out = new Uint8Array(ELEMENT);
  out.set(id, ELEMENT - id.length);
  return out;
}

/** x || y of an encoded point, or undefined when the length or the first octet is wrong. */
export function coordinates(point: Uint8Array): Uint8Array | undefined {
  return point.length === SAKKE_POINT_BYTES && point[0] === UNCOMPRESSED ? point.subarray(1) : undefined;
}

/** 04 || x || y. */
export function encoded(point: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(UNCOMPRESSED), point);
}

/** The error for a point that is not one. */
export function badPoint(label: string): MikeySakkeError {
  const text = `${label}: not a point of the SAKKE curve in uncompressed form`;
  return new MikeySakkeError("validation", "BAD_POINT", text);
}
