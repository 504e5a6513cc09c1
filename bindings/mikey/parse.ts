/** Octets to parsed: structure and values are those of an I_MESSAGE of TS 33.180. Nothing is authenticated yet. */
import { requireBytes } from "../../base/errors.ts";
import { type IMessage, interpret } from "./i-message.ts";
import { decodeMessage } from "./message.ts";
import type { Tolerance } from "./tolerance.ts";

declare const parsed: unique symbol;

/** Proof that checks 1 to 29 passed; made by `parseMessage` only. */
export type ParsedMessage = IMessage & { readonly [parsed]: true };

/** Checks 1 to 29. The message keeps a copy, so that what is verified is what was parsed. */
export function parseMessage(
  octets: Uint8Array,
  options: { tolerance?: Tolerance | undefined; maxBytes?: number | undefined } = {},
): ParsedMessage {
  requireBytes(octets, "message");
  return interpret(
    decodeMessage(new Uint8Array(octets), options.maxBytes),
    options.tolerance,
  ) as ParsedMessage;
}
