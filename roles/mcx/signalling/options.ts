/**
 * OPTIONS: of a balancer, whether this process takes clients; of a client to the identity of the server, whether its binding
 * is still there (RFC 3261 11.2: answered as the request would be that it asks about). Nobody who asks from elsewhere
 * than the client learns of a binding.
 */
import { type Answer, FROM, type Incoming, isSameFlow, TO } from "../../../transport/sip/index.ts";
import type { SignallingContext } from "./context.ts";

export function optionsHandler({ config, clients, isStopping }: SignallingContext) {
  return ({ request: { headers }, flow }: Incoming): Answer => {
    if (isStopping?.()) return { status: 503 };
    if (headers.need(TO).uri !== config.mcxUri) return { status: 200 };
    const isBound = clients.of(headers.need(FROM).uri).some((client) => isSameFlow(client.flow, flow));
    return { status: isBound ? 200 : 404 };
  };
}
