/**
 * From payloads to an I_MESSAGE of TS 33.180 annex E: exactly one of each mandatory payload, and the values
 * that E.1 to E.7 ask for. This is parsing: nothing here has been authenticated.
 */
import { type CheckCode, refusal } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { SIGNATURE_BYTES } from "../eccsi/index.ts";
import type { NtpTime } from "../identity/ntp.ts";
import { type KeyId, type KeyKind, keyKind, purposeTag } from "../identity/purpose-tag.ts";
import { SED_BYTES } from "../sakke/index.ts";
import {
  DATA_TYPE_SAKKE,
  EXT_KEY_PARAMETERS,
  EXT_SAKKE_TO_SELF,
  ID_ROLES,
  ID_SCHEME_MCX_UID,
  ID_SCHEME_URI,
  MAP_EMPTY,
  MAP_GENERIC_ID,
  PAYLOAD_NAMES,
  PRF_HMAC_SHA_256,
  PRF_MIKEY_1,
  PROT_SRTP,
  S_TYPE_ECCSI,
  SAKKE_PARAMETER_SET_1,
  TS_NTP_UTC,
} from "./codes.ts";
import { readSakkeToSelf } from "./general-extension.ts";
import type { CryptoSession, Hdr } from "./hdr.ts";
import type { IdrPayload } from "./idr.ts";
import { type DecodedMessage, EXTENSION_HEADER_BYTES, type Payload } from "./message.ts";
import { INITIATOR_ROLES, type Party, RESPONDER_ROLES, readParty, readUri } from "./party-identity.ts";
import { RAND_BYTES } from "./rand.ts";
import { Reader } from "./reader.ts";
import type { SakkePayload } from "./sakke.ts";
import type { SpPayload } from "./sp.ts";
import { resolveProfile } from "./srtp-profile.ts";
import type { Tolerance } from "./tolerance.ts";

