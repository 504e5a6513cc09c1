/** `check kms`: all cases against a KMS. */
import type { TestCase } from "../case.ts";
import { type CaseResult, runCases } from "../run.ts";
import { ACCESS_CASES } from "./access-cases.ts";
import { CERTIFICATES_CASES } from "./certificates-cases.ts";
import { HOSTILE_CASES } from "./hostile-cases.ts";
import { INIT_CASES } from "./init-cases.ts";
import { KEYPROV_CASES } from "./keyprov-cases.ts";
import { type KmsCheckOptions, KmsPeer } from "./peer.ts";
import { REQUEST_CASES } from "./request-cases.ts";

export type { KmsCheckOptions } from "./peer.ts";

/** The cases run in this order, because later cases use what earlier ones found out. */
export const KMS_CASES: readonly TestCase<KmsPeer>[] = [
  ...INIT_CASES,
  ...KEYPROV_CASES,
  ...CERTIFICATES_CASES,
  ...ACCESS_CASES,
  ...REQUEST_CASES,
  ...HOSTILE_CASES,
];

/** Runs all cases and closes the connection, with errors as `runCases` has them. */
export const checkKms = (
  options: KmsCheckOptions,
  tell?: (result: CaseResult) => void,
): Promise<CaseResult[]> => runCases(KMS_CASES, new KmsPeer(options), tell);
