/**
 * All groups as tiles: who talks, who was heard last, who is in the call, packets and losses. Groups that a dispatcher listens
 * to come first, then those with an emergency or a talker.
 */
import { useState } from "preact/hooks";
import type { SessionState } from "../../../roles/mcx/admin/metrics.ts";
import { user } from "../../client/app/calls.ts";
import { PastAlarms } from "./alarms.tsx";
import { heard } from "./dispatcher.ts";
import { DispatcherBar } from "./dispatcher-bar.tsx";
import { DispatcherTile } from "./dispatcher-tile.tsx";
import { lastHeard } from "./past-calls.ts";
import { hrefOf } from "./route.ts";
import { calls, groups } from "./store.ts";
import { shortName, span, timeText } from "./words.ts";

/** Drawn at a time. */
const SHOWN = 200;

interface Tile {
  readonly uri: string;
  readonly name: string;
  /** Undefined: there is no call. */
  readonly session: SessionState | undefined;
}

export function Calls() {
  const [sought, setSought] = useState("");
  const { sessions, clients } = calls.value;
  const found = tiles()
    .filter(({ uri, name }) => `${uri} ${name}`.toLowerCase().includes(sought.toLowerCase()))
    .sort((a, b) => rank(a) - rank(b));
  return (
    <>
      <h1>Calls</h1>
      <p>
        {clients.length} {clients.length === 1 ? "user is" : "users are"} signed in to the MCX server,{" "}
        {sessions.length} {sessions.length === 1 ? "group has" : "groups have"} a call.
      </p>
      <label class="seek">
        Find
        <input type="search" value={sought} onInput={(event) => setSought(event.currentTarget.value)} />
      </label>
      <DispatcherBar />
      <ul class="cards" aria-label="Groups">
        {found.slice(0, SHOWN).map((tile) => (
          <CallTile key={tile.uri} tile={tile} />
        ))}
      </ul>
      {found.length > SHOWN && <p>{found.length - SHOWN} more: say more of the name to see them.</p>}
      <PastAlarms />
    </>
  );
}

/** The groups of the GMS, and those of calls that it does not list (any more). */
function tiles(): Tile[] {
  const sessions = new Map(calls.value.sessions.map((session) => [session.groupUri, session]));
  const known = (groups.value ?? []).map(({ uri, settings }) => {
    const session = sessions.get(uri);
    sessions.delete(uri);
    return { uri, name: settings.displayName, session };
  });
  return [...known, ...[...sessions].map(([uri, session]) => ({ uri, name: uri, session }))];
}

/** Those that a dispatcher listens to stay in their places, whoever talks: a button that is held must not move. */
function rank({ uri, session }: Tile): number {
  if (user.value !== undefined && heard.value.has(uri)) return -1;
  if (session === undefined) return 3;
  if (session.emergencies.length > 0) return 0;
  return session.talkers.length > 0 ? 1 : 2;
}

function CallTile({ tile: { uri, name, session } }: { readonly tile: Tile }) {
  const last = lastHeard.value.get(uri);
  const isEmergency = session !== undefined && session.emergencies.length > 0;
  return (
    <li class={isEmergency ? "card grave" : "card"}>
      <strong>
        <a href={hrefOf("groups", uri)}>{name}</a>
      </strong>
      {name !== uri && <span class="quiet">{uri}</span>}
      {session === undefined ? <span class="quiet">no call</span> : <Call session={session} />}
      {last !== undefined && (
        <span class="quiet">
          last heard: {shortName(last.user)}, {timeText(last.at)}, {span(last.ms)}
        </span>
      )}
      <DispatcherTile uri={uri} name={name} />
    </li>
  );
}

function Call({ session }: { readonly session: SessionState }) {
  const { participants, talkers, emergencies, mixed, counters } = session;
  return (
    <>
      {emergencies.length > 0 && (
        <strong class="bad">emergency: {emergencies.map(shortName).join(", ")}</strong>
      )}
      <span class={talkers.length > 0 ? "good" : "quiet"}>
        {talkers.length === 0
          ? "nobody talks"
          : `${talkers.map(shortName).join(", ")} ${talkers.length === 1 ? "talks" : "talk"}`}
      </span>
      <span>
        {participants.length} in the call{mixed && ", the server mixes"}
      </span>
      <details>
        <summary>Who is there</summary>
        <ul>
          {participants.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      </details>
      <details>
        <summary>Packets</summary>
        <dl class="facts">
          {Object.entries(counters).map(([counter, value]) => (
            <div key={counter} class="fact">
              <dt>{counter}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </>
  );
}
