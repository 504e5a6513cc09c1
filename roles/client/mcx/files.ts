/**
 * Files of a group or for one user over HTTP (TS 24.282 10.2): sealed under the GMK, or a PCK that is drawn for the file, and
 * uploaded, told of in a MESSAGE, fetched and opened by the others. Members of a group may tell the sender so. A client
 * without this object takes part in short data only.
 */
import { toHex, utf8 } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import type { DeliveredKey, Member } from "../../../bindings/index.ts";
import {
  decodeFdSignalling,
  encodeFdSignalling,
  FD_DISPOSITIONS,
  MAX_SEALED_FILE_BYTES,
  MCDATA_ID_BYTES,
  type McDataFile,
  openMcDataFile,
  sealMcDataFile,
} from "../../../bindings/mcdata/index.ts";
import {
  MCDATA_REQUESTS,
  MEDIA,
  type ServiceInfo,
  writeMcdataInfo,
  writeMultipart,
} from "../../../documents/group-xml/index.ts";
import { readAll } from "../../../transport/http/body.ts";
import { sealPck } from "../calls/private-call-key.ts";
import type { Binding } from "./binding.ts";
import type { FileFetch, FileOptions, ReceivedFile, SendFileOptions } from "./file-types.ts";
import { notifyOf, tellServer } from "./notifying.ts";
import type { McxClientOptions } from "./options.ts";
import type { PrivateFileKeys } from "./private-file-keys.ts";

const TIMEOUT_MS = 120_000;

/**
 * Gives the identifiers of the message, which notifications quote.
 *
 * @throws {McxRefusedError}; SIP transport errors; transport `FILE_REFUSED`; usage `NO_FILE_SERVER`, `NO_GROUP_KEY`,
 * `NO_CONTROL_KEY`, `BAD_MCDATA_FILE`
 */
export async function sendFile(
  options: McxClientOptions,
  binding: Binding | undefined,
  groupUri: string,
  file: McDataFile,
  { wantsCompletion, isMandatory }: SendFileOptions,
): Promise<Pick<ReceivedFile, "conversationId" | "messageId">> {
  filesOf(options);
  const { groupKeys, userUri } = options;
  const gmk = groupKeys(groupUri).sending();
  if (gmk === undefined) throw usage("NO_GROUP_KEY", "no GMK of the group is active");
  if (binding === undefined) throw usage("NO_CONTROL_KEY", "no CSK is uploaded");
  const info = { requestType: MCDATA_REQUESTS.GROUP_FD, requestUri: groupUri, callingUser: userUri };
  return distribute(options, binding, { info, key: gmk, file, asked: { wantsCompletion, isMandatory } });
}

/**
 * The same for one user, under a key that only the two have, and which the server cannot open.
 *
 * @throws as `sendFile` but for `NO_GROUP_KEY`, and as `sealMessage`
 */
export async function sendFileTo(
  options: McxClientOptions,
  binding: Binding | undefined,
  receiver: Member,
  file: McDataFile,
): Promise<Pick<ReceivedFile, "conversationId" | "messageId">> {
  filesOf(options);
  const { keys, random, now, userUri } = options;
  if (binding === undefined) throw usage("NO_CONTROL_KEY", "no CSK is uploaded");
  const { pck, octets } = await sealPck(receiver, keys(), { random, now: now() });
  try {
    const info = {
      requestType: MCDATA_REQUESTS.ONE_TO_ONE_FD,
      requestUri: receiver.uri,
      callingUser: userUri,
    };
    return await distribute(options, binding, { info, key: pck, file, mikey: octets });
  } finally {
    pck.destroy();
  }
}

interface Distributed {
  readonly info: ServiceInfo;
  readonly key: DeliveredKey;
  readonly file: McDataFile;
  readonly asked?: { readonly [name in keyof SendFileOptions]: SendFileOptions[name] | undefined };
  readonly mikey?: Uint8Array;
}

async function distribute(
  options: McxClientOptions,
  binding: Binding,
  { info, key, file, asked = {}, mikey }: Distributed,
): Promise<Pick<ReceivedFile, "conversationId" | "messageId">> {
  const { random, now } = options;
  const sealed = await sealMcDataFile(key, file, { now: now(), random });
  const url = await upload(options, filesOf(options), info, sealed);
  const [conversationId, messageId] = [random(MCDATA_ID_BYTES), random(MCDATA_ID_BYTES)];
  const dateTime = Math.floor(now() / 1000);
  const fd = { dateTime, conversationId, messageId, url, ...defined(asked) };
  await tellServer(options, binding, { info, signalling: encodeFdSignalling(fd), ...defined({ mikey }) });
  return { conversationId: toHex(conversationId), messageId: toHex(messageId) };
}

/**
 * Downloads and opens a file, and tells the sender if they asked for that. That they could not be told is an event `refused`.
 *
 * @throws {MikeySakkeError} transport `FILE_REFUSED`, `DOWNLOAD_TOO_LARGE`; usage `NO_FILE_SERVER`; verification `MCDATA_REFUSED` and
 * codec `BAD_MCDATA_FILE` of `openMcDataFile`
 */
