/** The body of a NOTIFY: an xcap-diff document, I_MESSAGEs beside it, or nothing (RFC 5875 4.4, 4.7). */
import { MikeySakkeError } from "../../base/errors.ts";
import {
  MEDIA,
  mediaTypeOf,
  readMultipart,
  readXcapDiff,
  type XcapDiff,
} from "../../documents/group-xml/index.ts";
import { CONTENT_TYPE, type Notify } from "../../transport/sip/index.ts";

export interface NotifyContent {
  readonly diff: XcapDiff | undefined;
  readonly messages: readonly Uint8Array[];
}

export const ACCEPTED = [MEDIA.xcapDiff, MEDIA.multipartMixed, MEDIA.mikey];

/** @throws {MikeySakkeError} codec: `NOTIFY_TYPE` for a type that is not understood, or as the readers of each */
export function readNotify({ request, body }: Pick<Notify, "request" | "body">): NotifyContent {
  if (body.length === 0) return { diff: undefined, messages: [] };
  const contentType = request.headers.texts(CONTENT_TYPE.name)[0] ?? "";
  const isMultipart = mediaTypeOf(contentType) === MEDIA.multipartMixed;
  const parts = isMultipart ? readMultipart(contentType, body) : [{ contentType, body }];
  let diff: XcapDiff | undefined;
  const messages: Uint8Array[] = [];
  for (const part of parts) {
    const type = mediaTypeOf(part.contentType);
    if (type === MEDIA.xcapDiff) diff ??= readXcapDiff(part.body);
    else if (type === MEDIA.mikey) messages.push(part.body);
    else if (!isMultipart) throw new MikeySakkeError("codec", "NOTIFY_TYPE", "NOTIFY: unknown content type");
  }
  return { diff, messages };
}