export interface IMessage {
  readonly octets: Uint8Array;
  readonly csbId: KeyId;
  readonly kind: KeyKind;
  readonly time: NtpTime;
  readonly rand: Uint8Array;
  readonly initiator: Party;
  readonly responder: Party;
  /** `KmsUri` of the initiator's KMS: root of the signature. */
  readonly initiatorKms: string;
  /** `KmsUri` of the responder's KMS: root of the encryption. */
  readonly responderKms: string;
  readonly sessions: readonly CryptoSession[];
  /** SP payloads that count: none when the map is empty (RFC 4563 5). */
  readonly policies: readonly SpPayload[];
  readonly sed: Uint8Array;
  /** SED of the SAKKE-to-self extension. */
  readonly selfSed: Uint8Array | undefined;
  /** Data of the key parameters extension. */
  readonly keyParameters: Uint8Array | undefined;
  /** The octets that the signature covers. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

type Report = (error: MikeySakkeError) => void;

/** Throws the first failed check. */
export function interpret(message: DecodedMessage, tolerance: Tolerance = {}): IMessage {
  const result = examine(message, tolerance, (error) => {
    throw error;
  });
  return result!;
}

/** All failed checks, in order. */
export function problemsOf(message: DecodedMessage, tolerance: Tolerance = {}): MikeySakkeError[] {
  const problems: MikeySakkeError[] = [];
  examine(message, tolerance, (error) => problems.push(error));
  return problems;
}

function examine(message: DecodedMessage, tolerance: Tolerance, report: Report): IMessage | undefined {
  const { hdr } = message;
  const found = sort(message, report);
  checkHdr(hdr, tolerance, report);
  const kind = keyKind(hdr.csbId);
  if (kind === undefined) {
    const text = `CSB ID: purpose tag ${purposeTag(hdr.csbId)} is not defined`;
    report(refusal("UNDEFINED_PURPOSE_TAG", text, { offset: 4 }));
  }

  const time = found.one("T");
  if (time !== undefined && time.payload.tsType !== TS_NTP_UTC) {
    const text = `TS type ${time.payload.tsType}: only 0 (NTP-UTC) is used`;
    report(refusal("BAD_TIMESTAMP_TYPE", text, { offset: time.offset + 1 }));
  }
  const rand = found.one("RAND");
  if (rand !== undefined && rand.payload.rand.length < RAND_BYTES) {
    const text = `RAND: ${rand.payload.rand.length} octets, at least ${RAND_BYTES}`;
    report(refusal("RAND_TOO_SHORT", text, { offset: rand.offset + 1 }));
  }
  const parties = readParties(found, report);
  const policies = checkPolicies(found, hdr, tolerance, report);
  const sakke = found.one("SAKKE");
  if (sakke !== undefined) checkSakke(sakke.payload, sakke.offset, tolerance, report);
  const selfSed = readSelf(found, message.octets, tolerance, report);
  const parameters = found.extension(EXT_KEY_PARAMETERS);
  const sign = found.one("SIGN");
  if (sign !== undefined) checkSign(sign.payload, sign.offset, report);

  if (!kind || !time || !rand || !parties || !sakke || !sign) return undefined;
  return {
    octets: message.octets,
    csbId: hdr.csbId,
    kind,
    time: time.payload.value,
    rand: rand.payload.rand,
    ...parties,
    sessions: hdr.sessions,
    policies,
    sed: sakke.payload.sed,
    selfSed,
    keyParameters: parameters?.payload.data,
    signed: message.octets.subarray(0, message.octets.length - sign.payload.signature.length),
    signature: sign.payload.signature,
  };
}

type Kind = Payload["payload"];
type Of<K extends Kind> = Extract<Payload, { payload: K }>;
interface Placed<K extends Kind> {
  readonly payload: Of<K>;
  readonly offset: number;
}
type Found = ReturnType<typeof sort>;

/** Payloads by name; reports those that are missing, doubled or do not belong here. */
function sort(message: DecodedMessage, report: Report) {
  const placed = message.payloads.map((payload, i) => ({ payload, offset: message.offsets[i]! }));
  const all = <K extends Kind>(kind: K) => placed.filter((p): p is Placed<K> => p.payload.payload === kind);
  const unique = <P extends { offset: number }>(candidates: P[], name: string): P | undefined => {
    const again = candidates[1];
    if (again) report(refusal("DUPLICATE_PAYLOAD", `${name}: more than one`, { offset: again.offset }));
    return candidates[0];
  };
  const missing = (name: string) => report(refusal("MISSING_PAYLOAD", `${name}: missing`));
  for (const { payload, offset } of all("OTHER")) {
    const name = PAYLOAD_NAMES[payload.code];
    report(refusal("UNEXPECTED_PAYLOAD", `${name}: does not belong in an I_MESSAGE`, { offset }));
  }
  return {
    all,
    one: <K extends "T" | "RAND" | "SAKKE" | "SIGN">(kind: K): Placed<K> | undefined => {
      const first = unique(all(kind), kind);
      if (!first) missing(kind);
      return first;
    },
    role: (names: string, ...roles: number[]): Placed<"IDR"> | undefined => {
      const first = unique(
        all("IDR").filter((p) => roles.includes(p.payload.role)),
        names,
      );
      if (!first) missing(names);
      return first;
    },
    extension: (type: number): Placed<"GENERAL_EXT"> | undefined =>
      unique(
        all("GENERAL_EXT").filter((p) => p.payload.type === type),
        `General Extension of type ${type}`,
      ),
  };
}

function checkHdr(hdr: Hdr, tolerance: Tolerance, report: Report): void {
  const fail = (code: CheckCode, offset: number, text: string) => report(refusal(code, text, { offset }));
  if (hdr.version !== 1) fail("BAD_VERSION", 0, `version ${hdr.version}: must be 1`);
  if (hdr.dataType !== DATA_TYPE_SAKKE) fail("BAD_DATA_TYPE", 1, `data type ${hdr.dataType}: must be 26`);
  if (hdr.v) fail("V_FLAG_SET", 3, "V is set, but no response is defined (RFC 6509 4.1)");
  if (hdr.prf !== PRF_HMAC_SHA_256 && !(hdr.prf === PRF_MIKEY_1 && tolerance.prfMikey1)) {
    fail("BAD_PRF", 3, `PRF func ${hdr.prf}: must be 1 (PRF-HMAC-SHA-256)`);
  }
  if (hdr.mapType === MAP_EMPTY) {
    if (hdr.csCount !== 0) fail("CS_COUNT_MISMATCH", 8, `#CS ${hdr.csCount} with the empty map`);
    return;
  }
  if (hdr.mapType !== MAP_GENERIC_ID) {
    if (!tolerance.srtpIdMap) fail("BAD_CS_ID_MAP", 9, `CS ID map type ${hdr.mapType}: must be 1 or 2`);
    return;
  }
  const seen = new Set<number>();
  for (const session of hdr.sessions) {
    const text = sessionProblem(session) ?? (seen.has(session.csId) ? "given twice" : undefined);
    if (text !== undefined) fail("BAD_CRYPTO_SESSION", 10, `crypto session ${session.csId}: ${text}`);
    seen.add(session.csId);
  }
}

/** RFC 6043 6.1.1: for SRTP the session data are absent, SSRC, or with S = 1 SSRC, ROC and SEQ. */
function sessionProblem(session: CryptoSession): string | undefined {
  if (session.protType !== PROT_SRTP) return `prot type ${session.protType}, must be 0 (SRTP)`;
  const length = session.sessionData.length;
  if (length !== (session.hasRoc ? 10 : 4) && (length !== 0 || session.hasRoc))
    return `${length} octets of session data`;
  return undefined;
}

function checkPolicies(found: Found, hdr: Hdr, tolerance: Tolerance, report: Report): readonly SpPayload[] {
  const policies = found.all("SP");
  const numbers = new Set<number>();
  for (const { payload, offset } of policies) {
    if (numbers.has(payload.policyNo)) {
      report(refusal("DUPLICATE_PAYLOAD", `SP ${payload.policyNo}: more than one`, { offset }));
    }
    numbers.add(payload.policyNo);
  }
  if (hdr.mapType === MAP_EMPTY) {
    if (policies[0] && tolerance.spWithEmptyMap === false) {
      const text = "SP: must not be present with the empty map (RFC 4563 5)";
      report(refusal("SP_WITH_EMPTY_MAP", text, { offset: policies[0].offset }));
    }
    return [];
  }
  for (const { payload, offset } of policies) checkPolicy(payload, offset, report);
  const wanted = hdr.sessions.flatMap((s) => s.policies).filter((p) => !numbers.has(p));
  // A message with sessions but without any SP leaves the default profile in force (RFC 3830 6.10.1).
  if (policies.length > 0 && wanted.length > 0) {
    report(
      refusal("MISSING_POLICY", `SP ${wanted[0]}: named by a crypto session but missing`, { offset: 10 }),
    );
  }
  return policies.map((p) => p.payload);
}

function checkPolicy(sp: SpPayload, offset: number, report: Report): void {
  const fail = (text: string) =>
    report(refusal("BAD_SECURITY_POLICY", `SP ${sp.policyNo}: ${text}`, { offset }));
  if (sp.protType !== PROT_SRTP) {
    fail(`prot type ${sp.protType}, must be 0 (SRTP)`);
    return;
  }
  if (new Set(sp.parameters.map((p) => p.type)).size !== sp.parameters.length)
    fail("a parameter stands twice");
  try {
    resolveProfile(sp.parameters);
  } catch (error) {
    fail(error instanceof Error ? error.message : "not usable");
  }
}

function checkSakke(sakke: SakkePayload, offset: number, tolerance: Tolerance, report: Report): void {
  const fail = (code: CheckCode, at: number, text: string) =>
    report(refusal(code, text, { offset: offset + at }));
  if (sakke.params !== SAKKE_PARAMETER_SET_1) {
    fail("BAD_SAKKE_PARAMS", 1, `SAKKE params ${sakke.params}: only parameter set 1 is used`);
  }
  if (sakke.idScheme !== ID_SCHEME_MCX_UID && !(sakke.idScheme === ID_SCHEME_URI && tolerance.idScheme1)) {
    fail("BAD_ID_SCHEME", 2, `ID scheme ${sakke.idScheme}: must be 2 (3GPP MCX hashed UID)`);
  }
  if (sakke.sed.length !== SED_BYTES) {
    fail("BAD_SED_LENGTH", 3, `SAKKE data: ${sakke.sed.length} octets, must be ${SED_BYTES}`);
  }
}

function readSelf(
  found: Found,
  octets: Uint8Array,
  tolerance: Tolerance,
  report: Report,
): Uint8Array | undefined {
  const extension = found.extension(EXT_SAKKE_TO_SELF);
  if (extension === undefined) return undefined;
  const start = extension.offset + EXTENSION_HEADER_BYTES;
  try {
    const sakke = readSakkeToSelf(new Reader(octets, { start, end: start + extension.payload.data.length }));
    checkSakke(sakke, start, tolerance, report);
    return sakke.sed;
  } catch (cause) {
    const structural =
      cause instanceof MikeySakkeError && (cause.code === "TRUNCATED" || cause.code === "BAD_SELF_EXTENSION");
    if (!structural) throw cause;
    report(refusal("BAD_SELF_EXTENSION", `SAKKE-to-self: ${cause.message}`, { offset: start, cause }));
    return undefined;
  }
}

function checkSign(sign: Of<"SIGN">, offset: number, report: Report): void {
  if (sign.sType !== S_TYPE_ECCSI) {
    report(refusal("BAD_SIGNATURE_TYPE", `S type ${sign.sType}: must be 2 (ECCSI)`, { offset }));
  }
  if (sign.signature.length !== SIGNATURE_BYTES) {
    const text = `signature: ${sign.signature.length} octets, must be ${SIGNATURE_BYTES}`;
    report(refusal("BAD_SIGNATURE_LENGTH", text, { offset }));
  }
}

function readParties(
  found: Found,
  report: Report,
): Pick<IMessage, "initiator" | "responder" | "initiatorKms" | "responderKms"> | undefined {
  const attempt = <T>(placed: Placed<"IDR"> | undefined, read: (idr: IdrPayload) => T): T | undefined => {
    if (placed === undefined) return undefined;
    try {
      return read(placed.payload);
    } catch (cause) {
      const text = `IDR role ${placed.payload.role}: ${cause instanceof Error ? cause.message : "not readable"}`;
      report(refusal("BAD_IDENTITY", text, { offset: placed.offset, cause }));
      return undefined;
    }
  };
  const initiator = attempt(found.role("IDRi or IDRuidi", ...INITIATOR_ROLES), readParty);
  const responder = attempt(found.role("IDRr or IDRuidr", ...RESPONDER_ROLES), readParty);
  const initiatorKms = attempt(found.role("IDRkmsi", ID_ROLES.INITIATOR_KMS), readUri);
  const responderKms = attempt(found.role("IDRkmsr", ID_ROLES.RESPONDER_KMS), readUri);
  if (!initiator || !responder || !initiatorKms || !responderKms) return undefined;
  return { initiator, responder, initiatorKms, responderKms };
}
