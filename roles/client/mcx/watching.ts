/** Watches who is in the call of a group: a subscription to the conference event package (TS 24.379 10.1.3.2, RFC 4575). */
import { MikeySakkeError } from "../../../base/errors.ts";
import {
  type ConferenceInfo,
  MEDIA,
  mediaTypeOf,
  type Part,
  readConferenceInfo,
  readMultipart,
  writeMcpttInfo,
} from "../../../documents/group-xml/index.ts";
import { openSignalling } from "../../../documents/signalling-xml/index.ts";
import {
  type Answer,
  CONTENT_TYPE,
  isSameUri,
  type Notify,
  type SubscriptionEnd,
} from "../../../transport/sip/index.ts";
import { senderOf } from "./authorised.ts";
import type { Binding } from "./binding.ts";
import type { Bindings } from "./bindings.ts";
import { sealRequest } from "./bound-request.ts";
import type { McxClientOptions } from "./options.ts";

export interface WatchOptions {
  /** MC service user IDs of all who are in the call, in the order in which they came. */
  readonly onChange: (participants: readonly string[]) => void;
  /** The server tells no more, as after the end of the call. Not called after `close`. */
  readonly onEnd?: (end: SubscriptionEnd) => void;
}

export interface Watch {
  close(): void;
}

/** As much as a server that is trusted sends. */
const MAX_BODY = 256 << 10;

/** The participants by what a subscription has said up to now (RFC 4575 4.6). */
export class Participants {
  readonly #users = new Set<string>();
  #version: number | undefined;

  /** All who are there after this document; "old": it says nothing new; "gap": one before it is missing. */
  take({ state, version, users }: ConferenceInfo): readonly string[] | "old" | "gap" {
    const known = this.#version;
    if (known !== undefined && version <= known) return "old";
    if (state === "partial" && version !== (known ?? Number.NaN) + 1) return "gap";
    this.#version = version;
    if (state !== "partial") this.#users.clear();
    for (const { uri, isPresent } of state === "deleted" ? [] : users) {
      if (isPresent) this.#users.add(uri);
      else this.#users.delete(uri);
    }
    return [...this.#users];
  }
}

/**
 * Tells who is in the call from now on. `binding` is at the process that serves it.
 *
 * @throws {MikeySakkeError} usage `NO_SIGNALLING_KEY` when no CSK is uploaded; what the server refuses is told by `onEnd`
 */
export async function watchCall(
  options: McxClientOptions,
  bindings: Bindings,
  binding: Binding,
  groupUri: string,
  { onChange, onEnd }: WatchOptions,
): Promise<Watch> {
  const { endpoint, mcxUri, userUri, token, ims, onEvent } = options;
  const participants = new Participants();
  let isClosed = false;

  async function take({ request, body }: Notify): Promise<void> {
    const [contentType = ""] = request.headers.texts(CONTENT_TYPE.name);
    if (body.length > MAX_BODY) {
      throw new MikeySakkeError("codec", "BODY_TOO_LARGE", `NOTIFY: more than ${MAX_BODY} octets`);
    }
    const parts: Part[] = mediaTypeOf(contentType).startsWith("multipart/")
      ? readMultipart(contentType, body)
      : [{ contentType, body }];
    const opened = await openSignalling(parts, bindings);
    const part = opened.parts.find((one) => mediaTypeOf(one.contentType) === MEDIA.conferenceInfo);
    if (part === undefined) throw refused(`no part ${MEDIA.conferenceInfo}`);
    const info = readConferenceInfo(part.body);
    if (!isSameUri(info.entity, groupUri)) throw refused("the state of another conference");
    const present = participants.take(info);
    if (isClosed || present === "old") return;
    if (present === "gap") subscription.refresh();
    else onChange(present);
  }

  async function onNotify(notify: Notify): Promise<Answer> {
    // Without a body it says that there is nothing to say, as at the end.
    if (notify.body.length === 0) return { status: 200 };
    try {
      await take(notify);
      return { status: 200 };
    } catch (error) {
      if (!(error instanceof MikeySakkeError)) throw error;
      onEvent?.({ type: "refused", error });
      return { status: error.kind === "codec" ? 400 : 488 };
    }
  }

  const info = { requestUri: groupUri, callingUser: userUri };
  const { ids, contentType, body } = await sealRequest(options, binding.held, {
    method: "SUBSCRIBE",
    contentType: MEDIA.mcpttInfo,
    info: (ofRequest) => writeMcpttInfo({ ...info, binding: ofRequest }),
    parts: [],
  });
  const sender = await senderOf(options);
  const subscription = endpoint.subscribe({
    ...binding.target,
    to: mcxUri,
    ids,
    contentType,
    body,
    ...sender,
    event: { value: "conference", params: new Map() },
    accept: [MEDIA.conferenceInfo, MEDIA.multipartMixed],
    // A refresh on another connection has to be proven anew.
    ...(ims === undefined && { credentials: { bearer: token } }),
    onNotify,
    onEnd: (end) => {
      if (!isClosed) onEnd?.(end);
    },
  });
  return {
    close() {
      if (isClosed) return;
      isClosed = true;
      subscription.unsubscribe();
    },
  };
}

function refused(text: string): MikeySakkeError {
  return new MikeySakkeError("verification", "CONFERENCE_REFUSED", `conference NOTIFY: ${text}`);
}
