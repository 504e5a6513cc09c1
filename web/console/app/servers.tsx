/** The servers: whether each can answer, and the figures of its metrics. */
import { session } from "./api.ts";
import { health } from "./store.ts";

const NAMES = { kms: "KMS", gms: "GMS", mcx: "MCX server" } as const;
/** Octets and seconds of the process are the same for all servers in it. */
const FIGURE =
  /^(?:kms|gms|mcx)_|^(?:process_resident_memory_bytes|process_open_fds|nodejs_eventloop_lag_p99_seconds|sockets_connections)$/;

export function Servers() {
  return (
    <>
      <h1>Servers</h1>
      <ul class="cards">
        {health.value.map(({ server, ok, detail, figures }) => (
          <li key={server} class="card">
            <h2>{NAMES[server]}</h2>
            <span class="quiet">{session.value?.identities[server]}</span>
            <span class={ok ? "good" : "bad"}>
              {[ok ? "ready" : "not ready", detail].filter(Boolean).join(", ")}
            </span>
            <dl class="facts">
              {Object.entries(figures)
                .filter(([name]) => FIGURE.test(name))
                .map(([name, value]) => (
                  <div key={name} class="fact">
                    <dt>{name.replace(/_/g, " ")}</dt>
                    <dd>{figureText(name, value)}</dd>
                  </div>
                ))}
            </dl>
          </li>
        ))}
      </ul>
    </>
  );
}

function figureText(name: string, value: number): string {
  if (name.endsWith("_bytes")) return `${(value / 1e6).toFixed(0)} MB`;
  if (name.endsWith("_seconds")) return `${value.toFixed(3)} s`;
  return value.toLocaleString();
}
