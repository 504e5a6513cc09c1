/** KMS KeyProvision (TS 33.180 D.2.4): the key sets of one identity, or of all that the token proves. */

import { defined } from "../../../base/defined.ts";
import { requestedPeriods } from "../common/periods.ts";
import { newKeysFor } from "../common/transport-keys.ts";
import { refusalOfUser } from "../common/users.ts";
import type { KeyRequest } from "../issue/key-issuer.ts";
import type { Procedure } from "./procedure.ts";

export const keyprov: Procedure = async (exchange, tools) => {
  const { keyUri, userUri, permitted, now } = exchange;
  const uris = [keyUri ?? userUri];
  // Identities besides the one that asks are left out where they may have no keys.
  for (const uri of keyUri === undefined ? permitted.filter((other) => other !== userUri) : []) {
    if ((await refusalOfUser(uri, now, tools)) === undefined) uris.push(uri);
  }
  const periods = requestedPeriods(exchange, tools);
  const requests: KeyRequest[] = uris.flatMap((uri) =>
    periods.map((periodNo) => ({ userUri: uri, periodNo })),
  );
  const newKeys = await newKeysFor(exchange, tools);
  const keySets = await tools.issuer.keys(requests);
  return { message: { type: "keyprov", keySets, ...defined({ newKeys }) }, keySets };
};
