/**
 * Short data to a group (TS 24.282 9.2), notices of files for a group or a user (10.2.4), and notifications of what became of
 * either (12.2): a MESSAGE whose signalling payload the server opens under the sender's CSK and protects anew for each receiver. The data payload
 * passes as it is, under a key that the server does not have (TS 33.180 8), and so does the I_MESSAGE with the key of two users.
 */
import { backOff } from "../../../base/back-off.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { utf8 } from "../../../bindings/index.ts";
import {
  decodeFdSignalling,
  decodeNotification,
  decodeSdsSignalling,
  encodeFdSignalling,
  encodeNotification,
  isProtectedMcData,
  MCDATA_MEDIA_TYPES,
  openMcData,
  SDS_DISPOSITIONS,
  sealMcData,
} from "../../../bindings/mcdata/index.ts";
import {
  MCDATA_REQUESTS,
  type McpttInfo,
  MEDIA,
  type Part,
  writeMcdataInfo,
} from "../../../documents/group-xml/index.ts";
import { sealSignalling } from "../../../documents/signalling-xml/index.ts";
import { type Answer, type Incoming, isSameUri } from "../../../transport/sip/index.ts";
import type { MessageName } from "../../call/seen-messages.ts";
import type { Sds } from "../common/sds.ts";
import type { BoundClient } from "./clients.ts";
import { type SignallingContext, tell } from "./context.ts";
import type { Undelivered } from "./mailboxes.ts";
import { openRequest, requireMember } from "./opened.ts";
import { needPart } from "./request.ts";
import { SignallingRefusal } from "./signalling-refusal.ts";

const { GROUP_SDS, GROUP_FD, ONE_TO_ONE_FD, NOTIFY } = MCDATA_REQUESTS;
const NOTHING = new Uint8Array();
/** Members that are written to at a time. */
const AT_ONCE = 16;
/** Milliseconds between attempts to bring what was kept, while the user has a client; then it waits for the next binding. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const MOST_TRIES = 8;

export function messageHandler(context: SignallingContext) {
  return async (incoming: Incoming): Promise<Answer> => {
    const { client, parts, info } = await openRequest(incoming, "mcdata", context);
    const addressees = await addresseesOf(info, client, context);
    const { message: signalling, keyId } = await openPayload(
      needPart(parts, MCDATA_MEDIA_TYPES.SIGNALLING),
      client,
    );
    const name = await nameIn(
      signalling,
      { requestType: info.requestType, sender: client.user, ...addressees },
      context,
    );
    client.used(keyId);
    const payload = info.requestType === GROUP_SDS ? needPart(parts, MCDATA_MEDIA_TYPES.PAYLOAD) : NOTHING;
    // 8.1: protected from end to end.
    if (payload !== NOTHING && !isProtectedMcData(payload)) {
      throw new SignallingRefusal("MCDATA_REFUSED", "a payload in clear");
    }
    if (!context.messages.enter(client.user, name, context.now())) {
      // The sender has missed the answer: the message is on its way.
      context.count("mcdata_repeated");
      return { status: 202 };
    }
    const isOneToOne = info.requestType === ONE_TO_ONE_FD;
    const mikey = isOneToOne ? needPart(parts, MEDIA.mikey) : undefined;
    const sds = { ...addressees, sender: client.user, signalling, payload, ...defined({ mikey }) };
    const spreading = await spread(context, sds).catch((cause: unknown) => {
      // When it is sent again, it counts as the first time.
      context.messages.forget(client.user, name);
      throw new SignallingRefusal("CLUSTER_UNAVAILABLE", String(cause), cause);
    });
    context.count("mcdata_taken");
    // 202: on its way to the members.
    const bringAll = async ({ lost, kept }: Spread) => {
      await tellUndelivered(context, lost);
      await distribute(context, sds, kept);
    };
    return { status: 202, sent: () => void bringAll(spreading) };
  };
}

interface Addressees {
  /** The group whose members are told. */
  readonly group?: string;
  /** The only one who is told: a member of the group, or any user. */
  readonly to?: string;
}

async function addresseesOf(
  { requestType, requestUri, callingGroup }: McpttInfo,
  { user }: BoundClient,
  context: SignallingContext,
): Promise<Addressees> {
  if (requestType === ONE_TO_ONE_FD && context.fileAt && requestUri !== undefined) return { to: requestUri };
  const isNotice = requestType === NOTIFY;
  const group = isNotice ? callingGroup : requestUri;
  const isServed = requestType === GROUP_SDS || isNotice || (requestType === GROUP_FD && context.fileAt);
  if (!isServed || group === undefined || requestUri === undefined) {
    throw new SignallingRefusal("MCDATA_REFUSED", `request-type ${requestType}`);
  }
  await requireMember(context, group, user, "mcdata");
  if (!isNotice) return { group };
  // A member tells nobody outside of the group.
  await requireMember(context, group, requestUri, "mcdata");
  return { group, to: requestUri };
}

/**
 * Returns what tells the message from others. A file is one that was uploaded here for its receivers: they are led
 * nowhere else.
 */
