/**
 * A self-signed certificate for HTTPS on one machine (RFC 5280): P-256, no authority over other certificates.
 * The few DER structures are written here; node:crypto makes and uses the key.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";
import { concat, fromHex, toHex, utf8 } from "../../base/bytes.ts";

export interface SelfSigned {
  /** Both in PEM. */
  readonly certificate: string;
  readonly key: string;
}

const DAY_MS = 24 * 3600 * 1000;

const TAG = {
  boolean: 1,
  integer: 2,
  bits: 3,
  octets: 4,
  utf8: 12,
  printable: 19,
  time: 23,
  sequence: 48,
  set: 49,
};

/** Object identifiers, encoded. */
const OID = {
  ecdsaWithSha256: "06082a8648ce3d040302",
  commonName: "0603550403",
  serialNumber: "0603550405",
  subjectKeyIdentifier: "0603551d0e",
  keyUsage: "0603551d0f",
  subjectAltName: "0603551d11",
  basicConstraints: "0603551d13",
  extendedKeyUsage: "0603551d25",
  serverAuth: "06082b06010505070301",
};

/** `hosts`: names and addresses that the server is reached by, the first as common name. */
export function selfSigned(hosts: readonly string[], now: number, days: number): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  const algorithm = der(TAG.sequence, fromHex(OID.ecdsaWithSha256));
  // OpenSSL looks for an issuer by its name, so two of these in one file of trusted certificates need different ones.
  const name = der(
    TAG.sequence,
    attribute(OID.commonName, TAG.utf8, hosts[0]!),
    attribute(OID.serialNumber, TAG.printable, toHex(keyIdOf(spki))),
  );
  const toBeSigned = der(
    TAG.sequence,
    der(0xa0, der(TAG.integer, Uint8Array.of(2))), // version 3
    der(TAG.integer, serialNumber()),
    algorithm,
    name,
    der(TAG.sequence, time(now - DAY_MS), time(now + days * DAY_MS)),
    name,
    spki,
    der(0xa3, der(TAG.sequence, ...extensions(hosts, spki))),
  );
  const signature = new Uint8Array(sign("sha256", toBeSigned, privateKey));
  const certificate = der(TAG.sequence, toBeSigned, algorithm, bits(signature));
  return {
    certificate: new X509Certificate(certificate).toString(),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** Returns whether `key` is the private key of `certificate`, both in PEM. */
export function belongsTo(certificate: string, key: string): boolean {
  const own = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return own.equals(createPublicKey(key).export({ type: "spki", format: "der" }));
}

/** RFC 7093: the first 160 bits of SHA-256 over the key. */
function keyIdOf(spki: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(spki.subarray(-65)).digest()).subarray(0, 20);
}

function attribute(oid: string, tag: number, text: string): Uint8Array {
  return der(TAG.set, der(TAG.sequence, fromHex(oid), der(tag, utf8(text))));
}

function extensions(hosts: readonly string[], spki: Uint8Array): Uint8Array[] {
  return [
    extension(OID.basicConstraints, true, der(TAG.sequence)),
    extension(OID.keyUsage, true, Uint8Array.of(TAG.bits, 2, 7, 0x80)), // digitalSignature
    extension(OID.extendedKeyUsage, false, der(TAG.sequence, fromHex(OID.serverAuth))),
    extension(OID.subjectAltName, false, der(TAG.sequence, ...hosts.map(alternativeName))),
    extension(OID.subjectKeyIdentifier, false, der(TAG.octets, keyIdOf(spki))),
  ];
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const mark = critical ? [der(TAG.boolean, Uint8Array.of(0xff))] : [];
  return der(TAG.sequence, fromHex(oid), ...mark, der(TAG.octets, value));
}

function alternativeName(host: string): Uint8Array {
  const family = isIP(host);
  if (family === 0) return der(0x82, utf8(host));
  return der(0x87, family === 4 ? Uint8Array.from(host.split("."), Number) : addressOctets(host));
}

/** The 16 octets of an IPv6 address; the URL parser writes out what is short in it, but for `::`. */
function addressOctets(host: string): Uint8Array {
  const plain = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [left = "", right] = plain.split("::");
  const groups = (text: string | undefined) => (text ? text.split(":") : []);
  const [head, tail] = [groups(left), groups(right)];
  const middle = right === undefined ? [] : Array<string>(8 - head.length - tail.length).fill("0");
  return fromHex([...head, ...middle, ...tail].map((group) => group.padStart(4, "0")).join(""));
}

/** Positive, 16 octets. */
function serialNumber(): Uint8Array {
  const serial = new Uint8Array(randomBytes(16));
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

/** UTCTime, which holds until 2049. */
function time(ms: number): Uint8Array {
  const text = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, "");
  return der(TAG.time, utf8(text.slice(2)));
}

function bits(octets: Uint8Array): Uint8Array {
  return der(TAG.bits, Uint8Array.of(0), octets);
}

function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concat(...content);
  const n = body.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return concat(Uint8Array.of(tag, ...length), body);
}
