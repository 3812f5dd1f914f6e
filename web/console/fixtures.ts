import type {
  CallCard, CallerCard, ChatItem, Choice, ConsoleState, Fix, OfferMade, OperatorRow, WaitingRow, Welcome,
} from "../lib/wire.gen";

/** Examples for tests and for the gallery. The moment they are about is `moment`. */
export const moment = Date.UTC(2026, 10, 23, 4, 12, 40);

export function fix(change: Partial<Fix> = {}): Fix {
  return { lat: 54.8753, lon: 69.1628, accuracyM: 12, source: "device", clientMs: moment - 4000, serverMs: moment - 4000, ...change };
}

export function caller(change: Partial<CallerCard> = {}): CallerCard {
  return {
    name: "Нұрлан Ахметов", phone: "+77015551212", proof: "sms", lang: "kk", iin: "850412300123", medical: "Эпилепсия; карбамазепин", earlier: 2,
    earlierMs: moment - 86_400_000 * 9, registered: true, ...change,
  };
}

export function item(id: string, chatSeq: number, change: Partial<ChatItem> = {}): ChatItem {
  return { id, chatSeq, from: "caller", text: "үйде, ішімде", atMs: moment - 60_000 + chatSeq * 1000, ...change };
}

export function card(change: Partial<CallCard> = {}): CallCard {
  return {
    call: "01hq-call-1182", number: "26-001182", kind: "video", phase: "talking", rev: 7, priority: 1, createdMs: moment - 110_000, answeredMs: moment - 102_000,
    sinceMs: moment - 102_000, caller: caller(), media: { mic: "on", camera: "on", background: false, link: true, connected: true },
    track: [-60, -45, -30, -15, -4].map((s, i) => fix({ lat: 54.8741 + i * 0.0004, lon: 69.161 + i * 0.0006, serverMs: moment + s * 1000, accuracyM: 40 - i * 7 })),
    chat: [
      item("m1", 1, { text: "Көмектесіңіздерші, көрші есікті сындырып жатыр" }),
      item("m2", 2, { from: "operator", name: "Айгүл Сәрсенова", text: "Көмек жолда. Байланыста болыңыз." }),
      item("m3", 3, { text: "Абай 24, 3-кіреберіс, 41-пәтер" }),
    ],
    note: "Көршісі есікті сындырып жатыр, пышағы бар.", noteRev: 3, recording: { state: "recording", lagMs: 240 },
    quality: { word: "fair", lossUp: 0.04, lossDown: 0.01, rttMs: 180, fps: 14, network: "3g", atMs: moment - 2000 }, callBack: false, ...change,
  };
}

export function offer(change: Partial<OfferMade> = {}): OfferMade {
  return {
    call: "01hq-call-1183", epoch: 1, number: "26-001183", kind: "video", priority: 1, caller: caller(), sinceMs: moment - 9000, expiresMs: moment + 9000, fix: fix(),
    media: { mic: "on", camera: "on", background: false, link: true, connected: true }, ...change,
  };
}

function operator(staff: string, name: string, state: OperatorRow["state"], seconds: number, more: Partial<OperatorRow> = {}): OperatorRow {
  return { staff, name, state, sinceMs: moment - seconds * 1000, ...more };
}

function waiting(n: number, change: Partial<WaitingRow>): WaitingRow {
  return {
    call: `waiting-${n}`, number: `26-00119${n}`, kind: "voice", priority: 2, sinceMs: moment - n * 8000, name: "", place: "", mic: "on", camera: "off", ...change,
  };
}

export function consoleState(me: Partial<OperatorRow> = {}): ConsoleState {
  const self = operator("s-aigul", "Айгүл Сәрсенова", "ready", 12, me);
  return {
    rev: 40,
    me: self,
    waiting: [
      waiting(5, { kind: "silent", priority: 1, name: "Гүлнар Т.", fix: fix({ lat: 54.869, lon: 69.141 }) }),
      waiting(2, { kind: "video", priority: 1, camera: "on", mic: "denied", offered: "Ерлан Тілеуов" }),
      waiting(1, { name: "Сергей Ковалёв", place: "Интернациональная, 61, второй подъезд", fix: fix({ lat: 54.862, lon: 69.155, accuracyM: 80 }) }),
      waiting(3, { linkLost: true, priority: 3 }),
    ],
    more: 0,
    operators: [
      self, operator("s-erlan", "Ерлан Тілеуов", "offered", 4), operator("s-saule", "Сәуле Мұқанова", "talking", 271, { number: "26-001179", after: "pause" }),
      operator("s-bolat", "Болат Қасымов", "not_responding", 80), operator("s-olga", "Ольга Мельник", "pause", 640, { reason: "meal" }),
      operator("s-dana", "Дана Ысқақова", "ready", 33),
    ],
    callBacks: [
      { call: "cb-1", number: "26-001180", kind: "voice", phone: "+77051234567", name: "Алина", reason: "dropped", sinceMs: moment - 80_000 },
      { call: "cb-2", number: "26-001176", kind: "silent", phone: "+77770001122", name: "", reason: "abandoned", sinceMs: moment - 242_000, fix: fix() },
    ],
    target: { answerS: 10, answeredShare: 0.957, answeredToday: 131, missedToday: 3 },
  };
}

const choice = (key: string, kk: string, ru: string, en: string): Choice => ({ key, words: { kk, ru, en } });

export const categories: Choice[] = [
  choice("fight", "Төбелес, ұрыс-жанжал", "Драка, скандал", "Fight, quarrel"),
  choice("domestic", "Тұрмыстық зорлық-зомбылық", "Бытовое насилие", "Domestic violence"),
  choice("theft", "Ұрлық", "Кража", "Theft"),
  choice("road", "Жол апаты", "ДТП", "Road accident"),
  choice("noise", "Шу, тыныштықты бұзу", "Шум, нарушение покоя", "Noise"),
  choice("missing", "Адам жоғалды", "Пропал человек", "Missing person"),
  choice("other", "Басқа", "Другое", "Other"),
];

export const outcomes: Choice[] = [
  choice("patrol", "Патруль жіберілді", "Направлен патруль", "Patrol sent"),
  choice("advice", "Кеңес берілді", "Дана консультация", "Advice given"),
  choice("passed", "Басқа қызметке берілді", "Передано другой службе", "Passed to another service"),
  choice("false", "Жалған шақыру", "Ложный вызов", "False call"),
];

export const pauses: Choice[] = [
  choice("rest", "Демалыс", "Отдых", "Rest"), choice("meal", "Тамақтану", "Обед", "Meal"), choice("training", "Оқыту", "Обучение", "Training"),
];

export function welcome(more: { card?: CallCard; offer?: OfferMade; me?: Partial<OperatorRow>; roles?: string[] } = {}): Welcome {
  return {
    client: "c-1", key: "k", version: 1, nowMs: moment, iceServers: [], staff: { staff: "s-aigul", name: "Айгүл Сәрсенова", roles: more.roles ?? ["operator"] },
    centre: { name: { kk: "102 Петропавл", ru: "102 Петропавловск", en: "102 Petropavl" }, phone: "102", lat: 54.8753, lon: 69.1628 },
    console: { state: consoleState(more.me), categories, outcomes, pauses, ...(more.card ? { card: more.card } : {}), ...(more.offer ? { offer: more.offer } : {}) },
  };
}
