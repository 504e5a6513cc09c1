/** Short data from and to the command line. */
import { fromUtf8, toHex, utf8 } from "../../base/bytes.ts";
import { PAYLOAD_CONTENT_TYPES } from "../../bindings/mcdata/index.ts";
import type { McxClientEvent, ReceivedData } from "../../roles/client/mcx/index.ts";
import { listenForStop } from "../server/stop.ts";
import type { Output } from "../terminal/output.ts";
import { type McxMemberOptions, openMcxMember } from "./member.ts";

type Options = Omit<McxMemberOptions, "onEvent">;

export async function sendText(options: Options, text: string): Promise<void> {
  const member = await openMcxMember({ ...options, onEvent: () => undefined });
  try {
    await member.client.send(options.groupUri, [
      { contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8(text) },
    ]);
  } finally {
    await member.close();
  }
}

export interface Until {
  readonly count: number | undefined;
  readonly seconds: number | undefined;
}

/** How many came. */
export async function receiveTexts(
  options: Options,
  { count, seconds }: Until,
  output: Output,
): Promise<number> {
  let got = 0;
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const onEvent = (event: McxClientEvent) => {
    if (event.type === "refused" || event.type === "binding-failed") output.note(String(event.error));
    if (event.type !== "data" || event.groupUri !== options.groupUri) return;
    show(output, event);
    if (++got === count) end();
  };
  // Until there is something to end well, a signal ends the process as it would any other.
  const member = await openMcxMember({ ...options, onEvent });
  const stop = listenForStop();
  const timer = seconds === undefined ? undefined : setTimeout(end, 1000 * seconds);
  try {
    output.ready({ event: "receiving", group: options.groupUri, user: options.userUri }, () => [
      `${options.userUri} receives from ${options.groupUri}`,
    ]);
    await Promise.race([over, stop.stopped]);
    return got;
  } finally {
    clearTimeout(timer);
    stop.release();
    await member.close();
  }
}

function show(output: Output, { groupUri, from, dateTime, messageId, payloads }: ReceivedData): void {
  const shown = payloads.map(({ contentType, data }) => ({ contentType, ...contentOf(contentType, data) }));
  output.ready({ event: "data", group: groupUri, from, dateTime, messageId, payloads: shown }, () => [
    `${from}: ${shown.map(({ text, hex }) => text ?? hex).join(" ")}`,
  ]);
}

function contentOf(contentType: number, data: Uint8Array): { text?: string; hex?: string } {
  if (contentType !== PAYLOAD_CONTENT_TYPES.TEXT) return { hex: toHex(data) };
  try {
    return { text: fromUtf8(data) };
  } catch {
    return { hex: toHex(data) };
  }
}