async function nameIn(
  signalling: Uint8Array,
  {
    requestType,
    sender,
    group,
    to,
  }: Addressees & { readonly requestType: string | undefined; readonly sender: string },
  { fileAt }: SignallingContext,
): Promise<MessageName> {
  try {
    if (requestType === GROUP_SDS) return decodeSdsSignalling(signalling);
    if (requestType === NOTIFY) {
      const notice = decodeNotification(signalling);
      if (notice.of === "sds" || fileAt !== undefined) return notice;
      throw new SignallingRefusal("MCDATA_REFUSED", "no files are distributed here");
    }
    const fd = decodeFdSignalling(signalling);
    const file = await fileAt?.(fd.url);
    if (file !== undefined && "group" in file.audience && file.audience.group === group) return fd;
    if (file !== undefined && "user" in file.audience && file.audience.user === to && file.sender === sender)
      return fd;
    throw new SignallingRefusal("MCDATA_REFUSED", "no file for these receivers is at that URL");
  } catch (error) {
    if (!(error instanceof MikeySakkeError) || error instanceof SignallingRefusal) throw error;
    throw new SignallingRefusal("MCDATA_REFUSED", error.message, error);
  }
}

async function openPayload(octets: Uint8Array, client: BoundClient) {
  try {
    return await openMcData(octets, (id) => client.receiving(id));
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    throw new SignallingRefusal("MCDATA_REFUSED", error.message, error);
  }
}

interface Spread {
  /** What will not be brought. */
  readonly lost: readonly Undelivered[];
  /** Users for whom it is kept. */
  readonly kept: ReadonlySet<string>;
}

/**
 * Keeps a message for members who have no client here, and gives it to the other processes, of which one that brings it removes
 * it. Rejects where the other processes cannot be told.
 */
async function spread(context: SignallingContext, sds: Sds): Promise<Spread> {
  const away = await awayOf(context, sds);
  const lost = await keepFor(context, sds, away);
  await context.cluster?.post(sds);
  const strangers = new Set(lost.filter((one) => one.sds === sds).map(({ user }) => user));
  return { lost, kept: new Set(away.filter((user) => !strangers.has(user))) };
}

/** Members for whom a message is, and who have no client here. */
async function awayOf({ clients, directory, log }: SignallingContext, sds: Sds): Promise<readonly string[]> {
  const { group } = sds;
  // The key of two users comes in a message that is good for minutes only.
  if (group === undefined) return [];
  const members = await directory.members(group).catch((error: unknown) => {
    log.warn({ group, detail: String(error) }, "MCData is not kept for members who are away");
    return [];
  });
  return members.filter((user) => isFor(sds, user) && clients.of(user).length === 0);
}

function isFor({ to, sender }: Sds, user: string): boolean {
  return to === undefined ? user !== sender : isSameUri(user, to);
}

/** Without the store nothing is kept, and live clients have their messages all the same. */
async function keepFor(
  { mailboxes, count, log }: SignallingContext,
  sds: Sds,
  users: readonly string[],
): Promise<readonly Undelivered[]> {
  try {
    const { kept, lost } = await mailboxes.keep(users, sds);
    for (let i = 0; i < kept; i++) count("mcdata_kept");
    return lost;
  } catch (error) {
    log.warn({ group: sds.group, detail: String(error) }, "MCData was not kept for members who are away");
    return users.map((user) => ({ user, sds }));
  }
}

/**
 * Tells senders who want to know it that a text will not be brought to somebody: never bound, kept for too long, or displaced
 * (TS 24.282 12.2, 15.2.5).
 */
export async function tellUndelivered(
  context: SignallingContext,
  lost: readonly Undelivered[],
): Promise<void> {
  for (const { user, sds } of lost) {
    const notice = undeliveredNotice(sds, user, context.now());
    if (notice === undefined) continue;
    context.count("mcdata_undelivered");
    try {
      const { kept } = await spread(context, notice);
      await distribute(context, notice, kept);
    } catch (error) {
      context.log.warn({ group: sds.group, user, detail: String(error) }, "a sender was not told");
    }
  }
}

/** Undefined: nobody asked for it. */
function undeliveredNotice(sds: Sds, user: string, now: number): Sds | undefined {
  const { group, to, sender, signalling, payload } = sds;
  if (group === undefined || to !== undefined || payload.length === 0) return undefined;
  const { conversationId, messageId, dispositionRequest = 0 } = decodeSdsSignalling(signalling);
  if (dispositionRequest === 0) return undefined;
  const dateTime = Math.floor(now / 1000);
  const disposition = SDS_DISPOSITIONS.UNDELIVERED;
  return {
    group,
    to: sender,
    sender: user,
    signalling: encodeNotification({ of: "sds", disposition, dateTime, conversationId, messageId }),
    payload: NOTHING,
  };
}

/**
 * Brings a message to users who are bound here. `kept`: users for whom this process has kept it; undefined: another process has
 * had it first, and keeps it for who does not take it.
 */
