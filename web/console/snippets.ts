import type { Text } from "../lib/wire.gen";

/**
 * Sentences sent with one key press, in the language of the caller and not of the page: "/1"
 * writes the first. They are content of the conversation, so all three languages stand together.
 */
export const snippets: Text[] = [
  { kk: "Көмек жолда. Байланыста болыңыз.", ru: "Помощь в пути. Оставайтесь на связи.", en: "Help is on the way. Stay connected." },
  { kk: "Қазір қайда тұрсыз? Көше, үй, пәтер.", ru: "Где вы сейчас? Улица, дом, квартира.", en: "Where are you now? Street, house, flat." },
  { kk: "Сізге қазір қауіп төніп тұр ма?", ru: "Вам сейчас угрожает опасность?", en: "Are you in danger now?" },
  { kk: "Қару бар ма?", ru: "Есть оружие?", en: "Is there a weapon?" },
  { kk: "Жараланған адам бар ма?", ru: "Есть раненые?", en: "Is anyone hurt?" },
  { kk: "Тыныш отырыңыз, дыбыс шығармаңыз.", ru: "Сидите тихо, не подавайте голос.", en: "Stay quiet, make no sound." },
];

/** The language to write to a caller in. */
export function callerLang(lang: string): keyof Text {
  return lang === "ru" || lang === "en" ? lang : "kk";
}

/** Turns a leading "/3" into its sentence; anything else stays. */
export function expand(text: string, lang: string): string {
  const m = /^\/([1-9])(?:\s|$)/.exec(text);
  const found = m && snippets[Number(m[1]) - 1];
  return found ? found[callerLang(lang)] + text.slice(2) : text;
}
