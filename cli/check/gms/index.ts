/** `check gms`: all cases against a GMS. */
import type { TestCase } from "../case.ts";
import { type CaseResult, runCases } from "../run.ts";
import { HTTP_CASES } from "./http-cases.ts";
import { MESSAGE_CASES } from "./message-cases.ts";
import { type GmsCheckOptions, GmsPeer } from "./peer.ts";
import { SIP_CASES } from "./sip-cases.ts";

export type { GmsCheckOptions } from "./peer.ts";

/** In this order: later ones use what earlier ones found out. */
export const GMS_CASES: readonly TestCase<GmsPeer>[] = [...HTTP_CASES, ...SIP_CASES, ...MESSAGE_CASES];

/** @throws {MikeySakkeError} transport `SERVER_UNREACHABLE`, `SERVER_TIMEOUT`: nothing came at all */
export async function checkGms(
  options: GmsCheckOptions,
  tell?: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const peer = new GmsPeer(options);
  try {
    return await runCases(GMS_CASES, peer, tell);
  } finally {
    await peer.close();
  }
}
