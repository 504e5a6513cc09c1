/** UDP and TCP on one port that is free for both: what is too large for UDP goes over TCP to the same port (RFC 3261 18.1.1). */
import type { SipTransport, TransportEvents } from "./ports.ts";

/** The system picks a port for UDP; for TCP it may be taken. */
const TRIES = 10;

/**
 * Both are opened when the first of them is started, and get its events.
 *
 * @param makeUdp on any port
 * @param makeTcp on the port that UDP has
 */
export function onePort(
  makeUdp: () => SipTransport,
  makeTcp: (port: number) => SipTransport,
): readonly [udp: SipTransport, tcp: SipTransport] {
  let udp = makeUdp();
  let tcp = makeTcp(0);
  let opening: Promise<void> | undefined;

  async function open(events: TransportEvents): Promise<void> {
    for (let tries = 1; ; tries++) {
      await udp.start(events);
      tcp = makeTcp(udp.sentBy.port!);
      try {
        return await tcp.start(events);
      } catch (error) {
        await Promise.all([udp.close(), tcp.close()]);
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || tries === TRIES) throw error;
        udp = makeUdp();
      }
    }
  }

  const start = (events: TransportEvents) => {
    opening ??= open(events);
    return opening;
  };
  return [transportOf(() => udp, start), transportOf(() => tcp, start)];
}

function transportOf(current: () => SipTransport, start: SipTransport["start"]): SipTransport {
  const { name, reliable } = current();
  return {
    name,
    reliable,
    get sentBy() {
      return current().sentBy;
    },
    start,
    connect: (remote) => current().connect(remote),
    close: () => current().close(),
  };
}
