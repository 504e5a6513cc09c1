/** Changes to the payload chain of an I_MESSAGE (RFC 3830 6). */
import { inspectMessage } from "../../../bindings/mikey/index.ts";
import type { Draw } from "./draw.ts";
import { flip, truncate } from "./octets.ts";

/** The payloads of a message, each with the octet that names the next one. */
export function payloadsOf(message: Uint8Array): Uint8Array[] {
  return inspectMessage(message).sections.map(({ offset, length }) =>
    message.subarray(offset, offset + length),
  );
}

const NEXT_IN_HDR = 2;

export function changedMikey(draw: Draw, message: Uint8Array, other: Uint8Array): Uint8Array {
  const payloads = payloadsOf(message);
  const at = draw.below(payloads.length);
  const join = (parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));
  const changes = [
    // A payload is left out, or comes twice, or another message's comes in its place.
    () => join(payloads.filter((_, i) => i !== at)),
    () => join(payloads.flatMap((payload, i) => (i === at ? [payload, payload] : [payload]))),
    () => join(payloads.map((payload, i) => (i === at ? (payloadsOf(other)[at] ?? payload) : payload))),
    () => {
      const to = draw.below(payloads.length);
      const order = [...payloads];
      [order[at], order[to]] = [order[to]!, order[at]!];
      return join(order);
    },
    // The type of the next payload.
    () => {
      const changed = payloads.map((payload) => payload.slice());
      changed[at]![at === 0 ? NEXT_IN_HDR : 0] = draw.below(256);
      return join(changed);
    },
    // A length field, which most payloads have in their third and fourth octets.
    () => {
      const changed = payloads.map((payload) => payload.slice());
      const two = 2 + draw.below(2);
      if (changed[at]!.length > two + 1) {
        changed[at]![two] = draw.pick([0, 0x7f, 0xff]);
        changed[at]![two + 1] = draw.below(256);
      }
      return join(changed);
    },
    // One bit of the signature, which is the last payload.
    () => {
      const changed = message.slice();
      changed[changed.length - 1 - draw.below(128)]! ^= 1 << draw.below(8);
      return changed;
    },
    () => flip(draw, message),
    () => truncate(draw, message),
    () => join([message, draw.octets(1 + draw.below(40))]),
  ];
  return draw.pick(changes)();
}