export async function distribute(
  context: SignallingContext,
  sds: Sds,
  kept: ReadonlySet<string> | undefined,
): Promise<void> {
  const left = context.clients.users().filter((user) => isFor(sds, user));
  const worker = async () => {
    for (let user = left.pop(); user !== undefined; user = left.pop())
      await bringOrKeep(context, sds, user, kept);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** One that no client of the user takes is kept: a user who is away gets it when they are back. */
async function bringOrKeep(
  context: SignallingContext,
  sds: Sds,
  user: string,
  kept: ReadonlySet<string> | undefined,
): Promise<void> {
  const { clients, mailboxes, log } = context;
  const tried = clients.of(user);
  const fate = await bring(context, sds, user);
  const mayBeKept = kept === undefined || kept.has(user);
  if (fate === "brought" && mayBeKept) {
    await mailboxes.brought(user, sds).catch((error: unknown) => {
      log.warn({ user, detail: String(error) }, "MCData that was brought is kept still");
    });
  }
  if (fate !== "not taken" || mayBeKept || sds.group === undefined) return;
  await tellUndelivered(context, await keepFor(context, sds, [user]));
  // Somebody who has come back meanwhile was given what was kept before.
  if (clients.of(user).some((client) => !tried.includes(client))) await bringKept(context, user);
}

/** Brings a message to all clients of a user, and does not reject. */
async function bring(
  context: SignallingContext,
  sds: Sds,
  user: string,
): Promise<"brought" | "not taken" | "not theirs"> {
  const { clients, directory, count, log } = context;
  const { group } = sds;
  try {
    if (group !== undefined && (await directory.member(group, user)) === undefined) return "not theirs";
    const brought = await Promise.all(clients.of(user).map((client) => isBrought(context, sds, client)));
    return brought.includes(true) ? "brought" : "not taken";
  } catch (error) {
    count("mcdata_failed");
    log.warn({ group, user, detail: String(error) }, "MCData was not brought");
    return "not taken";
  }
}

/** Brings what is kept for a user to a client that has just bound. One that has no group key yet is tried again. */
export async function bringKept(context: SignallingContext, user: string, failures = 0): Promise<void> {
  const { clients, mailboxes, random, log } = context;
  let isLeft = false;
  try {
    for (const sds of await mailboxes.of(user)) {
      if ((await bring(context, sds, user)) === "not taken") isLeft = true;
      else await mailboxes.brought(user, sds);
    }
  } catch (error) {
    log.warn({ user, detail: String(error) }, "what is kept for a user was not brought");
    isLeft = true;
  }
  if (!isLeft || clients.of(user).length === 0 || failures === MOST_TRIES) return;
  const wait = backOff(
    { failures: failures + 1, firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS },
    random,
  );
  mailboxes.later(user, wait, () => void bringKept(context, user, failures + 1));
}

async function isBrought(context: SignallingContext, sds: Sds, client: BoundClient): Promise<boolean> {
  try {
    return await forward(context, sds, client);
  } catch (error) {
    context.count("mcdata_failed");
    context.log.warn(
      { group: sds.group, user: client.user, detail: String(error) },
      "MCData was not brought",
    );
    return false;
  }
}

/** Sends a message to one client. False: the client does not take it. */
async function forward(context: SignallingContext, sds: Sds, client: BoundClient): Promise<boolean> {
  const { now, random } = context;
  const csk = client.sending();
  if (csk === undefined) return false;
  const info = writeMcdataInfo({
    requestType: requestTypeOf(sds),
    requestUri: client.user,
    callingUser: sds.sender,
    ...defined({ callingGroup: sds.group }),
  });
  const parts: Part[] = [
    { contentType: MEDIA.mcdataInfo, body: utf8(info) },
    {
      contentType: MCDATA_MEDIA_TYPES.SIGNALLING,
      body: await sealMcData(csk, signallingHere(sds, context), { now: now(), random }),
    },
  ];
  if (sds.mikey !== undefined) parts.push({ contentType: MEDIA.mikey, body: sds.mikey });
  if (sds.payload.length > 0) parts.push({ contentType: MCDATA_MEDIA_TYPES.PAYLOAD, body: sds.payload });
  const { status } = await tell(context, client, await sealSignalling(parts, client.xml.sending, { random }));
  context.count(status < 300 ? "mcdata_brought" : "mcdata_failed");
  return status < 300;
}

/** A receiver fetches a file at the process that tells of it, whichever of them had it first. */
function signallingHere(sds: Sds, { urlHere }: SignallingContext): Uint8Array {
  const type = requestTypeOf(sds);
  if (urlHere === undefined || (type !== GROUP_FD && type !== ONE_TO_ONE_FD)) return sds.signalling;
  const fd = decodeFdSignalling(sds.signalling);
  return encodeFdSignalling({ ...fd, url: urlHere(fd.url) });
}

function requestTypeOf({ group, to, payload }: Sds): string {
  if (group === undefined) return ONE_TO_ONE_FD;
  if (to !== undefined) return NOTIFY;
  return payload.length > 0 ? GROUP_SDS : GROUP_FD;
}
