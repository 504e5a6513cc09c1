/** SIP without TLS beyond loopback: not unless the configuration asks for it, and never without a word. */
import type { ServerLog } from "./log.ts";
import { isLoopback } from "./loopback.ts";
import type { SipConfig } from "./sip-config.ts";

/** Sockets without TLS that others than this machine reach. */
function plainSockets({ host, udpPort, tcpPort, wsPort }: SipConfig): string[] {
  if (isLoopback(host)) return [];
  const plain = { UDP: udpPort, TCP: tcpPort, WS: wsPort };
  return Object.entries(plain).flatMap(([name, port]) => (port === undefined ? [] : [name]));
}

/** For the schema of a configuration that has `sip`. */
export function mayListen(sip: SipConfig): boolean {
  return sip.allowPlain || plainSockets(sip).length === 0;
}

export const PLAIN_FAULT = {
  path: ["sip", "host"],
  message:
    "beyond loopback SIP has tlsPort and wssPort; udpPort, tcpPort and wsPort need sip.allowPlain: true, which shows access tokens to anybody on the way",
};

export function warnOfPlainSip(sip: SipConfig, log: ServerLog): void {
  const transports = plainSockets(sip);
  if (transports.length === 0) return;
  log.warn(
    { host: sip.host, transports },
    "SIP WITHOUT TLS beyond loopback (sip.allowPlain): whoever is on the way reads and repeats access tokens.",
  );
}
