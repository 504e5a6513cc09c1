/** A site on localhost, made of files in memory. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Site {
  /** The address of the site, without a slash at the end. */
  readonly origin: string;
  close(): Promise<void>;
}

export interface SiteFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** Files by path. `headersOf` gives the headers that all answers of a path have beside the type. */
export async function startSite(
  files: Readonly<Record<string, SiteFile>>,
  headersOf: (path: string) => Readonly<Record<string, string>>,
): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = files[pathname];
    if (file === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": file.type, ...headersOf(pathname) }).end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const html = (body: string): SiteFile => ({ type: "text/html; charset=utf-8", body });
export const script = (body: string | Uint8Array): SiteFile => ({ type: "text/javascript", body });
export const octets = (body: string | Uint8Array): SiteFile => ({ type: "application/octet-stream", body });
