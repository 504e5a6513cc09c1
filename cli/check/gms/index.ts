/** `check gms`: all cases against a GMS. */
import type { TestCase } from "../case.ts";
import { type CaseResult, runCases } from "../run.ts";
import { HTTP_CASES } from "./http-cases.ts";
import { MESSAGE_CASES } from "./message-cases.ts";
import { type GmsCheckOptions, GmsPeer } from "./peer.ts";
import { SIP_CASES } from "./sip-cases.ts";

export type { GmsCheckOptions } from "./peer.ts";

/** The cases run in this order, because later cases use what earlier ones found out. */
export const GMS_CASES: readonly TestCase<GmsPeer>[] = [...HTTP_CASES, ...SIP_CASES, ...MESSAGE_CASES];

/** Runs all cases and closes the connection, with errors as `runCases` has them. */
export const checkGms = (
  options: GmsCheckOptions,
  tell?: (result: CaseResult) => void,
): Promise<CaseResult[]> => runCases(GMS_CASES, new GmsPeer(options), tell);
