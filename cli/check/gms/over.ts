/** `check gms` with sockets and the keys of a KMS. */
import { defined } from "../../../base/defined.ts";
import { load } from "../../../bindings/core/core.ts";
import { MemoryStorage, type TransportKeys } from "../../../roles/identity/index.ts";
import { provisionedKeys } from "../../device/keys.ts";
import type { KnownServers } from "../../device/known-servers.ts";
import { clientEndpoint } from "../../device/sip.ts";
import { httpsFetch, readCa } from "../../server/https.ts";
import type { CaseResult } from "../run.ts";
import { checkGms, type GmsCheckOptions } from "./index.ts";

export interface GmsPlaceOptions
  extends Pick<GmsCheckOptions, "userUri" | "otherUserUri" | "group" | "tokens"> {
  readonly place: KnownServers;
  readonly kmsToken: () => Promise<string>;
  readonly protection: TransportKeys;
  /** Puts something between this side and the GMS. */
  readonly between?: (parts: Between) => Between;
}

type Between = Pick<GmsCheckOptions, "fetch" | "sip">;

export async function checkGmsOver(
  { place, kmsToken, protection, between = (parts) => parts, ...options }: GmsPlaceOptions,
  tell?: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const closers: (() => unknown)[] = [];
  try {
    const core = await load();
    closers.push(() => core.destroy());
    const { fetch, close } = await httpsFetch(place.ca);
    closers.push(close);
    const { userUri } = options;
    const storage = new MemoryStorage();
    const keys = await provisionedKeys({
      ...place,
      userUri,
      token: kmsToken,
      fetch,
      storage,
      core,
      protection,
    });
    closers.push(() => keys.stop());
    const pem = place.ca === undefined ? undefined : await readCa(place.ca);
    const sip = place.sip && (await clientEndpoint(place.sip, pem));
    if (sip !== undefined) closers.push(() => sip.endpoint.close());
    const { gmsUri, xcapRoot } = place;
    return await checkGms(
      {
        ...options,
        gmsUri,
        ...defined({ xcapRoot }),
        keys: keys.current(),
        ...between({ fetch, ...defined({ sip }) }),
        now: Date.now,
      },
      tell,
    );
  } finally {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  }
}
