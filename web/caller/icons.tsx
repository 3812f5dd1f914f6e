/** Drawn by hand on a 24 px grid; words stand beside every one of them. */
function Icon({ d }: { d: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
      <path d={d} />
    </svg>
  );
}
export const Handset = () => <Icon d="M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2z" />;
export const Phone = () => <Icon d="M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5 11a7 7 0 0 0 14 0M12 18v3" />;
export const PhoneOff = () => <Icon d="M9 6a3 3 0 0 1 6 0v5m-1.5 2.6A3 3 0 0 1 9 11V9M5 11a7 7 0 0 0 11 5.7M19 11a7 7 0 0 1-.4 2.3M12 18v3M3 3l18 18" />;
export const Camera = () => <Icon d="M3 7h11a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zM15 11l6-4v10l-6-4" />;
export const CameraOff = () => <Icon d="M10 7h4a1 1 0 0 1 1 1v4m0 4a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h2M15 11l6-4v10l-3-2M3 3l18 18" />;
export const Flip = () => <Icon d="M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5" />;
export const Person = () => <Icon d="M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0" />;
export const Hush = () => <Icon d="M4 5h16v11H9l-5 4zM8 9h8M8 12h5" />;
export const Photo = () => <Icon d="M4 7h3l2-3h6l2 3h3v13H4zM12 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8z" />;
export const Send = () => <Icon d="M4 12 20 4l-5 16-4-7z" />;
export const Play = () => <Icon d="M7 4v16l13-8z" />;
export const Pin = () => <Icon d="M12 21s7-6.5 7-12a7 7 0 0 0-14 0c0 5.500 7 12 7 12zM12 11.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z" />;
