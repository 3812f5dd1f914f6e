/** Those who work in shifts; internal/shift has the same list. */
export const shiftRoles = ["operator", "dispatcher", "camera", "navigation", "supervisor", "patrol"];
