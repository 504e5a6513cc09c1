/**
 * A member whose client has lost its keys, or never had any, refuses messages from before that: it cannot tell them from
 * recorded ones. The GMK is sealed for it anew, with a T of now.
 */

import type { GktpRecord } from "../../../store/gms/records.ts";
import type { NotifyResult } from "../../../transport/sip/index.ts";
import { OLDER_WARNING_TEXT } from "../../group-keys/notify-answer.ts";
import { loggable } from "../common/errors.ts";
import type { GmsContext } from "../common/ports.ts";
import { distributeAgain } from "../planner/messages.ts";

const CAUSE = "client without keys";
/** A message that was made anew is not made anew again before that, so that no client has a GMS seal for ever. */
const AGAIN_MS = 60_000;

/** Returns whether the answer says so: the number of the warning is what counts. */
export function isTooOld({ status, warnings }: NotifyResult): boolean {
  const number = OLDER_WARNING_TEXT.slice(0, 4);
  return status === 488 && warnings.some(({ text }) => text.startsWith(number));
}

/** Resolves to what became of it, in words. Does not reject. */
export async function sealAnew(context: GmsContext, message: GktpRecord): Promise<string> {
  try {
    const done = await again(context, message);
    context.planned();
    return done;
  } catch (error) {
    context.log.warn({ ...loggable(error), rekey: message.rekey }, "a message was not sealed anew");
    return "not sealed anew";
  }
}

async function again(context: GmsContext, { rekey, memberUri, kind }: GktpRecord): Promise<string> {
  const { store, now } = context;
  const record = await store.rekey(rekey);
  if (record === undefined || record.state === "superseded") return "superseded";
  if (record.cause === CAUSE && now() - record.createdAt < AGAIN_MS) return "was sealed anew just now";
  return store.change(async (tx) => {
    const gmk = await tx.gmk(record.gmk);
    if (gmk === undefined || gmk.state === "retired") return "superseded";
    const isRecipient = ({ uri }: { readonly uri: string }) => uri === memberUri;
    const present = (await tx.members(record.groups)).find(isRecipient);
    // A revocation also concerns removed members who hold the key.
    const member = present ?? (kind === "revoke" ? (await tx.served(gmk.id)).find(isRecipient) : undefined);
    if (member === undefined) return "no member any more";
    const why = { cause: CAUSE, actor: memberUri };
    const { traceparent } = record;
    const [anew] = await distributeAgain(tx, { ...context, traceparent }, kind, gmk, [member], why);
    return `sealed anew in rekey ${anew}`;
  });
}