export async function fetchFile(
  options: McxClientOptions,
  binding: Binding | undefined,
  privateKeys: PrivateFileKeys,
  received: ReceivedFile,
): Promise<McDataFile> {
  const { groupUri, url, wantsCompletion } = received;
  const sealed = await download(options, filesOf(options), url);
  if (groupUri === undefined) {
    const file = await openMcDataFile(sealed, (keyId) => privateKeys.find(received, keyId));
    privateKeys.drop(received);
    return file;
  }
  const keys = options.groupKeys(groupUri);
  const file = await openMcDataFile(sealed, (keyId) => keys.receiving(keyId));
  if (wantsCompletion && binding !== undefined) {
    try {
      await notifyOf(options, binding, received, { of: "fd", disposition: FD_DISPOSITIONS.COMPLETED });
    } catch (error) {
      options.onEvent?.({ type: "refused", error });
    }
  }
  return file;
}

/**
 * Reads what a MESSAGE of the server for this user says of files; undefined: it is about something else. `takeKey`: for a
 * message that comes for the first time, as its key is refused the next time.
 */
export function readFileMessage(
  { requestType, callingGroup, callingUser = "" }: ServiceInfo,
  { signalling, mikey }: { readonly signalling: Uint8Array; readonly mikey: Uint8Array | undefined },
  options: McxClientOptions,
  privateKeys: PrivateFileKeys,
) {
  const isOneToOne = requestType === MCDATA_REQUESTS.ONE_TO_ONE_FD;
  if (isOneToOne !== (callingGroup === undefined)) return undefined;
  if (requestType !== MCDATA_REQUESTS.GROUP_FD && !isOneToOne) return undefined;
  const { conversationId, messageId, dateTime, url, ...asked } = decodeFdSignalling(signalling);
  requireOwn(filesOf(options), url);
  const event = {
    type: "file" as const,
    groupUri: callingGroup,
    from: callingUser,
    dateTime,
    url,
    wantsCompletion: !isOneToOne && asked.wantsCompletion === true,
    isMandatory: asked.isMandatory === true,
    conversationId: toHex(conversationId),
    messageId: toHex(messageId),
  };
  const takeKey = async () => (isOneToOne ? privateKeys.take(event, mikey) : undefined);
  return { name: { conversationId, messageId }, event, takeKey };
}

async function upload(
  { token }: McxClientOptions,
  files: FileOptions,
  info: ServiceInfo,
  sealed: Uint8Array,
): Promise<string> {
  const { contentType, body } = writeMultipart([
    { contentType: MEDIA.mcdataInfo, body: utf8(writeMcdataInfo(info)) },
    { contentType: MEDIA.octetStream, body: sealed },
  ]);
  const { status, headers } = await exchange(files, files.url, {
    method: "POST",
    headers: { authorization: `Bearer ${await token()}`, "content-type": contentType },
    body: Uint8Array.from(body),
  });
  const url = headers.get("location");
  if (status !== 201 || url === null) throw refused(`the upload was answered with ${status}`);
  requireOwn(files, url);
  return url;
}

async function download({ token }: McxClientOptions, files: FileOptions, url: string): Promise<Uint8Array> {
  requireOwn(files, url);
  const { maxBytes = MAX_SEALED_FILE_BYTES, timeoutMs = TIMEOUT_MS } = files;
  const headers = { authorization: `Bearer ${await token()}`, accept: MEDIA.octetStream };
  const { status, body } = await exchange(files, url, { method: "GET", headers });
  if (status !== 200) throw refused(`the download was answered with ${status}`);
  return readAll(body, maxBytes, "DOWNLOAD_TOO_LARGE", AbortSignal.timeout(timeoutMs));
}

async function exchange(
  { fetch, timeoutMs = TIMEOUT_MS }: FileOptions,
  url: string,
  init: Omit<Parameters<FileFetch>[1], "redirect" | "signal">,
) {
  try {
    return await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw refused(`${new URL(url).origin} does not answer`, cause);
  }
}

/** The token of the user goes to no other place, whoever names one. */
function requireOwn({ url: root }: FileOptions, url: string): void {
  if (!isWithin(root, url))
    throw new MikeySakkeError("verification", "MCDATA_REFUSED", "file: its URL is not of the server");
}

function isWithin(root: string, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const [own, given] = [new URL(root), new URL(url)];
  const isSameOrigin = given.origin === own.origin && given.username === "";
  return isSameOrigin && given.pathname.startsWith(`${own.pathname}/`) && given.href === url;
}

function filesOf({ files }: McxClientOptions): FileOptions {
  if (files === undefined) throw usage("NO_FILE_SERVER", "the client was given no server of files");
  return files;
}

function usage(code: ErrorCode, text: string): MikeySakkeError {
  return new MikeySakkeError("usage", code, text);
}

function refused(text: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("transport", "FILE_REFUSED", `file: ${text}`, { cause });
}
