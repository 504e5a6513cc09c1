/** The groups of the user, each with who talks. */
import { floors, sockets } from "./calls.ts";
import { shortName } from "./names.ts";
import { group, groups, selected } from "./store.ts";

export function Groups() {
  return (
    <nav aria-label="Groups">
      <h2>Groups</h2>
      {groups.value.length === 0 && <p class="quiet">No group has come yet.</p>}
      <ul class="groups">
        {groups.value.map(({ uri, key, call }) => (
          <li key={uri}>
            <button
              type="button"
              aria-current={group.value?.uri === uri ? "true" : undefined}
              onClick={() => {
                selected.value = uri;
              }}
            >
              <strong>{shortName(uri)}</strong>
              <span class="quiet">{stateText(uri, call, key !== undefined)}</span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function stateText(uri: string, call: string, hasKey: boolean): string {
  const floor = floors.value.get(uri);
  if (!hasKey) return "no key";
  if (call !== "joined") return call === "joining" ? "joining" : "not joined";
  if (sockets.value.get(uri) === false) return "connecting";
  if (floor?.state === "granted") return "you talk";
  if (floor?.isEmergency)
    return `emergency: ${floor.talker === undefined ? "somebody" : shortName(floor.talker)}`;
  return floor?.talker === undefined ? "quiet" : `${shortName(floor.talker)} talks`;
}
