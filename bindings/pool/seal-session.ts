/** The work of a worker for one job of sealing. */
import { wipe } from "../../base/bytes.ts";
import { systemRandom } from "../../base/random.ts";
import type { Core } from "../core/core.ts";
import { Initiator } from "../identity/initiator.ts";
import { KmsDomain } from "../identity/kms-domain.ts";
import { type SealedMessage, sealSlice } from "../mikey/build.ts";
import type { SealChunk, SealJob } from "./sealing.ts";
import type { Session } from "./serve.ts";

/** Checks the keys of a job again, as on loading, and takes ownership of them. */
export function openSealing(core: Core, job: SealJob): Session<SealChunk, SealedMessage[]> {
  const { plan, keySet, certificates } = job;
  const domains: KmsDomain[] = [];
  let initiator: Initiator | undefined;
  const destroy = () => {
    wipe(plan.key, keySet.ssk);
    initiator?.destroy();
    for (const domain of domains) domain.destroy();
  };
  try {
    for (const certificate of certificates) domains.push(KmsDomain.load(core, certificate));
    initiator = Initiator.load(domains[0]!, [keySet]);
  } catch (error) {
    destroy();
    throw error;
  }
  wipe(keySet.ssk);
  const keys = { initiator, domains, random: systemRandom };
  return {
    run: async (chunk) => ({ message: await sealSlice({ ...plan, ...chunk }, keys) }),
    destroy,
  };
}
