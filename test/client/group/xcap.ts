/** An XCAP server of a few lines, over the fetch that it is. */

import {
  type GktpEntry,
  gktpUserPath,
  groupDocumentPath,
  MEDIA,
  readGktpReport,
  writeGktpDocument,
  writeGroupDocument,
} from "../../../documents/group-xml/index.ts";
import type { XcapFetch, XcapFetchInit } from "../../../roles/group-keys/index.ts";
import { ALICE, GROUP } from "./device.ts";
import { XCAP_ROOT } from "./gms.ts";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export class TestXcap {
  readonly documents = new Map<string, { etag: string; body: string }>();
  readonly requests: Request[] = [];
  /** Digest and result of each message reported. */
  readonly reports: string[] = [];
  reportStatus = 204;
  /** Answers in place of the server; may throw. */
  intercept: (path: string, init: XcapFetchInit) => Response | undefined | Promise<Response | undefined> =
    () => undefined;
  #version = 0;

  readonly fetch: XcapFetch = async (url, init) => {
    const path = url.slice(XCAP_ROOT.length + 1);
    const response = (await this.intercept(path, init)) ?? this.#serve(path, init);
    this.requests.push({ method: init.method, path, status: response.status, headers: init.headers });
    return response;
  };

  put(path: string, body: string): void {
    this.documents.set(path, { etag: `"v${++this.#version}"`, body });
  }

  /** Alice's GKTP document. */
  putKeys(...messages: readonly Uint8Array[]): void {
    const entries: GktpEntry[] = messages.map((octets) => ({ id: ALICE, octets }));
    this.put(gktpUserPath(ALICE), writeGktpDocument(entries));
  }

  putGroup(uri: string = GROUP): void {
    const document = { uri, displayName: "Fire", members: [{ uri: ALICE }], services: [], unprotected: [] };
    this.put(groupDocumentPath(uri), writeGroupDocument(document as never));
  }

  /** "GET 200", in order, since the last call. */
  take(): string[] {
    return this.requests.splice(0).map(({ method, path, status }) => {
      const name = path.startsWith("org.3gpp") ? "keys" : "group";
      return `${method} ${name} ${status}`;
    });
  }

  #serve(path: string, { method, headers, body }: XcapFetchInit): Response {
    if (headers.authorization !== "Bearer token-1") return new Response(null, { status: 401 });
    const document = this.documents.get(path);
    if (document === undefined) return new Response(null, { status: 404 });
    if (method === "POST") {
      if (headers["content-type"] !== MEDIA.gktpReport) return new Response(null, { status: 415 });
      for (const { result, warning } of readGktpReport(body!))
        this.reports.push(`${result} ${warning ?? ""}`);
      return new Response(null, { status: this.reportStatus });
    }
    if (headers["if-none-match"] === document.etag) return new Response(null, { status: 304 });
    return new Response(document.body, { status: 200, headers: { etag: document.etag } });
  }
}
