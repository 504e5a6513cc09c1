/** Calls under way: who is in them, who talks, packets and losses. */
import { hrefOf } from "./route.ts";
import { calls } from "./store.ts";
import { shortName } from "./words.ts";

export function Calls() {
  const { sessions, clients } = calls.value;
  return (
    <>
      <h1>Calls</h1>
      <p>
        {clients.length} {clients.length === 1 ? "user is" : "users are"} signed in to the MCX server,{" "}
        {sessions.length} {sessions.length === 1 ? "group has" : "groups have"} a call.
      </p>
      <ul class="cards">
        {sessions.map(({ groupUri, participants, talkers, mixed, counters }) => (
          <li key={groupUri} class="card">
            <strong>
              <a href={hrefOf("groups", groupUri)}>{groupUri}</a>
            </strong>
            <span class={talkers.length > 0 ? "good" : "quiet"}>
              {talkers.length === 0 ? "nobody talks" : `${talkers.map(shortName).join(", ")} talks`}
            </span>
            <span>
              {participants.length} in the call{mixed && ", the server mixes"}
            </span>
            <details>
              <summary>Who is there</summary>
              <ul>
                {participants.map((uri) => (
                  <li key={uri}>{uri}</li>
                ))}
              </ul>
            </details>
            <dl class="facts">
              {Object.entries(counters).map(([name, value]) => (
                <div key={name} class="fact">
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ul>
    </>
  );
}
