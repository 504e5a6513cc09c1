/** A GMS with faults: what stands between member and GMS changes requests, answers and NOTIFYs. */
import { fromHex, toHex } from "../../../base/bytes.ts";
import { inspectMessage } from "../../../bindings/mikey/inspect.ts";
import type { GmsCheckOptions } from "../../../cli/check/gms/index.ts";
import type { CheckFetch } from "../../../cli/check/http.ts";
import { AUTHORIZATION, type Notify } from "../../../transport/sip/index.ts";

/** The cases that must name them. */
export const GMS_FAULTS: Readonly<Record<string, string>> = {
  "GMS-003": "the document with keys is text/plain",
  "GMS-004": "no answer has an ETag",
  "GMS-012": "a token that has expired is taken",
  "GMS-014": "the document of another user is given",
  "GMS-030": "a SUBSCRIBE without a token is taken",
  "GMS-041": "the first NOTIFY has a state that there is not",
  "GMS-042": "the xcap-diff tells of the keys of another user",
  "GMS-046": "the last NOTIFY does not end the subscription",
  "GMS-064": "T is of the year 2008",
  "GMS-065": "which the signature does not cover",
};

type Parts = Pick<GmsCheckOptions, "fetch" | "sip">;

interface Parties {
  readonly valid: string;
  readonly expired: string;
  readonly user: string;
  readonly other: string;
}

export function faultyGms({ fetch, sip }: Parts, parties: Parties): Parts {
  if (sip === undefined) return { fetch: faultyXcap(fetch, parties) };
  const { valid } = parties;
  const subscribe: typeof sip.endpoint.subscribe = ({ headers, onNotify, ...rest }) =>
    sip.endpoint.subscribe({
      ...rest,
      headers(fields) {
        headers?.(fields);
        if (fields.has(AUTHORIZATION)) return;
        fields.set(AUTHORIZATION, { scheme: "Bearer", token: valid, params: new Map() });
      },
      onNotify: (notify) => onNotify(faultyNotify(notify, parties)),
    });
  return { fetch: faultyXcap(fetch, parties), sip: { uri: sip.uri, endpoint: { subscribe } } };
}

function faultyNotify(notify: Notify, { user, other }: Parties): Notify {
  const sel = (uri: string) => `users/${encodeURIComponent(uri)}/gktp.xml`;
  // Octet by octet, as there may be messages beside the diff.
  const text = Buffer.from(notify.body).toString("latin1").replaceAll(sel(user), sel(other));
  const state = notify.state === "terminated" ? "active" : "waiting";
  return { ...notify, state, body: new Uint8Array(Buffer.from(text, "latin1")) };
}

function faultyXcap(fetch: CheckFetch, { valid, expired, user, other }: Parties): CheckFetch {
  return async (url, init) => {
    const { authorization } = init.headers;
    const taken = authorization === `Bearer ${expired}` ? { authorization: `Bearer ${valid}` } : {};
    const response = await fetch(url.replace(encodeURIComponent(other), encodeURIComponent(user)), {
      ...init,
      headers: { ...init.headers, ...taken },
    });
    const text = await new Response(response.body).text();
    const isKeys = text.includes("<GKTP ");
    const body = isKeys
      ? text.replace(/(<GKTP [^>]*>)([0-9A-F]+)/g, (_, tag, hex) => tag + of2008(hex))
      : text;
    return {
      status: response.status,
      headers: {
        get: (name) =>
          name === "etag"
            ? null
            : isKeys && name === "content-type"
              ? "text/plain"
              : response.headers.get(name),
      },
      body: new Response(body).body as typeof response.body,
    };
  };
}

/** The first octet of the NTP time in T stands behind next payload and TS type. */
function of2008(hex: string): string {
  const octets = fromHex(hex);
  const { offset } = inspectMessage(octets).sections.find(({ name }) => name === "T")!;
  octets[offset + 2] = 0xcc;
  return toHex(octets).toUpperCase();
}
