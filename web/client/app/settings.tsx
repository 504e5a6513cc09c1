/** The settings that a user may change. */
import { signal } from "@preact/signals-core";
import { leave, logOut, session } from "./identity.ts";
import { bindKey, isMuted, mute, setVolume, talkKey, volume } from "./store.ts";

/** The next key that is pressed becomes the key to talk. */
const isAsking = signal(false);

export function Settings() {
  return (
    <section class="settings" aria-label="Settings">
      <button type="button" aria-pressed={isMuted.value} onClick={mute}>
        {isMuted.value ? "Unmute" : "Mute"}
      </button>
      <label class="line">
        Volume
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={volume.value}
          onInput={(event) => setVolume(event.currentTarget.valueAsNumber)}
        />
      </label>
      <button
        type="button"
        onClick={() => {
          isAsking.value = true;
        }}
        onBlur={() => {
          isAsking.value = false;
        }}
        onKeyDown={(event) => {
          if (!isAsking.value || event.code === "Tab") return;
          event.preventDefault();
          if (event.code !== "Escape") bindKey(event.code);
          isAsking.value = false;
        }}
      >
        {isAsking.value ? "Press the key" : `Key to talk: ${talkKey.value}`}
      </button>
      <button type="button" onClick={leave}>
        Leave
      </button>
      {session.value?.user !== undefined && (
        <button type="button" onClick={logOut}>
          Sign out
        </button>
      )}
    </section>
  );
}
