/** `check client`: all cases against a client of KMS, GMS and MCX server. */
import type { TestCase } from "../case.ts";
import { type CaseResult, runCases } from "../run.ts";
import { BINDING_CASES, RENEWAL_CASES } from "./binding-cases.ts";
import { CALL_CASES, DIALOG_CASES, END_CASES } from "./call-cases.ts";
import { FLOOR_CASES, SPEECH_CASES } from "./floor-cases.ts";
import { KMS_CASES } from "./kms-cases.ts";
import { AGAIN_CASES, FIRST_CASES, MESSAGE_CASES } from "./message-cases.ts";
import type { ClientPeer } from "./peer.ts";
import { REFUSAL_CASES } from "./refusal-cases.ts";
import { LIFE_CASES, SUBSCRIBE_CASES } from "./subscribe-cases.ts";

export { type ClientCheckOptions, ClientPeer } from "./peer.ts";

/** The cases on keys run in this order, because later cases use what earlier ones found out. */
export const KEY_CASES: readonly TestCase<ClientPeer>[] = [
  ...KMS_CASES,
  ...SUBSCRIBE_CASES,
  ...FIRST_CASES,
  ...MESSAGE_CASES,
  ...LIFE_CASES,
  ...REFUSAL_CASES,
  ...AGAIN_CASES,
];

/** The cases on a call of the group, in the order in which they run. */
export const GROUP_CALL_CASES: readonly TestCase<ClientPeer>[] = [
  ...BINDING_CASES,
  ...CALL_CASES,
  ...FLOOR_CASES,
  ...SPEECH_CASES,
  ...DIALOG_CASES,
  ...RENEWAL_CASES,
  ...END_CASES,
];

/** A call is checked once the client has keys. */
export function clientCases(withCalls: boolean): readonly TestCase<ClientPeer>[] {
  if (!withCalls) return KEY_CASES;
  return [...KMS_CASES, ...SUBSCRIBE_CASES, ...FIRST_CASES, ...GROUP_CALL_CASES];
}

/** @throws {MikeySakkeError} transport `SERVER_TIMEOUT`: nothing came at all */
export function checkClient(peer: ClientPeer, tell?: (result: CaseResult) => void): Promise<CaseResult[]> {
  return runCases(clientCases(peer.mcx !== undefined), peer, tell);
}
