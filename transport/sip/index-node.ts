/** The sockets of Node.js for the SIP layer. */
export { type DnsOptions, dnsResolver } from "./locate/resolver-node.ts";
export { onePort } from "./socket/one-port-node.ts";
export { type TcpOptions, tcpTransport } from "./socket/tcp-node.ts";
export { type UdpOptions, udpTransport } from "./socket/udp-node.ts";
export {
  openWebSocket,
  type WebSocketServerOptions,
  webSocketServerTransport,
} from "./socket/websocket-node.ts";
