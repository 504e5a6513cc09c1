/** `check client`: all cases against a client of KMS and GMS. */
import type { TestCase } from "../case.ts";
import { type CaseResult, runCases } from "../run.ts";
import { KMS_CASES } from "./kms-cases.ts";
import { AGAIN_CASES, MESSAGE_CASES } from "./message-cases.ts";
import type { ClientPeer } from "./peer.ts";
import { REFUSAL_CASES } from "./refusal-cases.ts";
import { LIFE_CASES, SUBSCRIBE_CASES } from "./subscribe-cases.ts";

export { type ClientCheckOptions, ClientPeer } from "./peer.ts";

/** The cases run in this order, because later cases use what earlier ones found out. */
export const CLIENT_CASES: readonly TestCase<ClientPeer>[] = [
  ...KMS_CASES,
  ...SUBSCRIBE_CASES,
  ...MESSAGE_CASES,
  ...LIFE_CASES,
  ...REFUSAL_CASES,
  ...AGAIN_CASES,
];

/** @throws {MikeySakkeError} transport `SERVER_TIMEOUT`: nothing came at all */
export function checkClient(peer: ClientPeer, tell?: (result: CaseResult) => void): Promise<CaseResult[]> {
  return runCases(CLIENT_CASES, peer, tell);
}
