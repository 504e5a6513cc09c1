/** The caller of an operation, as the headers of a request to the admin API name them beside the token. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { ACTOR_HEADER, readActor, writeActor } from "../../server/actor.ts";
import { type Caller, manager, operator } from "../common/caller.ts";
import { isUri } from "../common/uri.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Narrows a request to what a manager with these identities may do: a list of URIs, percent-encoded. */
export const MANAGER_HEADER = "gms-manager";

export function callerHeaders(caller: Caller): Readonly<Record<string, string>> {
  const { kind, actor } = caller;
  if (kind === "operator") return { [ACTOR_HEADER.gms]: writeActor(actor) };
  // The first one becomes the actor. A name that is no identity gives no rights, as in the process of the GMS.
  const isActor = (identity: string) => Number(identity === actor);
  const identities = [...caller.identities].sort((one, other) => isActor(other) - isActor(one));
  return { [MANAGER_HEADER]: identities.map(encodeURIComponent).join(",") };
}

/**
 * Returns the caller of a request with the operator's token, who may ask on behalf of a manager.
 *
 * @throws {MikeySakkeError} usage `BAD_ADMIN_REQUEST`, naming the header
 */
export function operatorOf(headers: Headers): Caller {
  const identities = namedIdentities(headers);
  if (identities !== undefined) return manager(identities[0]!, identities);
  return operator(readActor(ACTOR_HEADER.gms, headers[ACTOR_HEADER.gms]));
}

/**
 * Returns the caller of a request with the token of a user, whose identities `own` the headers may narrow.
 *
 * @throws {MikeySakkeError} usage `BAD_ADMIN_REQUEST`, naming the header; `FORBIDDEN` where no identity is left
 */
export function managerOf(own: readonly string[], headers: Headers): Caller {
  const named = namedIdentities(headers);
  const identities = named === undefined ? own : named.filter((identity) => own.includes(identity));
  if (identities.length === 0) {
    throw new MikeySakkeError("usage", "FORBIDDEN", "the token is not of this user");
  }
  return manager(identities[0]!, identities);
}

function namedIdentities(headers: Headers): readonly string[] | undefined {
  const value = headers[MANAGER_HEADER];
  return value === undefined ? undefined : String(value).split(",").map(readIdentity);
}

function readIdentity(encoded: string): string {
  try {
    const uri = decodeURIComponent(encoded.trim());
    if (isUri(uri)) return uri;
  } catch {
    // A percent sign that encodes nothing is refused like any other value that is no URI.
  }
  throw new MikeySakkeError("usage", "BAD_ADMIN_REQUEST", `${MANAGER_HEADER}: not a list of URIs`);
}
