/** A dispatcher's controls in the tile of a group: whether it is heard, how loud, and the button to talk to it. */

import { floors, microphone, sockets, user } from "../../client/app/calls.ts";
import type { FloorView } from "../../client/messages.ts";
import { heard, listenTo, memberships, select, selected, setVolume, volumeOf } from "./dispatcher.ts";
import { DispatcherTexts } from "./dispatcher-texts.tsx";
import { TalkButton, VolumeSlider } from "./talk-controls.tsx";
import { shortName } from "./words.ts";

interface TileProps {
  readonly uri: string;
  readonly name: string;
}

export function DispatcherTile({ uri, name }: TileProps) {
  if (user.value === undefined) return null;
  const isHeard = heard.value.has(uri);
  if (!memberships.value.has(uri)) return <span class="quiet">you are not a member</span>;
  return (
    <fieldset class="controls">
      <legend class="hidden">Your part in {name}</legend>
      <label class="check">
        <input
          type="checkbox"
          checked={isHeard}
          aria-label={`Listen to ${name}`}
          onChange={(event) => listenTo(uri, event.currentTarget.checked)}
        />
        Listen
      </label>
      {isHeard && <Heard uri={uri} name={name} />}
      <DispatcherTexts uri={uri} name={name} />
    </fieldset>
  );
}

function Heard({ uri, name }: TileProps) {
  const { isMuted } = volumeOf(uri);
  return (
    <>
      <button
        type="button"
        aria-pressed={isMuted}
        aria-label={`Mute ${name}`}
        onClick={() => setVolume(uri, { isMuted: !isMuted })}
      >
        Mute
      </button>
      <VolumeSlider uri={uri} name={name} />
      {microphone.value === "on" && (
        <>
          <label class="check">
            <input
              type="checkbox"
              checked={selected.value.has(uri)}
              aria-label={`Select ${name}`}
              onChange={(event) => select(uri, event.currentTarget.checked)}
            />
            Select
          </label>
          <TalkButton uri={uri} text="Hold to talk" label={`Hold to talk to ${name}`} />
        </>
      )}
      <span class="quiet floor" role="status">
        {stateText(uri, floors.value.get(uri))}
      </span>
    </>
  );
}

function stateText(uri: string, floor: FloorView | undefined): string {
  const { key, call } = memberships.value.get(uri)!;
  if (key === undefined) return "There is no key.";
  if (call !== "joined" || sockets.value.get(uri) === false) return "Connecting …";
  switch (floor?.state) {
    case "granted":
      return "Everybody hears you.";
    case "pending":
      return "Asking for the floor …";
    case "queued":
      return `In the queue, place ${floor.position ?? "?"}.`;
    case "releasing":
      return "Giving back the floor …";
    case "taken":
      return floor.talker === undefined ? "You hear somebody." : `You hear ${shortName(floor.talker)}.`;
    default:
      return "You hear it when somebody talks.";
  }
}
