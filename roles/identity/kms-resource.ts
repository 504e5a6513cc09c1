/** URLs of the resources of a KMS (TS 33.180 D.2.1, D.2.3 to D.2.8). */
import { MikeySakkeError } from "../../base/errors.ts";
import { ntpFromUnixMs } from "../../bindings/identity/ntp.ts";

const ROOT = "/keymanagement/identity/v1";

/** The identity and the time for which keys are requested. */
export interface KeyTarget {
  /** A user or a group; the identities of the token when absent. */
  readonly uri?: string;
  /** Milliseconds since the Unix epoch, in the key period wanted. Only with `uri` (D.2). */
  readonly time?: number;
}

/**
 * The URL below which the resources are, for the URL of a KMS with or without the path of D.2.1.
 *
 * @throws {MikeySakkeError} usage `BAD_KMS_URL`; `KMS_URL_NOT_HTTPS`: D.1 wants HTTPS always, only on the machine itself
 * can nobody listen
 */
export function kmsRoot(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== "https:" && parsed.protocol !== "http:")) {
    throw new MikeySakkeError("usage", "BAD_KMS_URL", "the URL of the KMS is not an https URL");
  }
  if (parsed.username !== "" || parsed.password !== "" || /[?#]/.test(url)) {
    throw new MikeySakkeError("usage", "BAD_KMS_URL", "the URL of the KMS has a user, query or fragment");
  }
  if (parsed.protocol === "http:" && !isLoopback(parsed.hostname)) {
    throw new MikeySakkeError("usage", "KMS_URL_NOT_HTTPS", `${parsed.origin}: only https, but for loopback`);
  }
  let path = parsed.pathname;
  while (path.endsWith("/")) path = path.slice(0, -1);
  return `${parsed.origin}${path.endsWith(ROOT) ? path : path + ROOT}`;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** `keyprov`, `keyprov/{URI}` or `keyprov/{URI}/{16 hexadecimal digits of NTP time}`. */
export function keyprovPath({ uri, time }: KeyTarget): string {
  if (uri === undefined) {
    if (time === undefined) return "keyprov";
    throw new MikeySakkeError("usage", "TIME_WITHOUT_URI", "keys of a time can be asked for one URI only");
  }
  const path = `keyprov/${encodeURIComponent(uri)}`;
  return time === undefined
    ? path
    : `${path}/${ntpFromUnixMs(time).toString(16).padStart(16, "0").toUpperCase()}`;
}
