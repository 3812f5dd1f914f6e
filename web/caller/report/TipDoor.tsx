import { useEffect, useState } from "preact/hooks";
import { t } from "../../lib/i18n";

/** The way to the page where corruption can be told anonymously, where there is one. */
export function TipDoor() {
  const [at, setAt] = useState("");
  useEffect(() => {
    let gone = false;
    fetch("/api/v1/config")
      .then((r) => r.json())
      .then((c: { tips?: string }) => gone || setAt(c.tips ?? ""))
      .catch(() => undefined); // without a network there is no such page either
    return () => {
      gone = true;
    };
  }, []);
  if (!at) return null;
  return (
    <p class="fine">
      {t("tip.why")}{" "}
      <a href={at} rel="noreferrer">
        {t("tip.door")}
      </a>
    </p>
  );
}
