/** A button that takes a picture, or chooses files. */
export function Picker({ label, capture, onFiles }: { label: string; capture?: boolean; onFiles: (l: Iterable<File>) => Promise<void> }) {
  return (
    <label class="attach photo">
      {label}
      <input
        type="file"
        accept={capture ? "image/*" : "image/*,video/*,audio/*"}
        {...(capture ? { capture: "environment" } : { multiple: true })}
        onChange={(e) => {
          const list = [...(e.currentTarget.files ?? [])];
          e.currentTarget.value = "";
          void onFiles(list);
        }}
      />
    </label>
  );
}
