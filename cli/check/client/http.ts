/** A request of the client under test, and its answer, as KMS and XCAP server have them in common. */

export interface HttpRequest {
  readonly method: string;
  /** The request target as it was received, with its query. */
  readonly path: string;
  /** Undefined for a header field that is not there. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The token of RFC 6750 2.1. */
export function bearerOf(request: Pick<HttpRequest, "header">): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.header("authorization") ?? "")?.[1];
}
