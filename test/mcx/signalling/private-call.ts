/** The PCK of a private call, as somebody who has the callee's keys gets it from what is on the way. */
import {
  type DeliveredKey,
  MemoryReceiverState,
  type OpenedMessage,
  openMessage,
  type Receiver,
} from "../../../bindings/index.ts";

/** The I_MESSAGE of the first private call in these SIP messages. */
export function mikeyIn(messages: readonly Uint8Array[]): Uint8Array {
  const offer = /a=key-mgmt:mikey (\S+)\r\n/;
  const texts = messages.map((octets) => Buffer.from(octets).toString("latin1"));
  const [, base64] = offer.exec(texts.find((text) => offer.test(text)) ?? "")!;
  return new Uint8Array(Buffer.from(base64!, "base64"));
}

export function openAnyPck(octets: Uint8Array, receiver: Receiver): Promise<OpenedMessage> {
  return openMessage(octets, {
    receiver,
    state: new MemoryReceiverState(),
    now: Date.now(),
    allow: ["PCK"],
    authorise: () => true,
  });
}

export async function pckOf(octets: Uint8Array, receiver: Receiver): Promise<DeliveredKey> {
  const opened = await openAnyPck(octets, receiver);
  if (opened.outcome !== "accepted") throw new Error("the PCK is revoked");
  return opened.key;
}
