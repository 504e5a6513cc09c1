/** Short data and files from and to the command line. */
import { fromUtf8, toHex, utf8 } from "../../base/bytes.ts";
import { pause } from "../../base/deadline.ts";
import {
  type McDataFile,
  PAYLOAD_CONTENT_TYPES,
  SDS_DISPOSITION_REQUESTS,
  SDS_DISPOSITIONS,
} from "../../bindings/mcdata/index.ts";
import type { McxClient, McxClientEvent, ReceivedData, ReceivedFile } from "../../roles/client/mcx/index.ts";
import { listenForStop } from "../server/stop.ts";
import type { Output } from "../terminal/output.ts";
import { type McxMemberOptions, type McxUserOptions, openMcxMember, openMcxUser } from "./member.ts";
import { ReceivedFiles } from "./received-files.ts";

type Options = Omit<McxMemberOptions, "onEvent">;
/** Options without a group, for what is sent to the user alone. */
type UserOptions = Omit<McxUserOptions, "onEvent">;

/** Waits `noticesMs`, if given, for what the server says of members who cannot be reached, and returns who they are. */
export async function sendText(
  options: Options,
  text: string,
  noticesMs: number | undefined,
): Promise<readonly string[]> {
  const missed: { readonly messageId: string; readonly user: string }[] = [];
  const onEvent = (event: McxClientEvent) => {
    if (event.type !== "data-notification" || event.disposition !== SDS_DISPOSITIONS.UNDELIVERED) return;
    missed.push({ messageId: event.messageId, user: event.from });
  };
  const member = await openMcxMember({ ...options, onEvent });
  try {
    const { messageId } = await member.client.send(
      options.groupUri,
      [{ contentType: PAYLOAD_CONTENT_TYPES.TEXT, data: utf8(text) }],
      noticesMs === undefined ? {} : { dispositionRequest: SDS_DISPOSITION_REQUESTS.DELIVERY },
    );
    if (noticesMs !== undefined) await pause(noticesMs);
    return missed.filter((one) => one.messageId === messageId).map(({ user }) => user);
  } finally {
    await member.close();
  }
}

export async function sendFile(options: Options, file: McDataFile): Promise<void> {
  const member = await openMcxMember({ ...options, onEvent: () => undefined });
  try {
    await member.client.sendFile(options.groupUri, file);
  } finally {
    await member.close();
  }
}

export async function sendFileTo(options: UserOptions, uri: string, file: McDataFile): Promise<void> {
  const user = await openMcxUser({ ...options, onEvent: () => undefined });
  try {
    await user.client.sendFileTo({ uri }, file);
  } finally {
    await user.close();
  }
}

export interface ReceiveOptions {
  readonly count: number | undefined;
  readonly seconds: number | undefined;
  /** The folder in which files are stored; none is fetched when absent. */
  readonly folder: string | undefined;
}

/** Returns how many messages and files came. */
export async function receiveData(
  options: Options | UserOptions,
  { count, seconds, folder }: ReceiveOptions,
  output: Output,
): Promise<number> {
  const groupUri = "groupUri" in options ? options.groupUri : undefined;
  let got = 0;
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const files =
    folder === undefined
      ? undefined
      : new ReceivedFiles(folder, async (received) => (await opened).client.fetchFile(received));
  const onEvent = async (event: McxClientEvent) => {
    if (event.type === "refused" || event.type === "binding-failed") output.note(String(event.error));
    if ((event.type !== "data" && event.type !== "file") || event.groupUri !== groupUri) return;
    try {
      if (event.type === "file") await showFile(output, event, files);
      else {
        show(output, event);
        await acknowledge((await opened).client, event);
      }
      if (++got === count) end();
    } catch (error) {
      output.note(String(error));
    }
  };
  // Until there is something to end well, a signal ends the process as it would any other.
  const opened =
    "groupUri" in options ? openMcxMember({ ...options, onEvent }) : openMcxUser({ ...options, onEvent });
  const member = await opened;
  const stop = listenForStop();
  const timer = seconds === undefined ? undefined : setTimeout(end, 1000 * seconds);
  try {
    output.ready({ event: "receiving", group: groupUri, user: options.userUri }, () => [
      `${options.userUri} receives ${groupUri === undefined ? "files" : `from ${groupUri}`}`,
    ]);
    await Promise.race([over, stop.stopped]);
    return got;
  } finally {
    clearTimeout(timer);
    stop.release();
    await member.close();
  }
}

/** Tells the sender what they ask for: what is printed has been read. */
async function acknowledge(client: Pick<McxClient, "notify">, received: ReceivedData): Promise<void> {
  const { DELIVERY, READ, DELIVERY_AND_READ } = SDS_DISPOSITION_REQUESTS;
  const { dispositionRequest: asked } = received;
  if (asked === DELIVERY) await client.notify(received, SDS_DISPOSITIONS.DELIVERED);
  if (asked === READ) await client.notify(received, SDS_DISPOSITIONS.READ);
  if (asked === DELIVERY_AND_READ) await client.notify(received, SDS_DISPOSITIONS.DELIVERED_AND_READ);
}

function show(output: Output, { groupUri, from, dateTime, messageId, payloads }: ReceivedData): void {
  const shown = payloads.map(({ contentType, data }) => ({ contentType, ...contentOf(contentType, data) }));
  output.ready({ event: "data", group: groupUri, from, dateTime, messageId, payloads: shown }, () => [
    `${from}: ${shown.map(({ text, hex }) => text ?? hex).join(" ")}`,
  ]);
}

async function showFile(
  output: Output,
  received: ReceivedFile,
  files: ReceivedFiles | undefined,
): Promise<void> {
  const { groupUri: group, from, dateTime, messageId } = received;
  const stored = await files?.store(received);
  output.ready({ event: "file", group, from, dateTime, messageId, ...stored }, () => [
    stored === undefined
      ? `${from}: a file, which is not fetched without --files`
      : `${from}: ${stored.path}, ${stored.mediaType}, ${stored.bytes} octets`,
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
