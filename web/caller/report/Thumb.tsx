import { useEffect, useState } from "preact/hooks";

/** A small picture of a file of this phone. */
export function Thumb({ blob, mime }: { blob: Blob; mime: string }) {
  const [url, setURL] = useState("");
  useEffect(() => {
    if (!mime.startsWith("image/")) return;
    const made = URL.createObjectURL(blob);
    setURL(made);
    return () => URL.revokeObjectURL(made);
  }, [blob, mime]);
  if (url) return <img class="thumb" src={url} alt="" />;
  return (
    <span class="thumb" aria-hidden="true">
      {mime.startsWith("video/") ? "▶" : mime.startsWith("audio/") ? "♪" : "▫"}
    </span>
  );
}
