/** What a tile and a private call have to hear somebody and to talk to them: the volume, and the button to hold. */
import { floors, release, wantsFloor } from "../../client/app/calls.ts";
import { HoldButton } from "../../client/app/hold-button.tsx";
import { canTalkTo, MOST_VOLUME, press, setVolume, volumeOf } from "./dispatcher.ts";

interface VolumeProps {
  /** A group, or the other user of a private call. */
  readonly uri: string;
  readonly name: string;
}

export function VolumeSlider({ uri, name }: VolumeProps) {
  return (
    <label class="volume">
      Volume
      <input
        type="range"
        aria-label={`Volume of ${name}`}
        min={0}
        max={MOST_VOLUME}
        step={5}
        value={volumeOf(uri).volume}
        onInput={(event) => setVolume(uri, { volume: event.currentTarget.valueAsNumber })}
      />
    </label>
  );
}

interface TalkButtonProps {
  readonly uri: string;
  readonly text: string;
  readonly label?: string;
}

export function TalkButton({ uri, ...texts }: TalkButtonProps) {
  return (
    <HoldButton
      {...texts}
      class={`hold ${floors.value.get(uri)?.state ?? "idle"}`}
      canTalk={canTalkTo(uri)}
      isWanted={wantsFloor(uri)}
      begin={() => press([uri])}
      release={release}
    />
  );
}
