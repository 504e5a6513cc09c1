/** The person behind an operator's request: the header in which an admin client names them for the audit log. */
import { MikeySakkeError } from "../../base/errors.ts";

export const ACTOR_HEADER = { kms: "kms-actor", gms: "gms-actor" } as const;
/** Actor in the audit log when the operator names none. */
export const DEFAULT_ACTOR = "operator";
const MAX_ACTOR = 200;

/** The value of the header, percent-encoded: names have letters of any script. */
export function writeActor(actor: string): string {
  return encodeURIComponent(actor);
}

/** @throws {MikeySakkeError} usage `BAD_ADMIN_REQUEST`, naming `header` */
export function readActor(header: string, value: string | readonly string[] | undefined): string {
  if (value === undefined) return DEFAULT_ACTOR;
  try {
    const actor = decodeURIComponent(String(value));
    if (actor !== "" && actor.length <= MAX_ACTOR && !/[\p{C}]/u.test(actor)) return actor;
  } catch {
    // As any other that is none.
  }
  throw new MikeySakkeError("usage", "BAD_ADMIN_REQUEST", `${header}: not the name of anybody`);
}
