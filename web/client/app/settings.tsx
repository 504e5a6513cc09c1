/** What a user may change. */
import { useState } from "preact/hooks";
import { logOut, session } from "./identity.ts";
import { bindKey, isMuted, mute, setVolume, talkKey, volume } from "./store.ts";

export function Settings() {
  const [isAsking, setAsking] = useState(false);
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
        onClick={() => setAsking(true)}
        onBlur={() => setAsking(false)}
        onKeyDown={(event) => {
          if (!isAsking || event.code === "Tab") return;
          event.preventDefault();
          if (event.code !== "Escape") bindKey(event.code);
          setAsking(false);
        }}
      >
        {isAsking ? "Press the key" : `Key to talk: ${talkKey.value}`}
      </button>
      {session.value?.user !== undefined && (
        <button type="button" onClick={logOut}>
          Sign out
        </button>
      )}
    </section>
  );
}
