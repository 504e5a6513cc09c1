/** SIP (RFC 3261), for browsers and Node.js. Sockets are passed in; those of Node.js are in index-node.ts. */
export * from "./codec/addresses.ts";
export * from "./codec/authorisation.ts";
export type { HeaderField } from "./codec/field.ts";
export * from "./codec/framer.ts";
export * from "./codec/headers.ts";
export * from "./codec/limits.ts";
export * from "./codec/message.ts";
export { type Framing, parseMessage } from "./codec/parse.ts";
export * from "./codec/scalars.ts";
export { type Params, quote, unquote } from "./codec/scanner.ts";
export * from "./codec/uri.ts";
