/** A KMS with ten faults: what stands between client and KMS changes requests and answers. */
import type { CheckFetch } from "../../../cli/check/http.ts";

type Init = Parameters<CheckFetch>[1];
type Answer = Awaited<ReturnType<CheckFetch>>;

export interface Fault {
  /** The case that must name it, and no other. */
  readonly id: string;
  readonly request?: (url: string, init: Init) => { readonly url: string; readonly init: Init } | undefined;
  readonly type?: string;
  readonly status?: number;
  readonly answer?: (text: string) => string;
  /** Which answers are changed; `number` counts the requests to a path that have a body. */
  readonly of?: (path: string, init: Init, number: number) => boolean;
}

/** `valid` and `expired`: tokens of the user; `other`: whose keys must not come. */
export function kmsFaults(tokens: { valid: string; expired: string }, user: string, other: string): Fault[] {
  /** Each case asks for itself: the certificate is that of the first request for it, KMS-004 makes the second. */
  const init = (wanted: number) => (path: string, _: Init, number: number) =>
    path === "init" && number === wanted;
  return [
    { id: "KMS-004", of: init(2), type: "text/html" },
    {
      id: "KMS-005",
      of: init(3),
      answer: (text) => text.replace("/init</ClientReqUrl>", "/lookup</ClientReqUrl>"),
    },
    { id: "KMS-006", of: init(4), answer: (text) => text.replace(/<Time>\d{4}/, "<Time>2019") },
    { id: "KMS-010", of: init(1), answer: (text) => text.replace('Role="Root"', 'Role="External"') },
    {
      id: "KMS-012",
      of: init(1),
      answer: (text) =>
        text.replace(/(<ValidTo>)[^<]*|(<UserIdFormat>)/, (_, to, format) =>
          to === undefined ? `<ValidTo>2020-01-01T00:00:00Z</ValidTo>${format}` : `${to}2020-01-01T00:00:00Z`,
        ),
    },
    {
      id: "KMS-023",
      of: (path) => path === "keyprov",
      answer: (text) => text.replace(/<UserID>[^<]*/, `<UserID>${"ab".repeat(32)}`),
    },
    {
      id: "KMS-027",
      of: (path) => path === "keyprov",
      answer: (text) => text.replace(/(<UserSigningKeySSK[^>]*>)[0-9a-f]{4}/i, "$10123"),
    },
    {
      id: "KMS-052",
      request: (url, init) => {
        if (init.headers.authorization !== `Bearer ${tokens.expired}`) return undefined;
        return {
          url,
          init: { ...init, headers: { ...init.headers, authorization: `Bearer ${tokens.valid}` } },
        };
      },
    },
    {
      id: "KMS-056",
      request: (url, init) => {
        const [theirs, own] = [encodeURIComponent(other), encodeURIComponent(user)];
        if (!url.endsWith(theirs)) return undefined;
        const body = init.body!.replaceAll(theirs, own);
        return { url: url.replace(theirs, own), init: { ...init, body } };
      },
    },
    {
      id: "KMS-081",
      request: (url, init) => {
        const entity = /<!ENTITY user "([^"]*)">/.exec(init.body ?? "");
        if (entity === null) return undefined;
        const body = init.body!.replace(/<!DOCTYPE[^\]]*\]>/, "").replace("&user;", entity[1]!);
        return { url, init: { ...init, body } };
      },
    },
    {
      id: "KMS-080",
      of: (path, { body }) =>
        path === "keyprov" && /<KmsRequest/.test(body ?? "</KmsRequest>") && !body!.includes("</KmsRequest>"),
      status: 500,
    },
  ];
}

export function faulty(fetch: CheckFetch, faults: readonly Fault[]): CheckFetch {
  const counts = new Map<string, number>();
  return async (url, given) => {
    const path = url.slice(url.indexOf("/v1/") + 4);
    const number = (counts.get(path) ?? 0) + (given.body ? 1 : 0);
    counts.set(path, number);
    const sent = faults.reduce((now, { request }) => request?.(now.url, now.init) ?? now, {
      url,
      init: given,
    });
    const at = faults.filter(({ of }) => of?.(path, given, number));
    const response = await fetch(sent.url, sent.init);
    return at.length === 0 ? response : changed(response, at);
  };
}

async function changed(response: Answer, faults: readonly Fault[]): Promise<Answer> {
  const body = await new Response(response.body).text();
  const text = faults.reduce((now, { answer }) => answer?.(now) ?? now, body);
  const type = faults.find((fault) => fault.type !== undefined)?.type;
  return {
    status: faults.find((fault) => fault.status !== undefined)?.status ?? response.status,
    headers: { get: (name) => (name === "content-type" && type) || response.headers.get(name) },
    body: new Response(text).body as Answer["body"],
  };
}
