import type { At } from "../lib/address";
import { lang, t } from "../lib/i18n";
import { useAddress } from "../lib/useAddress";
import type { View } from "./view";

/** What the map makes of the position: to be read out, and seen to be wrong. How uncertain it is stands above and in the words. */
export function OnTheMap({ at }: { at: At | null }) {
  const address = useAddress(at);
  if (!at || !address) return null;
  return (
    <p class="said onmap" aria-live="polite">
      {t("place.map", { words: address.words[lang()] })} <small class="fine">{t("place.source", { credit: address.attribution })}</small>
    </p>
  );
}

/** The position that counts: the one shown by hand, which has no accuracy, else the phone's. */
export function counts(v: View): At | null {
  if (v.pin) return { lat: v.pin.lat, lon: v.pin.lon };
  return v.fix?.source === "device" ? v.fix : null;
}
