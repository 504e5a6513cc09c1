/** HTTP and HTTPS servers for WebSockets. The certificate of one that runs can be replaced. */
import { createServer, type Server } from "node:http";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";

/** Told of each TLS server when it is made; `setSecureContext` is for the connections that come after it. */
export type Secured = (server: {
  setSecureContext(context: { readonly cert: string; readonly key: string }): void;
}) => void;

export interface SecureOptions extends ServerOptions {
  readonly secured?: Secured | undefined;
}

/** Milliseconds between looks for requests that take too long. */
const CHECK_MS = 1000;

/** `tls`: makes it HTTPS. `messageTimeout`: milliseconds for a handshake and for a request. */
export function webServer(tls: SecureOptions | undefined, messageTimeout: number): Server {
  const slow = {
    connectionsCheckingInterval: Math.min(CHECK_MS, messageTimeout),
    headersTimeout: messageTimeout,
    requestTimeout: messageTimeout,
  };
  if (tls === undefined) return createServer(slow);
  const { secured, ...options } = tls;
  const server = createHttpsServer({ handshakeTimeout: messageTimeout, ...options, ...slow });
  secured?.(server);
  return server;
}
